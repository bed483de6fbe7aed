#include "graph/neuron_axis.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <torch/csrc/jit/ir/constants.h>

#include "graph/pointwise.hpp"

namespace pregrad::graph {

namespace {

using torch::jit::Node;
using torch::jit::toIValue;
using torch::jit::Value;

using Number = std::optional<std::int64_t>;
using Names = std::unordered_set<std::string_view>;

/// Where the neurons of a tensor are.
struct Place {
  std::int64_t axis = 0;  ///< from the front, or from the back where it is negative
  Number size;            ///< how many they are, as far as the weights tell
};

using Found = std::optional<Place>;

bool is_one_of(std::string_view name, const Names& names) { return names.count(name) != 0; }

bool is_tensor_value(const Value* value) { return value->type()->isSubtypeOf(*c10::TensorType::get()); }

/// The name of an operator of PyTorch without the mark of its in-place form; of other nodes none.
std::string aten_name(const Node* node) { return node->kind().is_aten() ? operator_name(node) : ""; }

bool takes_part(std::string_view name) {
  static const Names names = {"chunk", "split", "split_with_sizes", "tensor_split"};
  return is_one_of(name, names);
}

bool is_view(std::string_view name) {
  static const Names names = {"view", "reshape", "_unsafe_view", "_reshape_alias"};
  return is_one_of(name, names);
}

bool is_norm_of_channels(std::string_view name) {
  static const Names names = {"group_norm", "instance_norm", "native_group_norm"};
  return is_batch_norm(name) || is_one_of(name, names);
}

/// Operators whose neurons are on the last axis, whatever they read.
bool makes_last(std::string_view name) {
  static const Names names = {"linear",   "addmm", "layer_norm", "native_layer_norm", "rms_norm", "_fused_rms_norm",
                              "bilinear", "lstm",  "gru",        "rnn_tanh",          "rnn_relu", "embedding"};
  return is_one_of(name, names);
}

bool is_product_of_matrices(std::string_view name) {
  static const Names names = {"matmul", "mm", "bmm"};
  return is_one_of(name, names);
}

/// Operators whose result has the axes of their first operand, in their order, and on that of the neurons its size.
bool keeps_channels(std::string_view name) {
  static const Names names = {

      "roll",
      "flip",
      "cumsum",
      "max_pool1d",
      "max_pool2d",
      "max_pool3d",
      "avg_pool1d",
      "avg_pool2d",
      "avg_pool3d",
      "adaptive_avg_pool1d",
      "adaptive_avg_pool2d",
      "adaptive_avg_pool3d",
      "_adaptive_avg_pool2d",
      "_adaptive_avg_pool3d",
      "adaptive_max_pool1d",
      "adaptive_max_pool2d",
      "adaptive_max_pool3d",
      "lp_pool1d",
      "lp_pool2d",
      "max_pool1d_with_indices",
      "max_pool2d_with_indices",
      "max_pool3d_with_indices",
      "upsample_nearest1d",
      "upsample_nearest2d",
      "upsample_nearest3d",
      "_upsample_nearest_exact1d",
      "_upsample_nearest_exact2d",
      "_upsample_nearest_exact3d",
      "upsample_linear1d",
      "upsample_bilinear2d",
      "upsample_bicubic2d",
      "upsample_trilinear3d",
      "_upsample_bilinear2d_aa",
      "_upsample_bicubic2d_aa"};
  return hands_on(name) || is_one_of(name, names);
}

/// Operators whose result has the axes of their first operand, in their order, but perhaps not its sizes.
bool keeps_places(std::string_view name) {
  static const Names names = {"slice",
                              "narrow",
                              "glu",
                              "pad",
                              "constant_pad_nd",
                              "reflection_pad1d",
                              "reflection_pad2d",
                              "reflection_pad3d",
                              "replication_pad1d",
                              "replication_pad2d",
                              "replication_pad3d",
                              "_pad_circular",
                              "index_select",
                              "gather",
                              "pixel_shuffle",
                              "pixel_unshuffle",
                              "channel_shuffle",
                              "native_channel_shuffle"};
  return is_one_of(name, names);
}

Number constant_number(const Value* value) {
  const auto constant = toIValue(value);
  return constant && constant->isInt() ? Number(constant->toInt()) : std::nullopt;
}

Number number_named(const Node* node, const char* name) {
  const Value* const value = input_named(node, name);
  return value == nullptr ? std::nullopt : constant_number(value);
}

/// A list of sizes or axes, as far as it is known; empty where even its length is not.
std::optional<std::vector<Number>> numbers_of(const Value* list) {
  if (const auto constant = toIValue(list)) {
    if (constant->isInt()) {
      return std::vector<Number>{constant->toInt()};
    }
    if (!constant->isIntList()) {
      return std::nullopt;
    }
    const auto known = constant->toIntVector();
    return std::vector<Number>(known.begin(), known.end());
  }
  if (list->node()->kind() != c10::prim::ListConstruct) {
    return std::nullopt;
  }
  std::vector<Number> numbers;
  for (const Value* input : list->node()->inputs()) {
    numbers.push_back(constant_number(input));
  }
  return numbers;
}

/// The numbers of an argument that is an axis or several; empty where one of them is not known.
std::optional<std::vector<std::int64_t>> axes_named(const Node* node, const char* name) {
  const Value* const value = input_named(node, name);
  const auto numbers = value == nullptr ? std::nullopt : numbers_of(value);
  if (!numbers) {
    return std::nullopt;
  }
  std::vector<std::int64_t> axes;
  for (const Number& number : *numbers) {
    if (!number) {
      return std::nullopt;
    }
    axes.push_back(*number);
  }
  return axes;
}

bool flag_named(const Node* node, const char* name) {
  const Value* const value = input_named(node, name);
  const auto constant = value == nullptr ? std::nullopt : toIValue(value);
  return constant && constant->isBool() && constant->toBool();
}

/// Which axis of which tensor a number is the size of.
std::optional<std::pair<const Value*, std::int64_t>> measured(const Value* number) {
  const Node* const node = number->node();
  if (node->kind() == c10::prim::ListUnpack && aten_name(node->input()->node()) == "size") {
    return std::pair{node->input()->node()->input(0), static_cast<std::int64_t>(number->offset())};
  }
  const std::string name = aten_name(node);
  if ((name == "size" || name == "sym_size") && node->inputs().size() == 2) {
    if (const Number axis = constant_number(node->input(1))) {
      return std::pair{node->input(0), *axis};
    }
  }
  return std::nullopt;
}

constexpr int how_far_back = 32;

/// A walk from a tensor back to the operator that made its neurons.
class Walk {
 public:
  Found place_of(const Value* value, int depth) {
    if (depth == 0 || !is_tensor_value(value)) {
      return std::nullopt;
    }
    const auto known = places_.find(value);
    if (known != places_.end()) {
      return known->second;
    }
    const Found found = find_place(value, depth - 1);
    places_[value] = found;
    return found;
  }

