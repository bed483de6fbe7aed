#include "methods/rerun_methods.hpp"

#include <algorithm>
#include <utility>

#include <ATen/Functions.h>
#include <ATen/core/grad_mode.h>

#include "methods/layer_rerun.hpp"
#include "methods/removal.hpp"
#include "model/differentiation.hpp"
#include "pregrad/error.hpp"
#include "statistics/sample_values.hpp"
#include "support/tensors.hpp"

namespace pregrad::methods {

namespace {

/// What a neuron becomes: 0 where both are undefined.
struct Replacement {
  at::Tensor constants;  ///< as constants_of gives them
  at::Tensor patch;      ///< a tensor like the layer's
};

/// A layer's tensor with one neuron replaced at a time. Only that neuron's values are written, and put back afterwards:
/// whoever writes into the tensor behind the layer has been given a copy of his own.
class OneReplaced {
 public:
  /// @param mask bool [N, positions...], where it is replaced; undefined for everywhere
  OneReplaced(Replacement by, at::Tensor mask) : by_(std::move(by)), mask_(std::move(mask)) {}

  at::Tensor none(const at::Tensor& value, std::int64_t neuron_axis) {
    axis_ = neuron_axis;
    intact_ = value.detach().clone();
    changed_ = intact_.clone();
    counted_ = model::counted_in(value.sizes(), neuron_axis, mask_);
    if (counted_.defined()) {
      counted_ = counted_.select(neuron_axis, 0);
    }
    values_ = by_.patch;
    if (by_.constants.defined()) {
      values_ = over_neurons(by_.constants, value.dim(), neuron_axis).squeeze(0).to(value.options()).expand_as(intact_);
    }
    return changed_;
  }

  at::Tensor at(std::int64_t neuron) {
    if (replaced_ >= 0) {
      column(changed_, replaced_).copy_(column(intact_, replaced_));
    }
    replaced_ = neuron;
    at::Tensor written = column(changed_, neuron);
    if (counted_.defined()) {
      const at::Tensor values = values_.defined() ? column(values_, neuron) : at::zeros_like(written);
      written.copy_(at::where(counted_, values, column(intact_, neuron)));
    } else if (values_.defined()) {
      written.copy_(column(values_, neuron));
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

  Replacement by_;
  at::Tensor mask_;
  at::Tensor values_;   ///< what it becomes, over the layer's values; undefined for 0
  at::Tensor counted_;  ///< the mask over one neuron's values
  at::Tensor intact_;
  at::Tensor changed_;
  std::int64_t axis_ = 0;
  std::int64_t replaced_ = -1;
};

/// `value` with the neurons of each copy's mask as they are in `patch`.
at::Tensor patched(const at::Tensor& value, std::int64_t neuron_axis, const at::Tensor& masks, const at::Tensor& patch,
                   const at::Tensor& positions) {
  at::Tensor mask = over_neurons(masks.unsqueeze(1), value.dim(), neuron_axis).to(value.device());
  if (const at::Tensor counted = model::counted_in(value.sizes(), neuron_axis, positions); counted.defined()) {
    mask = mask.logical_and(as_blocks(counted, masks.size(0)));
  }
  return at::where(mask, as_blocks(patch, masks.size(0)), as_blocks(value.detach(), masks.size(0))).flatten(0, 1);
}

/// y − y with one neuron replaced, float64 [neurons, N].
at::Tensor effects_of(const LayerRerun& rerun, const LayerRerun::Start& start, const Replacement& by,
                      std::int64_t neurons, const model::Batch& batch, const AttributionOptions& options) {
  const std::int64_t copies = start.copies;
  const model::Targets targets = batch.targets.copies(copies);
  const auto y_after = [&](const LayerRerun::Change& change) {
    const model::OutputRows outputs = rerun.run(start, change).outputs;
    return as_blocks(model::selected_outputs(outputs, targets, options.output), copies).to(at::kCPU);
  };
  // The intact run has the same layout, so that a neuron without any effect has none to the last bit.
  at::Tensor effects = at::empty({neurons, batch.samples()}, at::kDouble);
  if (copies == 1) {
    OneReplaced one(by, batch.mask);
    const at::Tensor intact =
        y_after([&](const at::Tensor& value, std::int64_t axis) { return one.none(value, axis); });
    for (std::int64_t neuron = 0; neuron < neurons; ++neuron) {
      const at::Tensor y = y_after([&](const at::Tensor&, std::int64_t) { return one.at(neuron); });
      effects.select(0, neuron).copy_(intact.sub(y).select(0, 0));
    }
    return effects;
  }
  const auto y_with = [&](const at::Tensor& masks) {
    return y_after([&](const at::Tensor& value, std::int64_t axis) {
      return by.patch.defined() ? patched(value, axis, masks, by.patch, start.mask)
                                : removed(value, axis, masks, by.constants, start.mask);
    });
  };
  const at::Tensor intact = y_with(at::zeros({copies, neurons}, at::kBool));
  for (std::int64_t first = 0; first < neurons; first += copies) {
    const std::int64_t count = std::min(copies, neurons - first);
    at::Tensor masks = at::zeros({copies, neurons}, at::kBool);
    masks.slice(0, 0, count).slice(1, first, first + count).fill_diagonal_(true);
    effects.slice(0, first, first + count).copy_((intact - y_with(masks)).slice(0, 0, count));
  }
  return effects;
}

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
  const at::Tensor effects = effects_of(rerun, start, {constants, {}}, neurons, batch, options);
  return {Method::ablation, values_of(effects.t()), {}, {}};
}

model::SampleScores patching(const LayerRerun& rerun, const model::LayerBatch& layer, const model::Batch& batch,
                             const AttributionOptions& options) {
  const at::NoGradGuard no_gradients;
  const statistics::SampleValues reduction = model::reduction_of(layer, batch.samples());
  const std::int64_t neurons = reduction.neurons();
  model::Batch corrupt = batch;
  corrupt.inputs = batch.corrupt;
  LayerRerun::Start start = rerun.start(batch, worthwhile_copies(batch, neurons * reduction.positions(), neurons));
  LayerRerun::Start other = rerun.start(corrupt, start.copies);
  if (other.copies != start.copies) {
    start = rerun.start(batch);
  }
  Replacement by;
  const auto keep = [&by](const at::Tensor& value, std::int64_t) {
    by.patch = value.detach().clone();
    return at::Tensor();
  };
  rerun.run(other, keep);
  const auto require_same_shape = [&](const at::Tensor& value, std::int64_t) {
    if (value.sizes() != by.patch.sizes()) {
      throw UnsupportedModelError("a sample of layer '" + rerun.id() + "' has shape " +
                                  support::shape_text(by.patch.sizes().slice(1)) + " for the corrupt inputs and " +
                                  support::shape_text(value.sizes().slice(1)) +
                                  " for the others, which leaves open what is patched by what: give corrupt inputs "
                                  "with as many positions");
    }
    return at::Tensor();
  };
  rerun.run(start, require_same_shape);
  // Taken from 0, so that no effect is 0 rather than −0.
  const at::Tensor effects = at::zeros({}, at::kDouble) - effects_of(rerun, start, by, neurons, batch, options);
  return {Method::patching, values_of(effects.t()), {}, {}};
}

}  // namespace pregrad::methods
