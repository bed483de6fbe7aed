#pragma once

#include <torch/csrc/jit/ir/ir.h>

namespace pregrad::rewrites {

/// Lets a graph take the maxima of large batches of images channels last. On CPUs LibTorch computes them several times
/// faster so, even with both changes of layout; maxima and gradients are the same bits.
void speed_up_maximum_pooling(torch::jit::Graph& graph);

}  // namespace pregrad::rewrites
