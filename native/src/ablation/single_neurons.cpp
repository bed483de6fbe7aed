#include "ablation/single_neurons.hpp"

#include <algorithm>

#include <ATen/Functions.h>
#include <ATen/core/grad_mode.h>

#include "ablation/removal.hpp"
#include "attribution/differentiation.hpp"
#include "attribution/neuron_blocks.hpp"
#include "attribution/neuron_constants.hpp"
#include "statistics/sample_values.hpp"

namespace pregrad::ablation {

using attribution::LayerReplay;

attribution::SampleScores single_neurons(const LayerReplay& replay, const attribution::LayerBatch& layer,
                                         const attribution::SampleBatch& batch, const AttributionOptions& options) {
  const at::NoGradGuard no_gradients;
  const statistics::SampleValues reduction = attribution::reduction_of(layer, batch.samples());
  const std::int64_t neurons = reduction.neurons();
  const at::Tensor constants = options.removal == Removal::mean
                                   ? attribution::constants_of(options.means, layer.name, layer.call, batch.clusters,
                                                               neurons, "mean activations")
                                   : at::Tensor();
  const LayerReplay::Start start = replay.start(
      batch.inputs, attribution::worthwhile_copies(batch.samples(), neurons * reduction.positions(), neurons));
  const std::int64_t copies = start.copies;
  const at::Tensor targets = batch.targets.repeat({copies});
  const auto y_with = [&](const at::Tensor& masks) {
    const at::Tensor outputs =
        replay
            .run(start,
                 [&](const at::Tensor& value, std::int64_t axis) { return removed(value, axis, masks, constants); })
            .outputs;
    return attribution::as_blocks(attribution::selected_outputs(outputs, targets, options.output), copies).to(at::kCPU);
  };
  // Taken from a run of the same layout, so that a neuron without any effect has none to the last bit.
  const at::Tensor intact = y_with(at::zeros({copies, neurons}, at::kBool));
  at::Tensor effects = at::empty({neurons, batch.samples()}, at::kDouble);
  for (std::int64_t first = 0; first < neurons; first += copies) {
    const std::int64_t count = std::min(copies, neurons - first);
    at::Tensor masks = at::zeros({copies, neurons}, at::kBool);
    masks.slice(0, 0, count).slice(1, first, first + count).fill_diagonal_(true);
    effects.slice(0, first, first + count).copy_((intact - y_with(masks)).slice(0, 0, count));
  }
  return {Method::ablation, attribution::values_of(effects.t()), {}};
}

}  // namespace pregrad::ablation
