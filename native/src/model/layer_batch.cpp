#include "model/layer_batch.hpp"

#include "graph/neuron_axis.hpp"
#include "pregrad/error.hpp"
#include "statistics/layer_reference.hpp"
#include "support/tensors.hpp"

namespace pregrad::model {

void require_batch_axis(const LayerBatch& layer, std::int64_t samples) {
  const auto& shape = layer.z.shape;
  if (shape.empty() || shape[0] != samples) {
    throw UnsupportedModelError("layer '" + statistics::to_string(layer.name, layer.call) + "' has a pre-activation " +
                                support::shape_text(shape) + " for " + std::to_string(samples) +
                                " samples: its first axis must be the batch");
  }
}

statistics::SampleValues reduction_of(const LayerBatch& layer, std::int64_t samples) {
  require_batch_axis(layer, samples);
  const auto& shape = layer.z.shape;
  const auto rank = static_cast<std::int64_t>(shape.size());
  const std::int64_t axis = rank == 1 ? 0 : graph::resolve_neuron_axis(layer.neuron_axis, rank);
  if (rank > 1 && (axis < 1 || axis >= rank)) {
    throw InputError("layer '" + layer.name + "' has no neuron axis " + std::to_string(axis) + " in " +
                     support::shape_text(shape) + ": name an axis from 1 to " + std::to_string(rank - 1));
  }
  return statistics::SampleValues(shape, axis);
}

}  // namespace pregrad::model