  /// How many axes there are; empty where the graph does not tell.
  Number rank_of(const Value* value, int depth) {
    if (depth == 0) {
      return std::nullopt;
    }
    const auto known = ranks_.find(value);
    if (known != ranks_.end()) {
      return known->second;
    }
    const Number found = find_rank(value, depth - 1);
    ranks_[value] = found;
    return found;
  }

 private:
  // How many axes there are.

  Number find_rank(const Value* value, int depth) {
    if (const auto constant = toIValue(value)) {
      return constant->isTensor() ? Number(constant->toTensor().dim()) : std::nullopt;
    }
    const auto type = value->type()->cast<c10::TensorType>();
    if (type && type->dim()) {
      return static_cast<std::int64_t>(*type->dim());
    }
    const Node* const node = value->node();
    if (node->kind() == c10::prim::If) {
      const std::vector<const Value*> results = {node->blocks()[0]->outputs()[value->offset()],
                                                 node->blocks()[1]->outputs()[value->offset()]};
      return first_rank(results, depth);
    }
    if (const Node* const list = list_behind(node)) {
      const std::string list_name = aten_name(list);
      return takes_part(list_name)      ? rank_of(list->input(0), depth)
             : list_name == "unbind"    ? plus(rank_of(list->input(0), depth), -1)
             : list->inputs().empty()   ? std::nullopt
             : is_list_of_tensors(list) ? first_rank(list->inputs(), depth)
                                        : std::nullopt;
    }
    if (const Value* const element = element_of_tuple(value)) {
      return rank_of(element, depth);
    }
    const std::string name = aten_name(node);
    return name.empty() || node->inputs().empty() ? std::nullopt : rank_of_result(node, name, depth);
  }

  Number rank_of_result(const Node* node, const std::string& name, int depth) {
    static const Names lists = {"permute", "expand", "repeat"};
    if (is_convolution(name)) {
      return rank_of(node->input(1), depth);
    }
    if (is_view(name) || is_one_of(name, lists)) {
      const auto sizes = numbers_of(node->input(1));
      return sizes ? Number(static_cast<std::int64_t>(sizes->size())) : std::nullopt;
    }
    if (name == "addmm" || name == "mm" || name == "t") {
      return 2;
    }
    if (name == "bmm" || name == "baddbmm" || name == "lstm" || name == "gru") {
      return 3;
    }
    if (name == "arange") {
      return 1;
    }
    if (name == "matmul") {
      const Number left = rank_of(node->input(0), depth);
      const Number right = rank_of(node->input(1), depth);
      return left && right && *left > 1 && *right > 1 ? Number(std::max(*left, *right)) : std::nullopt;
    }
    if (name == "embedding") {
      return plus(rank_of(node->input(1), depth), 1);
    }
    if (name == "cat" || name == "concat" || name == "stack") {
      const Node* const list = node->input(0)->node();
      return is_list_of_tensors(list) ? plus(first_rank(list->inputs(), depth), name == "stack" ? 1 : 0) : std::nullopt;
    }
    if (is_pointwise(node)) {
      return rank_of_broadcast(node, depth);
    }
    const Number before = rank_of(node->input(0), depth);
    if (name == "unsqueeze") {
      return plus(before, 1);
    }
    if (name == "flatten") {
      const Number first = number_named(node, "start_dim");
      const Number last = number_named(node, "end_dim");
      if (first && last && *first >= 0 && *last == -1) {
        return *first + 1;
      }
      const Number span =
          before && first && last ? Number(from_front(*last, *before) - from_front(*first, *before)) : std::nullopt;
      return span ? plus(before, -*span) : std::nullopt;
    }
    if (name == "unflatten") {
      const auto sizes = numbers_of(node->input(2));
      return sizes ? plus(before, static_cast<std::int64_t>(sizes->size()) - 1) : std::nullopt;
    }
    if (name == "select") {
      return plus(before, -1);
    }
    // A program that names an axis to squeeze has one of size 1 there.
    if (name == "squeeze" || (reduces_axes(name) && input_named(node, "dim") != nullptr)) {
      const auto axes = axes_named(node, "dim");
      return flag_named(node, "keepdim") ? before
             : axes && !axes->empty()    ? plus(before, -static_cast<std::int64_t>(axes->size()))
                                         : std::nullopt;
    }
    return keeps_channels(name) || keeps_places(name) || is_norm_of_channels(name) || is_transposition(name) ||
                   name == "movedim" || (makes_last(name) && name != "bilinear")
               ? before
               : std::nullopt;
  }

