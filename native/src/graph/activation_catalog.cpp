#include "graph/activation_catalog.hpp"

#include <string_view>
#include <unordered_set>

#include <torch/csrc/jit/ir/constants.h>

namespace pregrad::graph {

namespace {

using torch::jit::Node;
using torch::jit::toIValue;
using torch::jit::Value;

const std::unordered_set<std::string_view>& elementwise_activations() {
  static const std::unordered_set<std::string_view> names = {
      "relu", "relu6",    "leaky_relu", "prelu",       "rrelu",    "elu",     "selu",        "celu", "gelu",     "silu",
      "mish", "softplus", "hardswish",  "hardsigmoid", "hardtanh", "sigmoid", "log_sigmoid", "tanh", "threshold"};
  return names;
}

bool is_scalar(const Value* value, double expected) {
  const auto constant = toIValue(value);
  if (!constant) {
    return false;
  }
  // Tracing turns numbers into tensors without axes.
  if (constant->isTensor() && constant->toTensor().numel() == 1) {
    return constant->toTensor().item<double>() == expected;
  }
  return constant->isScalar() && constant->toScalar().toDouble() == expected;
}

/// softsign has no operator of its own: z / (|z| + 1).
std::optional<ActivationNode> as_softsign(Node* node) {
  if (node->kind() != c10::aten::div || node->inputs().size() < 2) {
    return std::nullopt;
  }
  Value* z = node->input(0);
  const Node* sum = node->input(1)->node();
  if (sum->kind() != c10::aten::add || sum->inputs().size() < 2 || !is_scalar(sum->input(1), 1.0)) {
    return std::nullopt;
  }
  const Node* magnitude = sum->input(0)->node();
  if (magnitude->kind() != c10::aten::abs || magnitude->input(0) != z) {
    return std::nullopt;
  }
  return ActivationNode{"softsign", false, z};
}

std::string canonical_op(std::string name, const Node* node) {
  if (name == "_prelu_kernel") {
    return "prelu";
  }
  if (name == "rrelu_with_noise") {
    return "rrelu";
  }
  // nn.ReLU6 is a Hardtanh between 0 and 6.
  if (name == "hardtanh" && is_scalar(node->input(1), 0.0) && is_scalar(node->input(2), 6.0)) {
    return "relu6";
  }
  return name;
}

}  // namespace

std::optional<std::int64_t> softmax_axis(const Node* node) {
  const std::string_view kind = node->kind().toUnqualString();
  const bool is_softmax = kind == "softmax" || kind == "log_softmax" || kind == "_softmax" || kind == "_log_softmax";
  if (!node->kind().is_aten() || !is_softmax) {
    return std::nullopt;
  }
  const auto axis = toIValue(node->input(1));
  return axis && axis->isInt() ? std::optional<std::int64_t>(axis->toInt()) : std::nullopt;
}

bool is_activation_name(const std::string& op) {
  return elementwise_activations().count(op) != 0 || op == "softsign" || op == "softmax" || op == "log_softmax";
}

std::optional<ActivationNode> as_activation(Node* node) {
  if (!node->kind().is_aten() || node->inputs().empty() || node->outputs().empty() ||
      !node->input(0)->type()->isSubtypeOf(*c10::TensorType::get())) {
    return std::nullopt;
  }
  std::string name = node->kind().toUnqualString();
  if (softmax_axis(node)) {
    // Its decomposed form has an underscore in front.
    return ActivationNode{name.substr(name.find_first_not_of('_')), false, node->input(0)};
  }
  if (auto softsign = as_softsign(node)) {
    return softsign;
  }
  const bool in_place = name.size() > 1 && name.back() == '_';
  if (in_place) {
    name.pop_back();
  }
  name = canonical_op(std::move(name), node);
  if (elementwise_activations().count(name) == 0) {
    return std::nullopt;
  }
  return ActivationNode{std::move(name), in_place, node->input(0)};
}

}  // namespace pregrad::graph
