#pragma once

#include <vector>

#include "model/layer_batch.hpp"
#include "pregrad/options.hpp"

namespace pregrad::model {

/// Fills in the gradients of all layers of one forward with one backward from `outputs`.
/// @param keep_graph whether another backward of the same forward follows
void differentiate_layers(std::vector<LayerBatch>& layers, const at::Tensor& outputs, const at::Tensor& targets,
                          Output output, bool keep_graph = false);

/// @throws LayerError if no call of a layer was on the way to the outputs that were differentiated. A call alone may be
/// beside it: the last steps of a loop, say.
void require_influence(const std::vector<LayerBatch>& layers);

}  // namespace pregrad::model