  /// The rank of what is computed element by element. Where that of an activation is not known, constants, which are
  /// spread over its axes, do not tell.
  Number rank_of_broadcast(const Node* node, int depth) {
    Number highest;
    bool is_of_data = false;
    bool is_complete = true;
    for (const Value* input : node->inputs()) {
      if (!is_tensor_value(input)) {
        continue;
      }
      const Number rank = rank_of(input, depth);
      is_complete = is_complete && rank;
      is_of_data = is_of_data || (rank && !is_weight(input, depth));
      highest = rank ? std::max(highest.value_or(0), *rank) : highest;
    }
    return is_complete || is_of_data ? highest : std::nullopt;
  }

  Number first_rank(c10::ArrayRef<const Value*> values, int depth) {
    for (const Value* value : values) {
      if (const Number rank = rank_of(value, depth)) {
        return rank;
      }
    }
    return std::nullopt;
  }

  static Number plus(const Number& number, std::int64_t difference) {
    return number ? Number(*number + difference) : std::nullopt;
  }

  static std::int64_t from_front(std::int64_t axis, std::int64_t rank) { return axis < 0 ? axis + rank : axis; }

  // What is none of the data.

  /// Whether a tensor is a parameter, or made of such alone. What a layer makes of a parameter, as the keys that an
  /// input is compared with, is not a weight but an activation.
  bool is_weight(const Value* value, int depth) {
    static const Names layers = {"linear", "addmm"};
    if (depth == 0) {
      return false;
    }
    const Node* const node = value->node();
    if (node->kind() == c10::prim::Constant) {
      return true;
    }
    const bool is_list = node->kind() == c10::prim::ListConstruct || node->kind() == c10::prim::ListUnpack;
    if (!is_list && (!node->kind().is_aten() || is_one_of(aten_name(node), layers))) {
      return false;
    }
    const auto known = weights_.find(value);
    if (known != weights_.end()) {
      return known->second;
    }
    const auto inputs = node->inputs();
    const bool found = std::all_of(inputs.begin(), inputs.end(), [&](const Value* input) {
      return !may_hold_tensors(input) || is_weight(input, depth - 1);
    });
    weights_[value] = found;
    return found;
  }

  /// The size of a weight along an axis from the back.
  Number weight_size(const Value* value, std::int64_t axis, int depth) {
    if (depth == 0) {
      return std::nullopt;
    }
    const auto constant = toIValue(value);
    if (constant && constant->isTensor()) {
      const at::Tensor& tensor = constant->toTensor();
      return tensor.dim() >= -axis ? Number(tensor.size(axis)) : std::nullopt;
    }
    const Node* const node = value->node();
    const std::string name = aten_name(node);
    const auto swapped = axis == -1 ? -2 : axis == -2 ? -1 : axis;
    if (name == "t") {
      return weight_size(node->input(0), swapped, depth - 1);
    }
    if (is_transposition(name)) {
      const Number rank = rank_of(node->input(0), depth);
      const Number first = constant_number(node->input(1));
      const Number second = constant_number(node->input(2));
      if (!rank || !first || !second) {
        return std::nullopt;
      }
      const std::int64_t front = axis + *rank;
      const std::int64_t from = from_front(*first, *rank);
      const std::int64_t to = from_front(*second, *rank);
      return weight_size(node->input(0), (front == from ? to : front == to ? from : front) - *rank, depth - 1);
    }
    if (name == "permute" || is_view(name) || name == "expand") {
      const auto numbers = numbers_of(node->input(1));
      const auto count = numbers ? static_cast<std::int64_t>(numbers->size()) : 0;
      if (count + axis < 0 || !numbers) {
        return std::nullopt;
      }
      const Number number = (*numbers)[static_cast<std::size_t>(count + axis)];
      if (name == "permute") {
        return number ? weight_size(node->input(0), from_front(*number, count) - count, depth - 1) : std::nullopt;
      }
      return number && *number >= 0 ? number : std::nullopt;
    }
    if (keeps_channels(name)) {
      return weight_size(node->input(0), axis, depth - 1);
    }
    if (is_pointwise(node) && is_weight(value, depth)) {
      Number size;
      for (const Value* input : node->inputs()) {
        const Number each = is_tensor_value(input) ? weight_size(input, axis, depth - 1) : std::nullopt;
        size = each ? std::max(size.value_or(0), *each) : size;
      }
      return size;
    }
    return std::nullopt;
  }

