#pragma once

#include <torch/csrc/jit/api/module.h>

#include "graph/inlined_model.hpp"

namespace pregrad::graph {

/// Inlines `module.forward`, which must be in evaluation mode; its tensors become constants on `device`.
/// @throws UnsupportedModelError if the forward does what a fixed graph cannot hold, e.g. changes an attribute
InlinedModel inline_modules(const torch::jit::Module& module, c10::Device device);

/// Writes what `with torch.autocast(...)` does to the operators inside it into the graph, as casts: the very ones that
/// LibTorch makes when it runs the module itself. So a graph may be cut and rewritten anywhere in a region.
/// @throws UnsupportedModelError if LibTorch cannot tell where a region begins or whether it is on
void write_out_autocast(InlinedModel& model);

}  // namespace pregrad::graph
