#include "methods/rerun_methods.hpp"

#include <algorithm>
#include <utility>

#include <ATen/Functions.h>
#include <ATen/core/grad_mode.h>

#include "methods/layer_rerun.hpp"
#include "methods/removal.hpp"
#include "model/differentiation.hpp"
#include "statistics/sample_values.hpp"

namespace pregrad::methods {

namespace {

/// A layer's tensor with one neuron removed at a time. Only that neuron's values are written, and put back afterwards:
/// whoever writes into the tensor behind the layer has been given a copy of his own.
class OneRemoved {
 public:
  /// @param constants what a removed neuron becomes, as constants_of gives them; undefined for 0
  /// @param mask      bool [N, positions...], where it is removed; undefined for everywhere
  OneRemoved(at::Tensor constants, at::Tensor mask) : constants_(std::move(constants)), mask_(std::move(mask)) {}

  at::Tensor none(const at::Tensor& value, std::int64_t neuron_axis) {
    axis_ = neuron_axis;
    intact_ = value.detach().clone();
    changed_ = intact_.clone();
    counted_ = model::counted_in(value.sizes(), neuron_axis, mask_);
    if (counted_.defined()) {
      counted_ = counted_.select(neuron_axis, 0);
    }
    if (constants_.defined()) {
      constants_ = over_neurons(constants_, value.dim(), neuron_axis).squeeze(0).to(value.options()).expand_as(intact_);
    }
    return changed_;
  }

  at::Tensor without(std::int64_t neuron) {
    if (removed_ >= 0) {
      column(changed_, removed_).copy_(column(intact_, removed_));
    }
    removed_ = neuron;
    at::Tensor written = column(changed_, neuron);
    if (counted_.defined()) {
      const at::Tensor removed = constants_.defined() ? column(constants_, neuron) : at::zeros_like(written);
      written.copy_(at::where(counted_, removed, column(intact_, neuron)));
    } else if (constants_.defined()) {
      written.copy_(column(constants_, neuron));
    } else {
      written.zero_();
    }
    return changed_;
  }

 private:
  /// A layer of rank 1 is one neuron, and all of it.
  at::Tensor column(const at::Tensor& tensor, std::int64_t neuron) const {
    return axis_ == 0 ? tensor : tensor.select(axis_, neuron);
  }

  at::Tensor constants_;
  at::Tensor mask_;
  at::Tensor counted_;  ///< the mask over one neuron's values
  at::Tensor intact_;
  at::Tensor changed_;
  std::int64_t axis_ = 0;
  std::int64_t removed_ = -1;
};

}  // namespace

model::SampleScores single_neurons(const LayerRerun& rerun, const model::LayerBatch& layer, const model::Batch& batch,
                                   const AttributionOptions& options) {
  const at::NoGradGuard no_gradients;
  const statistics::SampleValues reduction = model::reduction_of(layer, batch.samples());
  const std::int64_t neurons = reduction.neurons();
  const at::Tensor constants =
      options.removal == Removal::mean
          ? constants_of(options.means, layer.name, layer.call, batch.clusters, neurons, "mean activations")
          : at::Tensor();
  const LayerRerun::Start start =
      rerun.start(batch, worthwhile_copies(batch, neurons * reduction.positions(), neurons));
  const std::int64_t copies = start.copies;
  const model::Targets targets = batch.targets.copies(copies);
  const auto y_after = [&](const LayerRerun::Change& change) {
    const model::OutputRows outputs = rerun.run(start, change).outputs;
    return as_blocks(model::selected_outputs(outputs, targets, options.output), copies).to(at::kCPU);
  };
  // The intact run has the same layout, so that a neuron without any effect has none to the last bit.
  at::Tensor effects = at::empty({neurons, batch.samples()}, at::kDouble);
  if (copies == 1) {
    OneRemoved one(constants, batch.mask);
    const at::Tensor intact =
        y_after([&](const at::Tensor& value, std::int64_t axis) { return one.none(value, axis); });
    for (std::int64_t neuron = 0; neuron < neurons; ++neuron) {
      const at::Tensor y = y_after([&](const at::Tensor&, std::int64_t) { return one.without(neuron); });
      effects.select(0, neuron).copy_(intact.sub(y).select(0, 0));
    }
    return {Method::ablation, values_of(effects.t()), {}, {}};
  }
  const auto y_with = [&](const at::Tensor& masks) {
    return y_after(
        [&](const at::Tensor& value, std::int64_t axis) { return removed(value, axis, masks, constants, start.mask); });
  };
  const at::Tensor intact = y_with(at::zeros({copies, neurons}, at::kBool));
  for (std::int64_t first = 0; first < neurons; first += copies) {
    const std::int64_t count = std::min(copies, neurons - first);
    at::Tensor masks = at::zeros({copies, neurons}, at::kBool);
    masks.slice(0, 0, count).slice(1, first, first + count).fill_diagonal_(true);
    effects.slice(0, first, first + count).copy_((intact - y_with(masks)).slice(0, 0, count));
  }
  return {Method::ablation, values_of(effects.t()), {}, {}};
}

}  // namespace pregrad::methods
