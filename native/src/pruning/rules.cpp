#include "pruning/rules.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <set>
#include <unordered_set>
#include <utility>

#include <ATen/Functions.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/jit/ir/constants.h>

#include "graph/pointwise.hpp"

namespace pregrad::pruning {

using graph::input_named;
using graph::is_convolution;
using torch::jit::Node;
using torch::jit::toIValue;
using torch::jit::Value;

namespace {

using Names = std::unordered_set<std::string_view>;

bool is_one_of(std::string_view name, const Names& names) { return names.count(name) != 0; }

bool is_tensor(const Value* value) {
  return value->type()->isSubtypeOf(*c10::OptionalType::ofTensor()) && !value->mustBeNone();
}

}  // namespace

std::vector<const Value*> tensors_read(const Node* node) {
  std::vector<const Value*> tensors;
  for (const Value* input : node->inputs()) {
    if (is_tensor(input)) {
      tensors.push_back(input);
    } else if (input->node()->kind() == c10::prim::ListConstruct) {
      std::copy_if(input->node()->inputs().begin(), input->node()->inputs().end(), std::back_inserter(tensors),
                   is_tensor);
    }
  }
  return tensors;
}

std::vector<std::vector<const Value*>> tensors_made(const Node* node) {
  std::vector<std::vector<const Value*>> made;
  for (const Value* output : node->outputs()) {
    if (is_tensor(output)) {
      made.push_back({output});
      continue;
    }
    if (!output->type()->isSubtypeOf(*c10::ListType::ofTensors())) {
      continue;
    }
    for (const torch::jit::Use& use : output->uses()) {
      const auto add = [&](std::size_t number, const Value* value) {
        made.resize(std::max(made.size(), number + 1));
        made[number].push_back(value);
      };
      const auto index =
          use.user->kind() == c10::aten::__getitem__ ? toIValue(use.user->input(1)) : std::optional<c10::IValue>();
      if (use.user->kind() == c10::prim::ListUnpack) {
        for (const Value* unpacked : use.user->outputs()) {
          add(unpacked->offset(), unpacked);
        }
      } else if (index && index->isInt() && index->toInt() >= 0) {
        add(static_cast<std::size_t>(index->toInt()), use.user->output());
      }
    }
  }
  return made;
}

at::Tensor tensor_of(const Value* value, const Values& values) {
  const auto known = values.find(value);
  const auto found = known != values.end() ? std::optional(known->second) : toIValue(value);
  return found && found->isTensor() ? found->toTensor() : at::Tensor();
}

std::string name_of(const Node* node) {
  const bool is_known = node->kind().is_aten() || std::string_view(node->kind().ns().toUnqualString()) == "pregrad";
  return is_known ? graph::operator_name(node) : "";
}

bool is_movement(std::string_view name) {
  static const Names names = {"view",
                              "reshape",
                              "_unsafe_view",
                              "_reshape_alias",
                              "flatten",
                              "unflatten",
                              "permute",
                              "transpose",
                              "t",
                              "numpy_T",
                              "unsqueeze",
                              "squeeze",
                              "select",
                              "slice",
                              "narrow",
                              "chunk",
                              "split",
                              "split_with_sizes",
                              "cat",
                              "concat",
                              "stack",
                              "expand",
                              "expand_as",
                              "repeat",
                              "roll",
                              "flip",
                              "index_select",
                              "movedim",
                              "unbind",
                              "pixel_shuffle",
                              "swapaxes",
                              "swapdims",
                              "moveaxis",
                              "pixel_unshuffle",
                              "channel_shuffle",
                              "native_channel_shuffle",
                              "view_as",
                              "reshape_as",
                              "constant_pad_nd",
                              "repeat_interleave",
                              "tensor_split",
                              "unsafe_chunk",
                              "unsafe_split"};
  return is_one_of(name, names);
}

namespace {

/// Operators that make of each element one, in the same place.
bool keeps_elements(std::string_view name) {
  static const Names names = {"zeros_like",           "ones_like", "full_like",  "empty_like", "rand_like",
                              "masked_fill",          "where",     "lift_fresh", "fill",       "dropout2d",
                              "feature_alpha_dropout"};
  return graph::hands_on(name) || is_one_of(name, names);
}

/// Operators on windows of positions, which leave samples and channels alone.
bool pools(std::string_view name) {
  return name.find("_pool") != std::string_view::npos || name.starts_with("upsample_") ||
         name.starts_with("_upsample_") || name.starts_with("reflection_pad") || name.starts_with("replication_pad");
}

bool normalises_channels(std::string_view name) {
  return graph::is_batch_norm(name) || name == "instance_norm" || name == "cudnn_batch_norm";
}

/// Operators that take the elements along some axes, their `dim`, together.
bool reduces(std::string_view name) { return graph::reduces_axes(name) || name == "argmax" || name == "argmin"; }

/// Operators whose elements are made of those along one axis, their `dim`, with the shape as it was.
bool runs_along(std::string_view name) {
  static const Names names = {"softmax", "log_softmax", "_softmax", "_log_softmax", "cumsum", "cumprod", "softmin"};
  return is_one_of(name, names);
}

bool makes_constant(std::string_view name) {
  static const Names names = {"zeros",    "ones",     "full",      "empty", "new_zeros",
                              "new_ones", "new_full", "new_empty", "rand",  "arange"};
  return is_one_of(name, names);
}

/// The rule of one node, as far as it is made.
class RuleMaker {
 public:
  RuleMaker(const Node* node, const Values& values)
      : node_(node), values_(values), read_(tensors_read(node)), made_(tensors_made(node)) {}

