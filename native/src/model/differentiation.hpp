#pragma once

#include <vector>

#include <ATen/core/Tensor.h>
#include <torch/csrc/autograd/function.h>

#include "model/layer_batch.hpp"
#include "model/output_reading.hpp"
#include "pregrad/options.hpp"

namespace pregrad::model {

/// The gradients of Σᵢ yᵢ at `edges`, in one backward. Samples are independent, so row i of each is the gradient of
/// sample i's own y. An edge that the output does not depend on gives an undefined tensor.
/// @param keep_graph whether another backward from the same outputs follows
std::vector<at::Tensor> differentiate(const OutputRows& outputs, const Targets& targets, Output output,
                                      const torch::autograd::edge_list& edges, bool keep_graph = false);

/// Fills in the gradients of all layers of one forward with one backward from `outputs`.
/// @param keep_graph whether another backward of the same forward follows
void differentiate_layers(std::vector<LayerBatch>& layers, const OutputRows& outputs, const Targets& targets,
                          Output output, bool keep_graph = false);

/// The first call of a layer no call of which was on the way to what was differentiated; null if there is none.
const LayerBatch* layer_without_influence(const std::vector<LayerBatch>& layers);
/// @throws LayerError if no call of a layer was on the way to the outputs that were differentiated. A call alone may be
/// beside it: the last steps of a loop, say.
void require_influence(const std::vector<LayerBatch>& layers);

}  // namespace pregrad::model
