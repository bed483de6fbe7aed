#pragma once

#include "attribution/layer_batch.hpp"
#include "attribution/layer_replay.hpp"
#include "attribution/sample_batch.hpp"
#include "attribution/sample_scores.hpp"
#include "pregrad/options.hpp"

namespace pregrad::ablation {

/// y − y with one neuron removed, for every neuron of a layer call: the model behind the layer runs once per neuron.
/// @param replay of the stage of options.removal, without gradients
attribution::SampleScores single_neurons(const attribution::LayerReplay& replay, const attribution::LayerBatch& layer,
                                         const attribution::SampleBatch& batch, const AttributionOptions& options);

}  // namespace pregrad::ablation
