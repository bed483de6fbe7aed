#pragma once

#include "attribution/layer_batch.hpp"
#include "attribution/layer_replay.hpp"
#include "attribution/sample_batch.hpp"
#include "attribution/sample_scores.hpp"
#include "pregrad/options.hpp"
#include "statistics/quadrature.hpp"

namespace pregrad::attribution {

/// Integrated gradients of one layer call for a batch: one forward and one backward of the model behind the layer per
/// point of the rule.
/// @param replay of the activation, with gradients
/// @param rule   that of `options`
SampleScores integrated_gradients(const LayerReplay& replay, const LayerBatch& layer, const SampleBatch& batch,
                                  const AttributionOptions& options, const statistics::QuadratureRule& rule);

}  // namespace pregrad::attribution
