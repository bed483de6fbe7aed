#pragma once

#include <torch/csrc/jit/api/module.h>

#include "graph/inlined_model.hpp"

namespace pregrad::graph {

/// Inlines `module.forward`, which must be in evaluation mode; its tensors become constants on `device`.
/// @throws UnsupportedModelError if the forward does what a fixed graph cannot hold, e.g. changes an attribute
InlinedModel inline_modules(const torch::jit::Module& module, c10::Device device);

}  // namespace pregrad::graph