  Rule made() {
    const std::string name = name_of(node_);
    if (name.empty()) {
      rule_.limits = "is no operator that it follows";
    } else if (is_movement(name)) {
      add_movement(name);
    } else if (name == "prelu" || name == "_prelu_kernel") {
      add_prelu();
    } else if (keeps_elements(name) || graph::is_pointwise(node_)) {
      add_pointwise();
    } else if (pools(name)) {
      add_leading_axes();
    } else if (name == "linear") {
      add_linear(node_->input(0), node_->input(1), 1, 0, input_named(node_, "bias"));
    } else if (is_convolution(name)) {
      add_convolution(name);
    } else if (normalises_channels(name)) {
      add_channels(1);
    } else if (name == "group_norm" || name == "native_group_norm") {
      add_channels(number(name == "group_norm" ? "num_groups" : "group"));
    } else if (name == "layer_norm" || name == "native_layer_norm" || name == "rms_norm" || name == "_fused_rms_norm") {
      add_normalised_shape();
    } else if (name == "mm" || name == "matmul" || name == "bmm") {
      add_product(node_->input(0), node_->input(1));
    } else if (name == "addmm" || name == "baddbmm") {
      add_product(node_->input(1), node_->input(2));
      add_broadcast(node_->input(0));
    } else if (reduces(name)) {
      add_reduction(name);
    } else if (runs_along(name)) {
      add_all_but_one();
    } else if (name == "embedding") {
      add_embedding();
    } else if (name == "scaled_dot_product_attention") {
      add_attention();
    } else if (!makes_constant(name)) {
      rule_.limits = "is no operator that it follows";
    } else {
      for (const auto& same : made_) {
        link_same(same.front(), same.front());
      }
    }
    return std::move(rule_);
  }

 private:
  at::Tensor tensor(const Value* value) const { return tensor_of(value, values_); }
  std::int64_t rank(const Value* value) const {
    const at::Tensor found = tensor(value);
    return found.defined() ? found.dim() : 0;
  }
  std::int64_t size(const Value* value, std::int64_t axis) const { return tensor(value).size(axis); }
  bool is_there(const Value* value) const { return value != nullptr && tensor(value).defined(); }

