#include "graph/pointwise.hpp"

#include <algorithm>
#include <string_view>
#include <unordered_map>

#include <ATen/core/enum_tag.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/runtime/operator.h>

#include "graph/graph_checks.hpp"

namespace pregrad::graph {

using torch::jit::Block;
using torch::jit::Node;
using torch::jit::toIValue;
using torch::jit::Value;

namespace {

using Names = std::unordered_set<std::string_view>;

bool is_tensor(const Value* value) { return value->type()->isSubtypeOf(*c10::TensorType::get()); }

/// Pointwise operators that LibTorch 2.13 does not tag as such.
bool lacks_its_tag(const Node* node) {
  static const Names names = {"prelu",         "_prelu_kernel", "hardswish",     "log_sigmoid",  "where",
                              "rsub",          "masked_fill",   "special_erf",   "special_erfc", "special_expit",
                              "special_log1p", "special_exp2",  "special_expm1", "special_sinc", "special_ndtr",
                              "multiply",      "subtract",      "divide",        "negative",     "absolute",
                              "multiply_",     "subtract_",     "divide_",       "negative_",    "absolute_"};
  return names.count(node->kind().toUnqualString()) != 0;
}

bool has_pointwise_tag(const Node* node) {
  const torch::jit::Operator* const op = node->maybeOperator();
  if (op == nullptr) {
    return false;
  }
  const auto tags = op->getTags();
  return std::find(tags.begin(), tags.end(), at::Tag::pointwise) != tags.end();
}

bool is_passing(const Node* node, std::string_view name) {
  static const Names names = {"to",
                              "type_as",
                              "_to_copy",
                              "alias",
                              "clone",
                              "contiguous",
                              "float",
                              "half",
                              "lift_fresh_copy",
                              "_autocast_to_reduced_precision",
                              "_autocast_to_full_precision"};
  return names.count(name) != 0 || rewrites::is_inactive_dropout(node);
}

bool reads_only_first(const std::vector<std::size_t>& data_inputs) {
  return data_inputs.size() == 1 && data_inputs.front() == 0;
}

bool writes(const Node* node) {
  const auto* schema = node->maybeSchema();
  return schema == nullptr || schema->is_mutable();
}

bool is_affine(const Node* node, const std::string& name, const std::vector<std::size_t>& data_inputs) {
  static const Names sums = {"add", "sub", "rsub", "neg", "positive"};
  if (sums.count(name) != 0) {
    return true;
  }
  if (name == "mul") {
    return data_inputs.size() == 1;
  }
  if (name == "div") {
    return reads_only_first(data_inputs) && node->inputs().size() == 2;  // a third argument rounds
  }
  // A mask that is none of the data chooses; it does not bend.
  return (name == "where" || name == "masked_fill") &&
         std::find(data_inputs.begin(), data_inputs.end(), name == "where" ? 0U : 1U) == data_inputs.end();
}

}  // namespace

bool is_comparison(std::string_view name) {
  static const Names names = {"gt",          "lt",         "ge",          "le",          "eq",          "ne",
                              "greater",     "less",       "logical_and", "logical_or",  "logical_not", "logical_xor",
                              "bitwise_and", "bitwise_or", "bitwise_not", "bitwise_xor", "isnan",       "isinf",
                              "isfinite",    "__and__",    "__or__",      "__xor__",     "signbit",     "isclose"};
  return names.count(name) != 0;
}

bool reads_no_numbers(const Node* node) {
  static const Names names = {"zeros_like",   "ones_like",        "empty_like", "full_like", "rand_like",
                              "randn_like",   "new_zeros",        "new_ones",   "new_empty", "new_full",
                              "randint_like", "_shape_as_tensor", "size",       "sym_size",  "numel",
                              "dim",          "is_floating_point"};
  return node->kind().is_aten() && names.count(node->kind().toUnqualString()) != 0;
}

bool may_hold_tensors(const Value* value) {
  c10::TypePtr type = value->type();
  while (const auto list = type->cast<c10::ListType>()) {
    type = list->getElementType();
  }
  switch (type->kind()) {
    case c10::TypeKind::IntType:
    case c10::TypeKind::FloatType:
    case c10::TypeKind::BoolType:
    case c10::TypeKind::NumberType:
    case c10::TypeKind::StringType:
    case c10::TypeKind::NoneType:
    case c10::TypeKind::DeviceObjType:
    case c10::TypeKind::SymIntType:
      return false;
    default:
      return true;
  }
}

DataFlow::DataFlow(torch::jit::Graph& graph) {
  for (const Value* input : graph.inputs()) {
    if (may_hold_tensors(input)) {
      add(input);
    }
  }
  // What a loop writes, an earlier line of it reads.
  do {
    has_grown_ = false;
    visit(graph.block());
  } while (has_grown_);
}

void DataFlow::add(const Value* value) { has_grown_ = carrying_.insert(value).second || has_grown_; }

void DataFlow::add_written(const Value* value) {
  while (!carries(value) && may_hold_tensors(value)) {
    add(value);
    const Node* const node = value->node();
    if (node->inputs().empty() || !node->blocks().empty() || toIValue(node->input(0))) {
      return;
    }
    value = node->input(0);
  }
}

void DataFlow::visit(Block* block) {
  for (Node* node : block->nodes()) {
    for (Block* inner : node->blocks()) {
      for (const Value* input : inner->inputs()) {
        if (may_hold_tensors(input)) {
          add(input);
        }
      }
      visit(inner);
    }
    const bool reads_data = !node->blocks().empty() || std::any_of(node->inputs().begin(), node->inputs().end(),
                                                                   [&](const Value* input) { return carries(input); });
    if (!reads_data || reads_no_numbers(node)) {
      continue;
    }
    for (const Value* output : node->outputs()) {
      if (may_hold_tensors(output)) {
        add(output);
      }
    }
    const auto* schema = node->maybeSchema();
    if (schema != nullptr && schema->is_mutable() && !node->inputs().empty()) {
      add_written(node->input(0));
    }
  }
}

std::vector<std::size_t> DataFlow::data_inputs(const Node* node) const {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < node->inputs().size(); ++i) {
    if (carries(node->input(i)) && is_tensor(node->input(i))) {
      found.push_back(i);
    }
  }
  return found;
}

