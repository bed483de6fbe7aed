#pragma once

#include <optional>
#include <string>

#include <torch/csrc/jit/ir/ir.h>

namespace pregrad::graph {

/// An activation as one node of a graph; its pre-activation is `z`, its activation the node's first output.
struct ActivationNode {
  std::string op;  ///< name without the mark of the in-place form, e.g. `relu`
  bool in_place = false;
  torch::jit::Value* z = nullptr;
};

/// What activation `node` is, if any. Softmax counts by its axis, which the caller must compare with the neuron axis.
std::optional<ActivationNode> as_activation(torch::jit::Node* node);

/// Whether `op` names an activation.
bool is_activation_name(const std::string& op);

/// The axis of a softmax node, if `node` is one and the axis is a constant.
std::optional<std::int64_t> softmax_axis(const torch::jit::Node* node);

}  // namespace pregrad::graph
