#pragma once

#include "methods/layer_rerun.hpp"
#include "methods/quadrature.hpp"
#include "model/batch.hpp"
#include "model/layer_batch.hpp"
#include "pregrad/options.hpp"

namespace pregrad::methods {

/// Integrated gradients of one layer call for a batch: one forward and one backward of the model behind the layer per
/// point of the rule.
/// @param rerun of the activation, with gradients
/// @param rule   that of `options`
model::SampleScores integrated_gradients(const LayerRerun& rerun, const model::LayerBatch& layer,
                                         const model::Batch& batch, const AttributionOptions& options,
                                         const QuadratureRule& rule);

}  // namespace pregrad::methods
