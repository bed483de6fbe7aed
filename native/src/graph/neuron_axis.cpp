#include "graph/neuron_axis.hpp"

#include <string_view>
#include <unordered_set>

#include <torch/csrc/jit/ir/constants.h>

namespace pregrad::graph {

namespace {

using torch::jit::Node;
using torch::jit::Value;

bool is_one_of(std::string_view name, const std::unordered_set<std::string_view>& names) {
  return names.count(name) != 0;
}

std::optional<std::int64_t> axis_through(const Value* value, int depth);

/// An elementwise operation keeps the axis of whichever operand tells one.
std::optional<std::int64_t> axis_of_operands(const Node* node, int depth) {
  for (const Value* input : node->inputs().slice(0, std::min<std::size_t>(2, node->inputs().size()))) {
    if (input->type()->isSubtypeOf(*c10::TensorType::get())) {
      if (const auto axis = axis_through(input, depth - 1)) {
        return axis;
      }
    }
  }
  return std::nullopt;
}

std::optional<std::int64_t> axis_through(const Value* value, int depth) {
  static const std::unordered_set<std::string_view> last = {"linear", "addmm", "layer_norm", "rms_norm"};
  static const std::unordered_set<std::string_view> channel = {
      "_convolution",     "convolution",      "conv1d",
      "conv2d",           "conv3d",           "conv_transpose1d",
      "conv_transpose2d", "conv_transpose3d", "_convolution_mode",
      "batch_norm",       "group_norm",       "instance_norm"};
  static const std::unordered_set<std::string_view> elementwise = {
      "add",    "sub",   "mul", "div", "relu", "gelu",    "silu",     "tanh",       "sigmoid", "clone", "contiguous",
      "detach", "alias", "to",  "neg", "abs",  "dropout", "hardtanh", "leaky_relu", "elu",     "pow",   "clamp"};
  const Node* node = value->node();
  if (depth == 0 || !node->kind().is_aten()) {
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
  // A product with a weight is what Linear is made of; a product of two activations, as in attention, is not.
  if (name == "matmul") {
    const Node* weight = node->input(1)->node();
    const bool transposed = weight->kind() == c10::aten::t || weight->kind() == c10::aten::transpose;
    const bool constant = weight->kind() == c10::prim::Constant ||
                          (transposed && weight->input(0)->node()->kind() == c10::prim::Constant);
    return constant ? std::optional<std::int64_t>(-1) : std::nullopt;
  }
  return is_one_of(name, elementwise) ? axis_of_operands(node, depth) : std::nullopt;
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