  std::optional<c10::IValue> argument(const char* name) const {
    const Value* const value = input_named(node_, name);
    if (value == nullptr) {
      return std::nullopt;
    }
    const auto known = values_.find(value);
    return known != values_.end() ? std::optional(known->second) : toIValue(value);
  }
  std::int64_t number(const char* name) const {
    const auto found = argument(name);
    return found && found->isInt() ? found->toInt() : 1;
  }
  bool flag(const char* name) const {
    const auto found = argument(name);
    return found && found->isBool() && found->toBool();
  }

  void link(const Value* from, std::int64_t from_axis, const Value* to, std::int64_t to_axis,
            std::vector<std::int64_t> source = {}, bool is_partial = false) {
    rule_.links.push_back({from, from_axis, to, to_axis, std::move(source), is_partial});
  }
  /// Links axes of one size, unless it is 1.
  void link_equal(const Value* from, std::int64_t from_axis, const Value* to, std::int64_t to_axis) {
    if (size(from, from_axis) == size(to, to_axis) && size(to, to_axis) > 1) {
      link(from, from_axis, to, to_axis);
    }
  }
  void link_same(const Value* from, const Value* to) {
    for (std::int64_t axis = 0; axis < rank(from); ++axis) {
      link_equal(from, axis, to, axis);
    }
  }

  const Value* result() const { return made_.empty() ? nullptr : made_.front().front(); }

  /// `value` is spread over the result, from the last axis on.
  void add_broadcast(const Value* value) {
    for (const auto& made : made_) {
      const std::int64_t shift = rank(made.front()) - rank(value);
      for (std::int64_t axis = 0; shift >= 0 && axis < rank(value); ++axis) {
        link_equal(value, axis, made.front(), axis + shift);
      }
    }
  }

  void add_pointwise() {
    for (const Value* value : read_) {
      add_broadcast(value);
    }
  }

  void add_prelu() {
    link_same(node_->input(0), result());
    if (size(node_->input(1), 0) > 1 || rank(node_->input(1)) > 1) {
      rank(node_->input(1)) == 1 ? link_equal(node_->input(1), 0, result(), 1) : add_broadcast(node_->input(1));
    }
  }

  void add_leading_axes() {
    for (const auto& made : made_) {
      for (std::int64_t axis = 0; axis < 2 && axis < rank(made.front()); ++axis) {
        link_equal(read_.front(), axis, made.front(), axis);
      }
    }
    rule_.limits = "takes neighbours along that axis together";
  }

  void add_linear(const Value* input, const Value* weight, std::int64_t in_axis, std::int64_t out_axis,
                  const Value* bias) {
    const Value* const output = result();
    const std::int64_t last = rank(input) - 1;
    for (std::int64_t axis = 0; axis < last; ++axis) {
      link_equal(input, axis, output, axis);
    }
    contract(input, last, weight, in_axis);
    link(weight, out_axis, output, rank(output) - 1);
    if (is_there(bias)) {
      link(bias, rank(bias) - 1, output, rank(output) - 1);
    }
  }

  void contract(const Value* left, std::int64_t left_axis, const Value* right, std::int64_t right_axis) {
    link(left, left_axis, right, right_axis);
    rule_.contractions.push_back({left, left_axis, right, right_axis, false});
  }

  void add_convolution(const std::string& name) {
    const Value* const input = node_->input(0);
    const Value* const weight = node_->input(1);
    const Value* const bias = node_->input(2);
    const Value* const output = result();
    rule_.limits = "takes neighbours along that axis together";
    if (rank(input) != rank(weight)) {
      return;
    }
    const bool is_transposed = name.find("transpose") != std::string::npos || flag("transposed");
    const std::int64_t groups = number("groups");
    const std::int64_t channels = size(input, 1);
    const std::int64_t made = size(output, 1);
    link_equal(input, 0, output, 0);
    if (is_there(bias)) {
      link(bias, 0, output, 1);
    }
    if (groups == 1) {
      contract(input, 1, weight, is_transposed ? 0 : 1);
      link(weight, is_transposed ? 1 : 0, output, 1);
      return;
    }
    if (is_transposed) {
      rule_.limits = "is a transposed convolution in groups, which it does not follow";
      return;
    }
    link(weight, 0, output, 1);
    if (groups == channels) {
      link(input, 1, output, 1, spread(made, made / channels, 0));
      return;
    }
    // Each group reads with the same weights' places: one goes of every group or of none.
    const std::int64_t per_group = channels / groups;
    std::vector<std::int64_t> source;
    for (std::int64_t i = 0; i < channels; ++i) {
      source.push_back(i % per_group);
    }
    link(weight, 1, input, 1, std::move(source));
    rule_.contractions.push_back({input, 1, nullptr, 0, false});
    rule_.groups.push_back({output, 1, groups, false});
  }

