#pragma once

#include <cstdint>
#include <optional>

#include <torch/csrc/jit/ir/ir.h>

namespace pregrad::graph {

/// The axis of `z` that counts neurons, from the operation that produces it: the last (-1) after Linear, LayerNorm,
/// RMSNorm; 1 after convolution and the other norms. Empty if the graph does not tell.
std::optional<std::int64_t> neuron_axis_of(const torch::jit::Value* z);

/// The axis as an index into a tensor of `rank` axes; where the graph does not tell, 1 for images and vectors and the
/// last for sequences (rank 3).
std::int64_t resolve_neuron_axis(std::optional<std::int64_t> axis, std::int64_t rank);

}  // namespace pregrad::graph
