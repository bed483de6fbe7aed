#include "graph/neuron_axis.hpp"

#include <string_view>
#include <unordered_set>

#include <torch/csrc/jit/ir/constants.h>

#include "graph/pointwise.hpp"

namespace pregrad::graph {

namespace {

using torch::jit::Node;
using torch::jit::Value;

bool is_one_of(std::string_view name, const std::unordered_set<std::string_view>& names) {
  return names.count(name) != 0;
}

std::optional<std::int64_t> axis_through(const Value* value, int depth);

/// The axis of whichever of the first operands tells one.
std::optional<std::int64_t> axis_of_operands(const Node* node, int depth) {
  constexpr std::size_t operands = 3;
  for (const Value* input : node->inputs().slice(0, std::min(operands, node->inputs().size()))) {
    if (input->type()->isSubtypeOf(*c10::TensorType::get())) {
      if (const auto axis = axis_through(input, depth - 1)) {
        return axis;
      }
    }
  }
  return std::nullopt;
}

/// Chunks of a tensor have its axes.
std::optional<std::int64_t> axis_of_part(const Node* node, int depth) {
  static const std::unordered_set<std::string_view> parting = {"chunk", "split", "split_with_sizes", "tensor_split"};
  return node->kind().is_aten() && is_one_of(node->kind().toUnqualString(), parting)
             ? axis_through(node->input(0), depth - 1)
             : std::nullopt;
}

/// Where the axis goes in a permutation or the exchange of two axes that are constants.
std::optional<std::int64_t> moved_axis(const Node* node, int depth) {
  const auto before = axis_through(node->input(0), depth - 1);
  const auto first = torch::jit::toIValue(node->input(1));
  if (!before || !first) {
    return std::nullopt;
  }
  if (first->isIntList()) {
    const auto order = first->toIntVector();
    const auto rank = static_cast<std::int64_t>(order.size());
    for (std::int64_t i = 0; i < rank; ++i) {
      if ((order[static_cast<std::size_t>(i)] + rank) % rank == (*before + rank) % rank) {
        return i;
      }
    }
    return std::nullopt;
  }
  const auto second = torch::jit::toIValue(node->input(2));
  if (!first->isInt() || !second || !second->isInt()) {
    return std::nullopt;
  }
  // Without a rank, -1 and 2 are taken for one axis, as they are in a sequence [N, S, C].
  const auto counted = [](std::int64_t axis) { return axis < 0 ? axis + 3 : axis; };
  if (counted(*before) == counted(first->toInt())) {
    return second->toInt();
  }
  return counted(*before) == counted(second->toInt()) ? first->toInt() : before;
}

bool is_product_of_rows(const Node* node) { return node->kind() == c10::aten::addmm || node->kind() == c10::aten::mm; }

std::optional<std::int64_t> axis_through(const Value* value, int depth) {
  static const std::unordered_set<std::string_view> last = {"linear", "addmm", "layer_norm", "native_layer_norm",
                                                            "rms_norm"};
  static const std::unordered_set<std::string_view> channel = {"_convolution",
                                                               "convolution",
                                                               "conv1d",
                                                               "conv2d",
                                                               "conv3d",
                                                               "conv_transpose1d",
                                                               "conv_transpose2d",
                                                               "conv_transpose3d",
                                                               "_convolution_mode",
                                                               "batch_norm",
                                                               "group_norm",
                                                               "instance_norm",
                                                               "native_batch_norm",
                                                               "native_group_norm",
                                                               "_native_batch_norm_legit_no_training"};
  // Operations whose result has the axes of their operands, in their order.
  static const std::unordered_set<std::string_view> keeping = {"contiguous",
                                                               "detach",
                                                               "alias",
                                                               "to",
                                                               "_autocast_to_reduced_precision",
                                                               "_autocast_to_full_precision",
                                                               "type_as",
                                                               "dropout",
                                                               "feature_dropout",
                                                               "alpha_dropout",
                                                               "roll",
                                                               "flip",
                                                               "slice",
                                                               "narrow",
                                                               "glu",
                                                               "cumsum",
                                                               "pad",
                                                               "constant_pad_nd",
                                                               "reflection_pad1d",
                                                               "reflection_pad2d",
                                                               "replication_pad1d",
                                                               "replication_pad2d",
                                                               "max_pool1d",
                                                               "max_pool2d",
                                                               "max_pool3d",
                                                               "avg_pool1d",
                                                               "avg_pool2d",
                                                               "avg_pool3d",
                                                               "adaptive_avg_pool1d",
                                                               "adaptive_avg_pool2d",
                                                               "adaptive_max_pool1d",
                                                               "adaptive_max_pool2d",
                                                               "lp_pool1d",
                                                               "upsample_nearest1d",
                                                               "upsample_nearest2d",
                                                               "upsample_linear1d",
                                                               "upsample_bilinear2d",
                                                               "upsample_bicubic2d",
                                                               "max_pool1d_with_indices",
                                                               "max_pool2d_with_indices"};
  const Node* node = value->node();
  if (depth == 0) {
    return std::nullopt;
  }
  if (node->kind() == c10::prim::ListUnpack) {
    return axis_of_part(node->input()->node(), depth);
  }
  if (node->kind() == c10::prim::If) {
    for (const torch::jit::Block* branch : node->blocks()) {
      if (const auto axis = axis_through(branch->outputs()[value->offset()], depth - 1)) {
        return axis;
      }
    }
    return std::nullopt;
  }
  if (!node->kind().is_aten()) {
    return std::nullopt;
  }
  std::string_view name = node->kind().toUnqualString();
  if (name.size() > 1 && name.back() == '_') {
    name.remove_suffix(1);
  }
  if (is_one_of(name, last)) {
    return -1;
  }
  if (is_one_of(name, channel)) {
    return 1;
  }
  // Linear on sequences decomposes into a product of flattened rows, which are put back into their places.
  if (name == "view" && is_product_of_rows(node->input(0)->node())) {
    return -1;
  }
  // A product with a weight is what Linear is made of; a product of two activations, as in attention, is not.
  if (name == "matmul" || name == "mm") {
    const Node* weight = node->input(1)->node();
    const bool transposed = weight->kind() == c10::aten::t || weight->kind() == c10::aten::transpose ||
                            weight->kind() == c10::aten::permute;
    const bool constant = weight->kind() == c10::prim::Constant ||
                          (transposed && weight->input(0)->node()->kind() == c10::prim::Constant);
    return constant ? std::optional<std::int64_t>(-1) : std::nullopt;
  }
  if (name == "permute" || name == "transpose") {
    return moved_axis(node, depth);
  }
  if ((name == "cat" || name == "concat") && node->input(0)->node()->kind() == c10::prim::ListConstruct) {
    return axis_of_operands(node->input(0)->node(), depth);
  }
  // Axes behind the channels come together, as in patches [N, C, H·W].
  if (name == "flatten" && torch::jit::toIValue(node->input(1)) == c10::IValue(2)) {
    const auto axis = axis_through(node->input(0), depth - 1);
    return axis == 1 ? axis : std::nullopt;
  }
  return is_one_of(name, keeping) || is_pointwise(node) ? axis_of_operands(node, depth) : std::nullopt;
}

}  // namespace

std::optional<std::int64_t> neuron_axis_of(const Value* z) {
  constexpr int how_far_back = 16;
  return axis_through(z, how_far_back);
}

std::int64_t resolve_neuron_axis(std::optional<std::int64_t> axis, std::int64_t rank) {
  if (axis) {
    return *axis < 0 ? *axis + rank : *axis;
  }
  constexpr std::int64_t sequence_rank = 3;
  return rank == sequence_rank ? 2 : 1;
}

}  // namespace pregrad::graph