  static std::vector<std::int64_t> spread(std::int64_t count, std::int64_t per_index, std::int64_t first) {
    std::vector<std::int64_t> source;
    for (std::int64_t i = 0; i < count; ++i) {
      source.push_back(first + i / per_index);
    }
    return source;
  }

  void add_channels(std::int64_t groups) {
    const Value* const input = node_->input(0);
    const Value* const output = result();
    link_same(input, output);
    for (std::size_t i = 1; i < read_.size(); ++i) {
      if (rank(read_[i]) == 1) {
        link_equal(read_[i], 0, output, 1);
      }
    }
    if (groups > 1 || name_of(node_).find("group_norm") != std::string::npos) {
      rule_.groups.push_back({output, 1, groups, true});
    }
  }

  void add_normalised_shape() {
    const auto shape = argument("normalized_shape");
    const std::int64_t normalised =
        shape && shape->isIntList() ? static_cast<std::int64_t>(shape->toIntVector().size()) : rank(node_->input(0));
    for (std::int64_t axis = 0; axis < rank(node_->input(0)) - normalised; ++axis) {
      link_equal(node_->input(0), axis, result(), axis);
    }
    rule_.limits = "normalises over that axis, and would over fewer";
  }

  /// [..., i, k] by [..., k, j].
  void add_product(const Value* left, const Value* right) {
    const std::int64_t left_rank = rank(left);
    const std::int64_t right_rank = rank(right);
    const Value* const output = result();
    if (left_rank < 2 || right_rank < 2) {
      rule_.limits = "is a product with a vector, which it does not follow";
      return;
    }
    const std::int64_t output_rank = rank(output);
    contract(left, left_rank - 1, right, right_rank - 2);
    link(left, left_rank - 2, output, output_rank - 2);
    link(right, right_rank - 1, output, output_rank - 1);
    for (const Value* value : {left, right}) {
      for (std::int64_t axis = 0; axis < rank(value) - 2; ++axis) {
        link_equal(value, axis, output, axis + output_rank - rank(value));
      }
    }
  }

  void add_reduction(const std::string& name) {
    const Value* const input = node_->input(0);
    rule_.limits = "takes that axis together";
    const auto axes = argument("dim");
    if (!axes || axes->isNone() || result() == nullptr) {
      return;
    }
    std::set<std::int64_t> reduced;
    for (const std::int64_t axis : axes->isInt() ? std::vector<std::int64_t>{axes->toInt()} : axes->toIntVector()) {
      reduced.insert(axis < 0 ? axis + rank(input) : axis);
    }
    if (reduced.empty()) {
      return;
    }
    std::int64_t to = 0;
    for (std::int64_t axis = 0; axis < rank(input); ++axis) {
      if (reduced.count(axis) == 0) {
        for (const auto& made : made_) {
          link_equal(input, axis, made.front(), to);
        }
      } else if (name == "sum") {
        rule_.contractions.push_back({input, axis, nullptr, 0, true});
      }
      to += reduced.count(axis) == 0 || flag("keepdim") ? 1 : 0;
    }
  }

  void add_all_but_one() {
    const Value* const input = node_->input(0);
    const std::int64_t dim = number("dim");
    for (std::int64_t axis = 0; axis < rank(input); ++axis) {
      if (axis != (dim < 0 ? dim + rank(input) : dim)) {
        link_equal(input, axis, result(), axis);
      }
    }
    rule_.limits = "takes that axis together, where what is 0 counts too";
  }

