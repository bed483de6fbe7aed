#pragma once

#include "graph/inlined_model.hpp"

namespace pregrad::graph {

/// Writes what `with torch.autocast(...)` does to the operators inside it into the graph, as casts: the very ones that
/// LibTorch makes when it runs the module itself. So a graph may be cut and rewritten anywhere in a region.
/// @throws UnsupportedModelError if LibTorch cannot tell where a region begins or whether it is on
void write_out_autocast(InlinedModel& model);

}  // namespace pregrad::graph