  // Axes from both ends.

  /// The axis from the front; empty where it is counted from the back and the rank is not known.
  Number front(const Place& place, const Value* value, int depth) {
    if (place.axis >= 0) {
      return place.axis;
    }
    return plus(rank_of(value, depth), place.axis);
  }

  Number back(const Place& place, const Value* value, int depth) {
    if (place.axis < 0) {
      return place.axis;
    }
    const Number rank = rank_of(value, depth);
    return rank ? Number(place.axis - *rank) : std::nullopt;
  }

  /// An axis that an operator names, from the front.
  Number front(std::int64_t axis, const Value* value, int depth) { return front(Place{axis, {}}, value, depth); }

  enum class Side { before, at, behind, unknown };

  /// On which side of the neurons of `value` another axis is.
  Side side_of(std::int64_t axis, const Place& place, const Value* value, int depth) {
    std::int64_t neurons = place.axis;
    if ((axis < 0) != (neurons < 0)) {
      const Number axis_from_front = front(axis, value, depth);
      const Number neurons_from_front = front(place, value, depth);
      if (!axis_from_front || !neurons_from_front) {
        // The last axis is behind all others, the first before them.
        return axis == -1 || neurons == 0 ? Side::behind : axis == 0 || neurons == -1 ? Side::before : Side::unknown;
      }
      axis = *axis_from_front;
      neurons = *neurons_from_front;
    }
    return axis < neurons ? Side::before : axis == neurons ? Side::at : Side::behind;
  }

  /// The place when axes before the neurons, behind them, or both, come or go, by the end that this leaves as it is.
  Found counted_from_the_quiet_end(const Place& place, bool changes_before, bool changes_behind, const Value* value,
                                   int depth) {
    if (changes_before && changes_behind) {
      return std::nullopt;
    }
    const Number axis = changes_before   ? back(place, value, depth)
                        : changes_behind ? front(place, value, depth)
                                         : Number(place.axis);
    return axis ? Found(Place{*axis, place.size}) : std::nullopt;
  }

  /// The place when the axes from `first` to `last` become another number of axes; none if it is among them.
  Found place_beside(std::int64_t first, std::int64_t last, const Place& place, const Value* value, int depth) {
    if (side_of(first, place, value, depth) == Side::behind) {
      return counted_from_the_quiet_end(place, false, true, value, depth);
    }
    if (side_of(last, place, value, depth) == Side::before) {
      return counted_from_the_quiet_end(place, true, false, value, depth);
    }
    return std::nullopt;
  }

  /// How many axes are before the neurons and behind them.
  struct Sides {
    std::int64_t before = 0;
    std::int64_t behind = 0;
  };

  /// Empty where an axis is the neurons' own, or on a side that the graph does not tell.
  std::optional<Sides> sides_of(const std::vector<std::int64_t>& axes, const Place& place, const Value* value,
                                int depth) {
    Sides sides;
    for (const std::int64_t axis : axes) {
      const Side side = side_of(axis, place, value, depth);
      if (side == Side::at || side == Side::unknown) {
        return std::nullopt;
      }
      ++(side == Side::before ? sides.before : sides.behind);
    }
    return sides;
  }

  /// The place when the axes of `node`'s first operand that it names go.
  Found without_axes(const Node* node, const std::vector<std::int64_t>& axes, int depth) {
    const Value* const value = node->input(0);
    const Found place = place_of(value, depth);
    if (!place) {
      return std::nullopt;
    }
    const auto sides = sides_of(axes, *place, value, depth);
    if (!sides) {
      return std::nullopt;
    }
    if (sides->before > 0 && place->axis >= 0) {
      return Place{place->axis - sides->before, place->size};
    }
    return counted_from_the_quiet_end(*place, sides->before > 0, sides->behind > 0, value, depth);
  }

  // Operators.

  Found find_place(const Value* value, int depth) {
    const Node* const node = value->node();
    if (node->kind() == c10::prim::If) {
      for (const torch::jit::Block* branch : node->blocks()) {
        if (const Found place = place_of(branch->outputs()[value->offset()], depth)) {
          return place;
        }
      }
      return std::nullopt;
    }
    if (const Node* const list = list_behind(node)) {
      return place_in_list(list, depth);
    }
    if (const Value* const element = element_of_tuple(value)) {
      return place_of(element, depth);
    }
    const std::string name = aten_name(node);
    return name.empty() || node->inputs().empty() ? std::nullopt : place_in_result(node, name, depth);
  }

