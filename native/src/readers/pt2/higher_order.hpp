#pragma once

#include "readers/pt2/graph_translator.hpp"

namespace pregrad::pt2 {

/// Whether a node's target is an operator on graphs, such as `torch.ops.higher_order.cond`.
bool is_higher_order(const std::string& target);

/// Puts branches, loops and blocks without gradients into the graph, as TorchScript has them, and defines their
/// outputs; so autograd follows them.
/// @throws UnsupportedModelError for one that TorchScript has no counterpart of
void add_higher_order(GraphTranslator& translator, const JsonValue& node, Values& values);

}  // namespace pregrad::pt2
