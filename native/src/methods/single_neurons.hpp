#pragma once

#include "methods/layer_rerun.hpp"
#include "model/batch.hpp"
#include "model/layer_batch.hpp"
#include "pregrad/options.hpp"

namespace pregrad::methods {

/// y − y with one neuron removed, for every neuron of a layer call: the model behind the layer runs once per neuron.
/// @param rerun of the stage of options.removal, without gradients
model::SampleScores single_neurons(const LayerRerun& rerun, const model::LayerBatch& layer, const model::Batch& batch,
                                   const AttributionOptions& options);

}  // namespace pregrad::methods