Role role_of(const Node* node, const std::vector<std::size_t>& data_inputs) {
  if (!node->kind().is_aten() || node->outputs().size() != 1 || data_inputs.empty() || !is_tensor(node->output())) {
    return Role::opaque;
  }
  const std::string name = operator_name(node);
  if (writes(node)) {
    return Role::opaque;
  }
  if (is_passing(node, name)) {
    return reads_only_first(data_inputs) || name == "type_as" || name == "to" ? Role::passing : Role::opaque;
  }
  if (!is_pointwise(node)) {
    return Role::opaque;
  }
  if (is_comparison(name)) {
    return Role::comparison;
  }
  return is_affine(node, name, data_inputs) ? Role::affine : Role::nonlinear;
}

bool is_pointwise(const Node* node) {
  return node->kind().is_aten() && (has_pointwise_tag(node) || lacks_its_tag(node));
}

std::string operator_name(const Node* node) {
  static const std::unordered_map<std::string_view, std::string_view> usual = {
      {"multiply", "mul"},        {"subtract", "sub"},          {"divide", "div"},        {"true_divide", "div"},
      {"negative", "neg"},        {"absolute", "abs"},          {"clip", "clamp"},        {"special_erf", "erf"},
      {"special_erfc", "erfc"},   {"special_expit", "sigmoid"}, {"special_sinc", "sinc"}, {"special_expm1", "expm1"},
      {"special_log1p", "log1p"}, {"special_exp2", "exp2"}};
  std::string name = node->kind().toUnqualString();
  if (name.size() > 1 && name.back() == '_' && name.front() != '_') {
    name.pop_back();
  }
  const auto found = usual.find(name);
  return found == usual.end() ? name : std::string(found->second);
}

const Value* input_named(const Node* node, const char* name) {
  return node->maybeSchema() != nullptr && node->hasNamedInput(name) ? node->namedInput(name) : nullptr;
}

bool is_convolution(std::string_view name) {
  static const Names names = {"_convolution",     "convolution",      "conv1d",           "conv2d",           "conv3d",
                              "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "_convolution_mode"};
  return names.count(name) != 0;
}

bool is_batch_norm(std::string_view name) {
  static const Names names = {"batch_norm",
                              "native_batch_norm",
                              "_native_batch_norm_legit",
                              "_native_batch_norm_legit_no_training",
                              "_native_batch_norm_legit_functional",
                              "_batch_norm_with_update",
                              "_batch_norm_no_update"};
  return names.count(name) != 0;
}

bool hands_on(std::string_view name) {
  static const Names names = {"contiguous",
                              "clone",
                              "detach",
                              "alias",
                              "to",
                              "_to_copy",
                              "lift_fresh_copy",
                              "_autocast_to_reduced_precision",
                              "_autocast_to_full_precision",
                              "type_as",
                              "dropout",
                              "feature_dropout",
                              "alpha_dropout",
                              "native_dropout"};
  return names.count(name) != 0;
}

bool reduces_axes(std::string_view name) {
  static const Names names = {"mean",
                              "sum",
                              "amax",
                              "amin",
                              "max",
                              "min",
                              "median",
                              "prod",
                              "norm",
                              "var",
                              "logsumexp",
                              "std",
                              "nanmean",
                              "nansum",
                              "all",
                              "any",
                              "linalg_vector_norm"};
  return names.count(name) != 0;
}

bool is_normalisation(const Node* node) {
  static const Names names = {"batch_norm",        "native_batch_norm", "_native_batch_norm_legit_no_training",
                              "layer_norm",        "native_layer_norm", "group_norm",
                              "native_group_norm", "instance_norm",     "rms_norm"};
  return node->kind().is_aten() && names.count(node->kind().toUnqualString()) != 0;
}

}  // namespace pregrad::graph
