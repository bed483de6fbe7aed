#pragma once

#include <cstdint>
#include <optional>

#include <torch/csrc/jit/ir/ir.h>

namespace pregrad::graph {

/// The axis of `z` that counts neurons, from the operation that makes them: the last (-1) after Linear, LayerNorm,
/// RMSNorm; 1 after convolution and the other norms; that of the weight after a product with one. What comes between
/// moves it: axes that are put in, taken out, exchanged or laid together. From the back where it is negative; empty if
/// the graph does not tell.
std::optional<std::int64_t> neuron_axis_of(const torch::jit::Value* z);

/// Whether `axis`, from either end, counts the neurons of `z`, as far as the graph tells.
bool is_neuron_axis(std::int64_t axis, const torch::jit::Value* z);

/// The axis as an index into a tensor of `rank` axes; where the graph does not tell, 1 for images and vectors and the
/// last for sequences (rank 3).
std::int64_t resolve_neuron_axis(std::optional<std::int64_t> axis, std::int64_t rank);

}  // namespace pregrad::graph