  /// What was put into a tuple, perhaps in a branch, where `value` comes out of it.
  static const Value* element_of_tuple(const Value* value) {
    const Node* const node = value->node();
    const bool is_indexed = node->kind() == c10::prim::TupleIndex;
    const Number index = node->kind() == c10::prim::TupleUnpack ? Number(static_cast<std::int64_t>(value->offset()))
                         : is_indexed                           ? constant_number(node->input(1))
                                                                : std::nullopt;
    if (!index) {
      return nullptr;
    }
    const Value* tuple = node->input(0);
    while (tuple->node()->kind() == c10::prim::If) {
      tuple = tuple->node()->blocks()[0]->outputs()[tuple->offset()];
    }
    const auto elements = static_cast<std::int64_t>(tuple->node()->inputs().size());
    return tuple->node()->kind() == c10::prim::TupleConstruct && *index >= 0 && *index < elements
               ? tuple->node()->input(static_cast<std::size_t>(*index))
               : nullptr;
  }

  /// The node that makes the list of which `node` takes an element; null if it takes none.
  static const Node* list_behind(const Node* node) {
    const bool takes_element = node->kind() == c10::prim::ListUnpack || node->kind() == c10::aten::__getitem__;
    return takes_element ? node->input(0)->node() : nullptr;
  }

  static bool is_list_of_tensors(const Node* node) {
    return node->kind() == c10::prim::ListConstruct && !node->inputs().empty() && is_tensor_value(node->input(0));
  }

  /// Where the neurons of a list's elements are. Chunks of a tensor have its axes.
  Found place_in_list(const Node* list, int depth) {
    const std::string name = aten_name(list);
    if (takes_part(name)) {
      return without_size(place_of(list->input(0), depth));
    }
    if (name == "unbind") {
      const Number axis = number_named(list, "dim");
      return axis ? without_axes(list, {*axis}, depth) : std::nullopt;
    }
    return is_list_of_tensors(list) ? place_in_operands(list, depth) : std::nullopt;
  }

  static Found without_size(Found place) {
    if (place) {
      place->size = std::nullopt;
    }
    return place;
  }

  Found place_in_result(const Node* node, const std::string& name, int depth) {
    if (makes_last(name)) {
      return Place{-1, size_of_last(node, name, depth)};
    }
    if (is_convolution(name)) {
      return Place{1, channels_of(node, name, depth)};
    }
    if (is_norm_of_channels(name)) {
      const Value* const weight = input_named(node, "weight");
      return Place{1, weight == nullptr ? std::nullopt : weight_size(weight, -1, depth)};
    }
    if (is_product_of_matrices(name)) {
      return place_in_product(node->input(0), node->input(1), depth);
    }
    if (name == "baddbmm") {
      return place_in_product(node->input(1), node->input(2), depth);
    }
    if (is_view(name)) {
      return place_in_view(node, depth);
    }
    if (name == "permute" || is_transposition(name) || name == "t" || name == "movedim") {
      return moved_place(node, name, depth);
    }
    if (name == "cat" || name == "concat") {
      const Node* const list = node->input(0)->node();
      return is_list_of_tensors(list) ? without_size(place_in_operands(list, depth)) : std::nullopt;
    }
    if (name == "stack" || name == "unsqueeze") {
      return place_beside_new_axis(node, name, depth);
    }
    if (name == "squeeze") {
      return place_in_squeezed(node, depth);
    }
    if (name == "flatten" || name == "unflatten") {
      return place_in_flattened(node, name, depth);
    }
    if (name == "select" || (reduces_axes(name) && input_named(node, "dim") != nullptr)) {
      const auto axes = axes_named(node, "dim");
      if (!axes || axes->empty()) {
        return std::nullopt;
      }
      return flag_named(node, "keepdim") ? without_size(place_of(node->input(0), depth))
                                         : without_axes(node, *axes, depth);
    }
    if (name == "expand" || name == "repeat") {
      return place_in_expanded(node, depth);
    }
    if (name == "index") {
      return place_in_indexed(node, depth);
    }
    if (keeps_channels(name)) {
      return place_of(node->input(0), depth);
    }
    if (keeps_places(name)) {
      return without_size(place_of(node->input(0), depth));
    }
    return is_pointwise(node) ? place_in_operands(node, depth) : std::nullopt;
  }

  Number size_of_last(const Node* node, const std::string& name, int depth) {
    if (name == "linear") {
      return weight_size(node->input(1), -2, depth);
    }
    if (name == "addmm") {
      return weight_size(node->input(2), -1, depth);
    }
    if (name == "embedding") {
      return weight_size(node->input(0), -1, depth);
    }
    const Value* const weight = input_named(node, "weight");
    return weight == nullptr || name == "bilinear" ? std::nullopt : weight_size(weight, -1, depth);
  }

  Number channels_of(const Node* node, const std::string& name, int depth) {
    const Number rank = rank_of(node->input(1), depth);
    const Value* const flag = input_named(node, "transposed");
    const auto transposed = flag == nullptr ? std::nullopt : toIValue(flag);
    const bool is_transposed =
        name.rfind("conv_transpose", 0) == 0 || (flag != nullptr && (!transposed || transposed->toBool()));
    return rank && !is_transposed ? weight_size(node->input(1), -*rank, depth) : std::nullopt;
  }

  /// The place in what is computed element by element, or in what is put one behind the other.
  Found place_in_operands(const Node* node, int depth) {
    constexpr std::size_t operands = 3;
    for (const Value* input : node->inputs().slice(0, std::min(operands, node->inputs().size()))) {
      const Found place = is_tensor_value(input) ? place_of(input, depth) : std::nullopt;
      if (place) {
        return spread(*place, input, node, depth);
      }
    }
    return std::nullopt;
  }

