#pragma once

#include "readers/pt2/arguments.hpp"

namespace pregrad::pt2 {

/// Whether a node's target is an operator of LibTorch's dispatcher, such as `torch.ops.aten.linear.default`.
bool is_operator(const std::string& target);

/// Puts the operator of a node into the graph, arguments that the archive leaves out by their defaults, and defines its
/// outputs. Assertions become checks that stay; dropout that is not active leaves its input.
/// @throws UnsupportedModelError if this LibTorch has no such operator, ArchiveError if it takes other arguments
void add_operator(torch::jit::Graph& graph, const JsonValue& node, Values& values, c10::Device device);

}  // namespace pregrad::pt2
