#pragma once

#include <vector>

#include "attribution/score_table.hpp"
#include "pregrad/options.hpp"

namespace pregrad::attribution {

/// Fills in the gradients of all layers of one forward with one backward from `outputs`.
void differentiate_layers(std::vector<LayerBatch>& layers, const at::Tensor& outputs, const at::Tensor& targets,
                          Output output);

}  // namespace pregrad::attribution