  /// An operand of fewer axes than another gets the missing ones in front; one neuron may meet several.
  Found spread(const Place& place, const Value* operand, const Node* node, int depth) {
    const Number size = place.size == 1 ? std::nullopt : place.size;
    const Number rank = rank_of(operand, depth);
    if (place.axis < 0 || !rank) {
      return Place{place.axis, size};
    }
    for (const Value* input : node->inputs()) {
      const Number other = input != operand && is_tensor_value(input) ? rank_of(input, depth) : std::nullopt;
      if (other.value_or(0) > *rank) {
        return Place{place.axis - *rank, size};
      }
    }
    return Place{place.axis, size};
  }

  /// A product with a weight is what Linear is made of, and its neurons are the weight's columns, or its rows where it
  /// stands on the left; a product of two activations, as in attention, is not.
  Found place_in_product(const Value* left, const Value* right, int depth) {
    const bool is_left_weight = is_weight(left, depth);
    if (is_weight(right, depth)) {
      const bool is_vector = rank_of(right, depth) == 1;
      return is_left_weight || is_vector ? std::nullopt : Found(Place{-1, weight_size(right, -1, depth)});
    }
    if (!is_left_weight || rank_of(left, depth) == 1) {
      return std::nullopt;
    }
    return place_in_left_product(weight_size(left, -2, depth), weight_size(left, -1, depth), right, depth);
  }

  /// A weight on the left takes the last axis but one together, and its rows are the neurons. One that is square may be
  /// an adjacency, which mixes positions: then the neurons stay where they are.
  Found place_in_left_product(const Number& rows, const Number& columns, const Value* data, int depth) {
    const Found place = place_of(data, depth);
    const Number axis = place ? back(*place, data, depth) : std::nullopt;
    if (axis == -2 || (rows && rows != columns)) {
      return Place{-2, rows};
    }
    return axis ? Found(Place{*axis, place->size}) : std::nullopt;
  }

  static bool is_transposition(std::string_view name) {
    return name == "transpose" || name == "swapaxes" || name == "swapdims";
  }

  /// Where the axis goes in a permutation or the exchange of two axes that are constants.
  Found moved_place(const Node* node, const std::string& name, int depth) {
    if (const Found place = place_in_turned_product(node, name, depth)) {
      return place;
    }
    const Value* const value = node->input(0);
    const Found place = place_of(value, depth);
    if (!place) {
      return std::nullopt;
    }
    if (name == "t") {
      return Place{front(*place, value, depth) == 0 ? 1 : 0, place->size};
    }
    if (name == "permute") {
      const auto order = axes_named(node, "dims");
      const auto rank = order ? static_cast<std::int64_t>(order->size()) : 0;
      for (std::int64_t i = 0; i < rank; ++i) {
        if (from_front((*order)[static_cast<std::size_t>(i)], rank) == from_front(place->axis, rank)) {
          return Place{i, place->size};
        }
      }
      return std::nullopt;
    }
    const Number first = constant_number(node->input(1));
    const Number second = constant_number(node->input(2));
    if (!first || !second) {
      return std::nullopt;
    }
    // Without a rank, -1 and 2 are taken for one axis, as they are in a sequence [N, S, C].
    const std::int64_t rank = rank_of(value, depth).value_or(3);
    const std::int64_t before = from_front(place->axis, rank);
    const std::int64_t from = from_front(*first, rank);
    const std::int64_t to = from_front(*second, rank);
    if (name == "movedim") {
      const std::int64_t rest = before - (before > from ? 1 : 0);
      return Place{before == from ? to : rest + (rest >= to ? 1 : 0), place->size};
    }
    if (before == from) {
      return Place{*second, place->size};
    }
    return before == to ? Place{*first, place->size} : *place;
  }

  /// PyTorch decomposes weight·x into the transpose of a product of rows of the transposed x with the transposed
  /// weight.
  Found place_in_turned_product(const Node* node, const std::string& name, int depth) {
    const Node* const rows = behind_copies(node->input(0));
    if (!turns_last_axes(node, name) || !is_view(aten_name(rows))) {
      return std::nullopt;
    }
    const Node* const product = rows->input(0)->node();
    if (aten_name(product) != "mm") {
      return std::nullopt;
    }
    const Node* const flat = behind_copies(product->input(0));
    const Value* const weight = product->input(1);
    const Node* const turned = is_view(aten_name(flat)) ? behind_copies(flat->input(0)) : nullptr;
    if (turned == nullptr || !turns_last_axes(turned, aten_name(turned)) || !is_weight(weight, depth)) {
      return std::nullopt;
    }
    return place_in_left_product(weight_size(weight, -1, depth), weight_size(weight, -2, depth), turned->input(0),
                                 depth);
  }

  static const Node* behind_copies(const Value* value) {
    const Node* node = value->node();
    while (aten_name(node) == "clone" || aten_name(node) == "contiguous") {
      node = node->input(0)->node();
    }
    return node;
  }

