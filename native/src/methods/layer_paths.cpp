#include "methods/rerun_methods.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <ATen/Functions.h>
#include <ATen/core/grad_mode.h>

#include "cuda/device.hpp"
#include "methods/catalog.hpp"
#include "methods/layer_rerun.hpp"
#include "methods/removal.hpp"
#include "model/differentiation.hpp"
#include "statistics/sample_values.hpp"

namespace pregrad::methods {

namespace {

/// Where the path starts: float64, in a shape that spreads over the layer's tensor; undefined for zeros.
at::Tensor baseline_of(const model::LayerBatch& layer, const model::Batch& batch, const AttributionOptions& options,
                       std::int64_t neurons, std::int64_t rank, std::int64_t axis) {
  if (options.baseline == Baseline::zero) {
    return {};
  }
  const bool is_mean = options.baseline == Baseline::mean;
  const at::Tensor constants = constants_of(is_mean ? options.means : options.baselines, layer.name, layer.call,
                                            batch.clusters, neurons, is_mean ? "mean activations" : "baselines");
  return over_neurons(constants, rank, axis).squeeze(0);
}

}  // namespace

model::SampleScores integrated_gradients(const LayerRerun& rerun, const model::LayerBatch& layer,
                                         const model::Batch& batch, const AttributionOptions& options,
                                         const QuadratureRule& rule) {
  const statistics::SampleValues reduction = model::reduction_of(layer, batch.samples());
  const at::NoGradGuard no_gradients;

  at::Tensor actual;
  std::int64_t axis = 0;
  const LayerRerun::Start once = rerun.start(batch);
  const at::Tensor y_actual = model::selected_outputs(rerun
                                                          .run(once,
                                                               [&](const at::Tensor& value, std::int64_t neuron_axis) {
                                                                 actual =
                                                                     value.detach().clone(at::MemoryFormat::Contiguous);
                                                                 axis = neuron_axis;
                                                                 return at::Tensor();
                                                               })
                                                          .outputs,
                                                      batch.targets, options.output);
  const at::Tensor wide = actual.to(at::kDouble);
  at::Tensor baseline = baseline_of(layer, batch, options, reduction.neurons(), actual.dim(), axis);
  baseline = baseline.defined() ? baseline.to(actual.device()).expand_as(wide) : at::zeros_like(wide);
  at::Tensor way = wide - baseline;
  if (const at::Tensor counted = model::counted_in(wide.sizes(), axis, batch.mask); counted.defined()) {
    baseline = at::where(counted, baseline, wide);  // what does not count stays what it is
    way = wide - baseline;
  }
  const auto at_points = [&](const std::vector<double>& alphas) {
    if constexpr (cuda::is_built) {
      if (cuda::takes(way)) {
        return cuda::device_path(baseline, way, alphas, actual.scalar_type());
      }
    }
    std::vector<std::int64_t> shape(static_cast<std::size_t>(wide.dim()) + 1, 1);
    shape[0] = static_cast<std::int64_t>(alphas.size());
    const at::Tensor factors = at::tensor(alphas, at::kDouble).view(shape).to(wide.device());
    return (baseline + factors * way).flatten(0, 1).to(actual.scalar_type());
  };
  const at::Tensor y_baseline =
      model::selected_outputs(rerun.run(once, [&](const at::Tensor&, std::int64_t) { return at_points({0}); }).outputs,
                              batch.targets, options.output);

  const auto points = static_cast<std::int64_t>(rule.points.size());
  const std::int64_t wanted = worthwhile_copies(batch, actual.numel() / batch.samples(), points);
  const LayerRerun::Start start = wanted == 1 ? once : rerun.start(batch, wanted);
  const std::int64_t copies = start.copies;
  const model::Targets targets = batch.targets.copies(copies);
  at::Tensor integral = at::zeros_like(wide);
  for (std::int64_t first = 0; first < points; first += copies) {
    // The last run may have fewer points than copies.
    std::vector<double> alphas(static_cast<std::size_t>(copies), 0);
    std::copy_n(rule.points.begin() + first, std::min(points - first, copies), alphas.begin());
    LayerRerun::Result result = rerun.run(start, [&](const at::Tensor&, std::int64_t) { return at_points(alphas); });
    std::vector<model::LayerBatch> changed(1);
    changed[0].a = std::move(result.tensor);
    changed[0].arrangement = layer.arrangement;
    changed[0].samples = batch.samples() * copies;
    model::differentiate_layers(changed, result.outputs, targets, options.output);
    if (!changed[0].a_gradient.defined()) {
      continue;  // the output does not depend on the layer
    }
    const at::Tensor blocks = as_blocks(changed[0].a_gradient, copies);
    for (std::int64_t i = first; i < std::min(points, first + copies); ++i) {
      integral.add_(blocks[i - first].to(at::kDouble), rule.weights[static_cast<std::size_t>(i)]);
    }
  }

  return {Method::integrated_gradients, reduction.sum_of_products(way, integral), values_of(y_actual - y_baseline),
          need_terms(options) ? way * integral : at::Tensor()};
}

}  // namespace pregrad::methods