  void add_embedding() {
    link(node_->input(0), 1, result(), rank(result()) - 1);
    for (std::int64_t axis = 0; axis < rank(node_->input(1)); ++axis) {
      link_equal(node_->input(1), axis, result(), axis);
    }
    rule_.limits = "chooses rows by number";
  }

  void add_attention() {
    const Value* const query = node_->input(0);
    const Value* const key = node_->input(1);
    const Value* const value = node_->input(2);
    const Value* const output = result();
    const std::int64_t axes = rank(query);
    rule_.limits = "takes that axis together";
    if (rank(key) != axes || rank(value) != axes || flag("enable_gqa")) {
      return;
    }
    for (std::int64_t axis = 0; axis < axes - 2; ++axis) {
      for (const Value* each : {query, key, value}) {
        link_equal(each, axis, output, axis);
      }
    }
    link_equal(query, axes - 2, output, axes - 2);
    link(value, axes - 1, output, axes - 1);
    if (const auto scale = argument("scale"); scale && !scale->isNone()) {
      contract(query, axes - 1, key, axes - 1);
    } else {
      rule_.limits = "divides by the root of that axis's size";
    }
    const Value* const mask = input_named(node_, "attn_mask");
    for (std::int64_t axis = 0; is_there(mask) && axis < rank(mask) - 2; ++axis) {
      link_equal(mask, axis, output, axis + axes - rank(mask));
    }
  }

  // Operators that lay elements out anew are shown numbers in the place of elements, which tell where each came from.

  void add_movement(const std::string& name) {
    const at::NoGradGuard no_gradients;
    rule_.limits = "lays that axis out with others, so that what goes is no index of an axis";
    std::vector<const Value*> moved = read_;
    if (name.ends_with("_as")) {  // the other operand gives its sizes
      moved.resize(1);
      link_same(read_[1], result());
    }
    if (name == "index_select" || name == "repeat_interleave") {
      moved.resize(1);
    }
    std::unordered_map<const Value*, std::int64_t> firsts;
    std::unordered_map<const Value*, c10::IValue> numbered;
    std::int64_t first = 1;  // 0 is what comes from nowhere, as a pad does
    for (const Value* value : moved) {
      if (firsts.emplace(value, first).second) {
        const at::Tensor like = tensor(value);
        const at::TensorOptions options = at::TensorOptions().dtype(at::kDouble);
        numbered.emplace(value, at::arange(first, first + like.numel(), options).reshape(like.sizes()));
        first += like.numel();
      }
    }
    torch::jit::Stack stack;
    for (const Value* input : node_->inputs()) {
      stack.push_back(shown(input, numbered));
    }
    node_->getOperation()(stack);
    std::vector<at::Tensor> results;
    for (const c10::IValue& value : stack) {
      if (value.isTensor()) {
        results.push_back(value.toTensor());
      } else if (value.isTensorList()) {
        for (const at::Tensor& each : value.toTensorVector()) {
          results.push_back(each);
        }
      }
    }
    for (std::size_t i = 0; i < results.size() && i < made_.size(); ++i) {
      if (made_[i].empty()) {
        continue;
      }
      for (const auto& [value, number] : firsts) {
        link_moved(value, number, made_[i].front(), results[i].to(at::kLong));
      }
      for (const Value* same : made_[i]) {
        if (same != made_[i].front()) {
          link_same(same, made_[i].front());
        }
      }
    }
  }

  c10::IValue shown(const Value* input, const std::unordered_map<const Value*, c10::IValue>& numbered) const {
    if (const auto found = numbered.find(input); found != numbered.end()) {
      return found->second;
    }
    const auto known = values_.find(input);
    if (input->node()->kind() == c10::prim::ListConstruct && input->type()->isSubtypeOf(*c10::ListType::ofTensors())) {
      c10::List<at::Tensor> list;
      for (const Value* element : input->node()->inputs()) {
        list.push_back(shown(element, numbered).toTensor());
      }
      return list;
    }
    const c10::IValue value = known != values_.end() ? known->second : toIValue(input).value_or(c10::IValue());
    return value.isTensor() ? c10::IValue(value.toTensor().cpu()) : value;
  }

