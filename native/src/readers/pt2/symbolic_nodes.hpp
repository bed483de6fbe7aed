#pragma once

#include "readers/pt2/arguments.hpp"

namespace pregrad::pt2 {

/// Puts arithmetic on sizes and other numbers into the graph, such as `_operator.mul` or `torch.sym_max`.
/// @throws UnsupportedModelError for a function that PreGrad does not know
void add_symbolic(torch::jit::Graph& graph, const JsonValue& node, Values& values, c10::Device device);

}  // namespace pregrad::pt2
