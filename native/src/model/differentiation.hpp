#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>
#include <torch/csrc/autograd/function.h>

#include "model/layer_batch.hpp"
#include "pregrad/options.hpp"

namespace pregrad::model {

/// The model's output as [N, outputs].
/// @throws UnsupportedModelError if it has another shape or is not floating point
at::Tensor as_outputs(const at::Tensor& output, std::int64_t samples);

/// @throws InputError if an output is NaN or infinite
void require_finite_outputs(const at::Tensor& outputs);

/// Which output each sample is differentiated for: int64 [N].
/// @throws InputError if a label is outside the outputs, ArgumentError if an index is
at::Tensor target_indices(const at::Tensor& outputs, const at::Tensor& labels, const Target& target);
/// The first half of target_indices, which looks at the labels, on the host.
/// @param count how many outputs the model has
void require_targets(std::int64_t count, const at::Tensor& labels, const Target& target);
/// The other half, which waits for no device where the labels are on that of the outputs.
at::Tensor checked_target_indices(const at::Tensor& outputs, const at::Tensor& labels, const Target& target);

/// y: the target's component of what `output` makes of the outputs; float64 [N], without gradients.
at::Tensor selected_outputs(const at::Tensor& outputs, const at::Tensor& targets, Output output);

/// The gradients of Σᵢ y[i, targets[i]] at `edges`, in one backward. Samples are independent, so row i of each is the
/// gradient of sample i's own output. An edge that the output does not depend on gives an undefined tensor.
/// @param keep_graph whether another backward from the same outputs follows
std::vector<at::Tensor> differentiate(const at::Tensor& outputs, const at::Tensor& targets, Output output,
                                      const torch::autograd::edge_list& edges, bool keep_graph = false);

/// Fills in the gradients of all layers of one forward with one backward from `outputs`.
/// @param keep_graph whether another backward of the same forward follows
void differentiate_layers(std::vector<LayerBatch>& layers, const at::Tensor& outputs, const at::Tensor& targets,
                          Output output, bool keep_graph = false);

/// @throws LayerError if no call of a layer was on the way to the outputs that were differentiated. A call alone may be
/// beside it: the last steps of a loop, say.
void require_influence(const std::vector<LayerBatch>& layers);

}  // namespace pregrad::model