  /// Links those axes of `from` and `to` of which the index in one tells that in the other.
  /// @param numbers of the elements of `to`: those of `from` are numbered from `first`
  void link_moved(const Value* from, std::int64_t first, const Value* to, const at::Tensor& numbers) {
    const at::Tensor source = tensor(from);
    const at::Tensor is_from = numbers.ge(first).logical_and(numbers.lt(first + source.numel()));
    const at::Tensor elements = numbers.sub(first);
    const at::Tensor used = elements.masked_select(is_from);
    for (std::int64_t axis = 0; axis < source.dim(); ++axis) {
      const at::Tensor of_source = axis_indices(source.sizes(), axis);
      const at::Tensor moved = of_source.reshape({-1})
                                   .index_select(0, elements.masked_fill(is_from.logical_not(), 0).reshape({-1}))
                                   .reshape(numbers.sizes())
                                   .masked_fill(is_from.logical_not(), -1);
      for (std::int64_t to_axis = 0; to_axis < numbers.dim(); ++to_axis) {
        if (source.size(axis) < 2 || numbers.size(to_axis) < 2) {
          continue;
        }
        if (auto told = told_by(moved, moved, to_axis)) {
          link(from, axis, to, to_axis, std::move(*told));
        }
        const at::Tensor of_numbers = axis_indices(numbers.sizes(), to_axis).masked_select(is_from);
        const at::Tensor none = at::full({source.numel()}, -1, at::kLong);
        const at::Tensor most = none.scatter_reduce(0, used, of_numbers, "amax").reshape(source.sizes());
        const at::Tensor least =
            none.scatter_reduce(0, used, of_numbers, "amin", /*include_self=*/false).reshape(source.sizes());
        if (auto told = told_by(most, least, axis)) {
          link(to, to_axis, from, axis, std::move(*told), /*is_partial=*/true);
        }
      }
    }
  }

  /// Of each element of a tensor of that shape: its index along the axis.
  static at::Tensor axis_indices(at::IntArrayRef shape, std::int64_t axis) {
    std::vector<std::int64_t> one(shape.size(), 1);
    one[static_cast<std::size_t>(axis)] = shape[static_cast<std::size_t>(axis)];
    return at::arange(shape[static_cast<std::size_t>(axis)], at::kLong).reshape(one).expand(shape).contiguous();
  }

  /// What all elements of an index of `axis` are, those that are −1 aside; empty unless they are all the same, or if
  /// there is only one such number.
  static std::optional<std::vector<std::int64_t>> told_by(const at::Tensor& most, const at::Tensor& least,
                                                          std::int64_t axis) {
    const auto rows = [&](const at::Tensor& values) {
      return values.movedim(axis, 0).reshape({values.size(axis), -1});
    };
    const at::Tensor highest = std::get<0>(rows(most).max(1));
    const at::Tensor bounded = rows(least);
    const at::Tensor lowest =
        std::get<0>(bounded.masked_fill(bounded.lt(0), std::numeric_limits<std::int64_t>::max()).min(1));
    if (!highest.eq(lowest).logical_or(highest.lt(0)).all().item<bool>()) {
      return std::nullopt;
    }
    const at::Tensor values = highest.contiguous();
    std::vector<std::int64_t> told(values.const_data_ptr<std::int64_t>(),
                                   values.const_data_ptr<std::int64_t>() + values.numel());
    std::set<std::int64_t> different(told.begin(), told.end());
    different.erase(-1);
    return different.size() > 1 ? std::optional(std::move(told)) : std::nullopt;
  }

  const Node* node_;
  const Values& values_;
  std::vector<const Value*> read_;
  std::vector<std::vector<const Value*>> made_;
  Rule rule_;
};

}  // namespace

Rule rule_of(const Node* node, const Values& values) { return RuleMaker(node, values).made(); }

}  // namespace pregrad::pruning