  /// Whether the node exchanges the last two axes, of two or three.
  static bool turns_last_axes(const Node* node, const std::string& name) {
    if (name == "permute") {
      const auto order = axes_named(node, "dims");
      return order && (*order == std::vector<std::int64_t>{0, 2, 1} || *order == std::vector<std::int64_t>{1, 0});
    }
    const Number first = is_transposition(name) ? constant_number(node->input(1)) : std::nullopt;
    const Number second = is_transposition(name) ? constant_number(node->input(2)) : std::nullopt;
    return first && second && std::min(*first, *second) == -2 && std::max(*first, *second) == -1;
  }

  Found place_beside_new_axis(const Node* node, const std::string& name, int depth) {
    const Number added = number_named(node, "dim");
    const Node* const list = node->input(0)->node();
    if (!added || (name == "stack" && !is_list_of_tensors(list))) {
      return std::nullopt;
    }
    const Value* const value = name == "stack" ? list->input(0) : node->input(0);
    const Found place = name == "stack" ? place_in_operands(list, depth) : place_of(value, depth);
    if (!place) {
      return std::nullopt;
    }
    if (*added >= 0) {
      if (const Number axis = front(*place, value, depth)) {
        return Place{*axis + (*axis >= *added ? 1 : 0), place->size};
      }
      return *added <= 1 ? place : std::nullopt;
    }
    if (const Number axis = back(*place, value, depth)) {
      return Place{*axis - (*axis <= *added ? 1 : 0), place->size};
    }
    return *added == -1 ? place : std::nullopt;
  }

  /// An axis is only squeezed if its size is 1, so that the place is counted from the end where none is.
  Found place_in_squeezed(const Node* node, int depth) {
    const Value* const value = node->input(0);
    if (input_named(node, "dim") == nullptr) {
      const Found place = place_of(value, depth);
      return place && (place->axis == 1 || place->axis == -1) ? place : std::nullopt;
    }
    const auto axes = axes_named(node, "dim");
    const Found place = axes ? place_of(value, depth) : std::nullopt;
    if (!place) {
      return std::nullopt;
    }
    const auto sides = sides_of(*axes, *place, value, depth);
    if (!sides) {
      return std::nullopt;
    }
    return sides->before > 0 && sides->behind > 0
               ? without_axes(node, *axes, depth)
               : counted_from_the_quiet_end(*place, sides->before > 0, sides->behind > 0, value, depth);
  }

  Found place_in_flattened(const Node* node, const std::string& name, int depth) {
    const Value* const value = node->input(0);
    const Found place = place_of(value, depth);
    const Number first = number_named(node, name == "flatten" ? "start_dim" : "dim");
    const Number last = name == "flatten" ? number_named(node, "end_dim") : first;
    if (!place || !first || !last) {
      return std::nullopt;
    }
    return place_beside(*first, *last, *place, value, depth);
  }

  /// New axes come in front.
  Found place_in_expanded(const Node* node, int depth) {
    const Value* const value = node->input(0);
    const Found place = without_size(place_of(value, depth));
    const auto sizes = numbers_of(node->input(1));
    const Number rank = rank_of(value, depth);
    if (!place || place->axis < 0 || !sizes || !rank) {
      return place;
    }
    return Place{place->axis + static_cast<std::int64_t>(sizes->size()) - *rank, {}};
  }

  /// Indices of one axis, or of axes side by side, put their own axes in the place of these.
  Found place_in_indexed(const Node* node, int depth) {
    const Value* const value = node->input(0);
    const Found place = place_of(value, depth);
    const std::vector<Number> ranks = ranks_of_indices(node->input(1), depth);
    std::vector<std::int64_t> indexed;
    for (std::size_t i = 0; i < ranks.size(); ++i) {
      if (ranks[i] != 0) {
        indexed.push_back(static_cast<std::int64_t>(i));
      }
    }
    if (!place || indexed.empty() ||
        indexed.back() - indexed.front() + 1 != static_cast<std::int64_t>(indexed.size())) {
      return std::nullopt;
    }
    if (indexed.size() == 1 && ranks[static_cast<std::size_t>(indexed.front())] == 1) {
      return without_size(place);
    }
    return place_beside(indexed.front(), indexed.back(), *place, value, depth);
  }

  /// How many axes the indices have that an operator takes for each axis, 0 where it takes all of the axis.
  std::vector<Number> ranks_of_indices(const Value* list, int depth) {
    std::vector<Number> ranks;
    if (const auto constant = toIValue(list)) {
      for (const c10::IValue& index : constant->toListRef()) {
        ranks.push_back(index.isTensor() ? index.toTensor().dim() : 0);
      }
    } else if (list->node()->kind() == c10::prim::ListConstruct) {
      for (const Value* index : list->node()->inputs()) {
        const auto given = toIValue(index);
        ranks.push_back(given && given->isNone() ? Number(0) : rank_of(index, depth));
      }
    }
    return ranks;
  }

  // Views.

  /// A view keeps the order of the elements: neurons that are last stay so, and those behind the batch, where the new
  /// sizes have their number in that place. Otherwise they are taken apart, or together with positions.
  Found place_in_view(const Node* node, int depth) {
    const Value* const value = node->input(0);
    if (is_instance_norm(value->node())) {
      return Place{1, {}};
    }
    const Found place = place_of(value, depth);
    const auto sizes = numbers_of(node->input(1));
    if (!place) {
      return sizes && sizes->size() > 2 ? place_in_shuffled(node, *sizes, depth) : std::nullopt;
    }
    // Linear on sequences decomposes into a product of flattened rows, which are put back into their places.
    const std::string made = aten_name(value->node());
    const bool is_of_rows = made == "addmm" || made == "mm";
    if (!sizes) {
      return is_of_rows && place->axis == -1 ? place : std::nullopt;
    }
    const auto count = static_cast<std::int64_t>(sizes->size());
    const Number from_back = back(*place, value, depth);
    const bool is_last = from_back == -1;
    const std::int64_t axis = is_last ? -1 : place->axis;
    const std::int64_t index = from_front(axis, count);
    // Of axes in the middle the order alone tells nothing, unless their number stays.
    if (index < 0 || index >= count || (!is_last && axis != 1 && rank_of(value, depth) != count)) {
      return std::nullopt;
    }
    const Number size = size_given(node->input(1), *sizes, index, depth);
    const bool is_same = is_measured(node->input(1), index, *place, value, depth);
    if (is_same || (size && place->size && *size == *place->size)) {
      return Place{axis, place->size};
    }
    const bool is_open = !place->size || !size || *size < 0;
    return is_of_rows && is_last && is_open ? Found(Place{-1, place->size}) : std::nullopt;
  }

  /// InstanceNorm decomposes into BatchNorm of one sample that has the channels of all, and a view of that.
  static bool is_instance_norm(const Node* node) {
    if (!is_batch_norm(aten_name(node))) {
      return false;
    }
    const Node* const view = node->input(0)->node();
    const auto sizes = is_view(aten_name(view)) ? numbers_of(view->input(1)) : std::nullopt;
    return sizes && sizes->size() > 2 && sizes->front() == 1;
  }

  /// Channels that a view takes apart into groups, that are exchanged with what is in a group, and are laid together.
  Found place_in_shuffled(const Node* node, const std::vector<Number>& sizes, int depth) {
    const Node* const exchange = behind_copies(node->input(0));
    const std::string name = aten_name(exchange);
    if (!is_transposition(name) && name != "permute") {
      return std::nullopt;
    }
    const Node* const groups = exchange->input(0)->node();
    const auto grouped = is_view(aten_name(groups)) ? numbers_of(groups->input(1)) : std::nullopt;
    const Found place = grouped ? place_of(groups->input(0), depth) : std::nullopt;
    if (!place || place->axis != 1 || !place->size || grouped->size() != sizes.size() + 1) {
      return std::nullopt;
    }
    const auto order = name == "permute" ? axes_named(exchange, "dims") : std::nullopt;
    const bool is_of_groups = order ? order->size() > 2 && (*order)[1] == 2 && (*order)[2] == 1
                                    : name != "permute" && constant_number(exchange->input(1)) == 1 &&
                                          constant_number(exchange->input(2)) == 2;
    return is_of_groups && size_given(node->input(1), sizes, 1, depth) == place->size ? place : std::nullopt;
  }

  /// The size that a view gives an axis, as a number.
  Number size_given(const Value* list, const std::vector<Number>& sizes, std::int64_t index, int depth) {
    if (const Number size = sizes[static_cast<std::size_t>(index)]) {
      return size;
    }
    const auto axis = measured(list->node()->input(static_cast<std::size_t>(index)));
    const Found place = axis ? place_of(axis->first, depth) : std::nullopt;
    return place && side_of(axis->second, *place, axis->first, depth) == Side::at ? place->size : std::nullopt;
  }

  /// Whether a view gives an axis the size of its operand's neurons, whatever that is.
  bool is_measured(const Value* list, std::int64_t index, const Place& place, const Value* value, int depth) {
    if (list->node()->kind() != c10::prim::ListConstruct) {
      return false;
    }
    const auto axis = measured(list->node()->input(static_cast<std::size_t>(index)));
    return axis && axis->first == value && side_of(axis->second, place, value, depth) == Side::at;
  }

  std::unordered_map<const Value*, Found> places_;
  std::unordered_map<const Value*, Number> ranks_;
  std::unordered_map<const Value*, bool> weights_;
};

}  // namespace

std::optional<std::int64_t> neuron_axis_of(const Value* z) {
  const Found place = Walk().place_of(z, how_far_back);
  return place ? Number(place->axis) : std::nullopt;
}

bool is_neuron_axis(std::int64_t axis, const Value* z) {
  Walk walk;
  const Found place = walk.place_of(z, how_far_back);
  if (!place) {
    return false;
  }
  // A Linear on vectors [N, C] has its neurons on axis 1 and -1 alike.
  const bool is_other_end = (place->axis == -1 && axis == 1) || (place->axis == 1 && axis == -1);
  constexpr std::int64_t vectors = 2;
  return place->axis == axis || (is_other_end && walk.rank_of(z, how_far_back).value_or(vectors) == vectors);
}

std::int64_t resolve_neuron_axis(std::optional<std::int64_t> axis, std::int64_t rank) {
  if (axis) {
    return *axis < 0 ? *axis + rank : *axis;
  }
  constexpr std::int64_t sequence_rank = 3;
  return rank == sequence_rank ? 2 : 1;
}

}  // namespace pregrad::graph
