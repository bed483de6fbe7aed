#include "methods/rerun_methods.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <ATen/Functions.h>
#include <ATen/core/grad_mode.h>

#include "cuda/device.hpp"
#include "methods/catalog.hpp"
#include "methods/layer_rerun.hpp"
#include "methods/removal.hpp"
#include "model/differentiation.hpp"
#include "pregrad/error.hpp"
#include "statistics/layer_reference.hpp"
#include "statistics/sample_values.hpp"
#include "support/tensors.hpp"

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

/// ∂y/∂x at several points of a layer's tensor x, float64 [copies, N, ...]; undefined where y does not depend on it.
/// @param points [copies · N, ...] in the model's type
at::Tensor gradients_at(const LayerRerun& rerun, const LayerRerun::Start& start, const at::Tensor& points,
                        const model::LayerBatch& layer, const model::Batch& batch, const model::Targets& targets,
                        const AttributionOptions& options) {
  LayerRerun::Result result = rerun.run(start, [&](const at::Tensor&, std::int64_t) { return points; });
  std::vector<model::LayerBatch> changed(1);
  changed[0].a = std::move(result.tensor);
  changed[0].arrangement = layer.arrangement;
  changed[0].samples = batch.samples() * start.copies;
  model::differentiate_layers(changed, result.outputs, targets, options.output);
  return changed[0].a_gradient.defined() ? as_blocks(changed[0].a_gradient, start.copies).to(at::kDouble)
                                         : at::Tensor();
}

/// What the samples of a batch meet on the way from references: a reference, a place on the path, and what it weighs.
struct Meetings {
  at::Tensor references;  ///< int64 [steps, N]
  at::Tensor places;      ///< float64 [steps, N]
  at::Tensor weights;     ///< likewise; those of a sample sum to 1
};

/// Each sample's steps go round the references in an order that is drawn, and are spread over the path: a place is
/// drawn in each of as many equal parts. With as many steps as references or more each of these weighs the same.
Meetings meetings_of(const model::Batch& batch, std::int64_t references, const AttributionOptions& options,
                     const std::string& layer) {
  const std::int64_t samples = batch.samples();
  const std::int64_t steps = options.steps;
  Meetings meetings{at::empty({steps, samples}, at::kLong), at::empty({steps, samples}, at::kDouble),
                    at::full({steps, samples}, 1.0 / static_cast<double>(steps), at::kDouble)};
  auto reference = meetings.references.accessor<std::int64_t, 2>();
  auto place = meetings.places.accessor<double, 2>();
  auto weight = meetings.weights.accessor<double, 2>();
  std::vector<Draws> draws = draws_of(batch, options.seed, layer);
  for (std::int64_t sample = 0; sample < samples; ++sample) {
    Draws& drawn = draws[static_cast<std::size_t>(sample)];
    const std::vector<std::int64_t> parts = drawn.permutation(steps);
    std::vector<std::int64_t> order;
    for (std::int64_t step = 0; step < steps; ++step) {
      if (step % references == 0) {
        order = drawn.permutation(references);
      }
      const auto part = static_cast<double>(parts[static_cast<std::size_t>(step)]);
      reference[step][sample] = order[static_cast<std::size_t>(step % references)];
      place[step][sample] = (part + drawn.uniform()) / static_cast<double>(steps);
    }
    if (steps >= references) {
      std::vector<std::int64_t> met(static_cast<std::size_t>(references), 0);
      for (std::int64_t step = 0; step < steps; ++step) {
        ++met[static_cast<std::size_t>(reference[step][sample])];
      }
      for (std::int64_t step = 0; step < steps; ++step) {
        const std::int64_t count = met[static_cast<std::size_t>(reference[step][sample])];
        weight[step][sample] = 1.0 / static_cast<double>(references * count);
      }
    }
  }
  return meetings;
}

}  // namespace

Intact intact_run(const LayerRerun& rerun, const model::Batch& batch, const AttributionOptions& options) {
  Intact intact;
  intact.start = rerun.start(batch);
  intact.result = rerun.run(intact.start, [&](const at::Tensor& value, std::int64_t neuron_axis) {
    intact.value = value.detach().clone(at::MemoryFormat::Contiguous);
    intact.neuron_axis = neuron_axis;
    return at::Tensor();
  });
  intact.y = model::selected_outputs(intact.result.outputs, batch.targets, options.output);
  return intact;
}

LayerWay way_from_baseline(const Intact& intact, const model::LayerBatch& layer, const model::Batch& batch,
                           const AttributionOptions& options) {
  const at::Tensor wide = intact.value.to(at::kDouble);
  const std::int64_t neurons = model::reduction_of(layer, batch.samples()).neurons();
  at::Tensor baseline = baseline_of(layer, batch, options, neurons, wide.dim(), intact.neuron_axis);
  baseline = baseline.defined() ? baseline.to(wide.device()).expand_as(wide) : at::zeros_like(wide);
  if (const at::Tensor counted = model::counted_in(wide.sizes(), intact.neuron_axis, batch.mask); counted.defined()) {
    baseline = at::where(counted, baseline, wide);  // what does not count stays what it is
  }
  return {baseline, wide - baseline};
}

at::Tensor y_at(const LayerRerun& rerun, const LayerRerun::Start& start, const at::Tensor& values,
                const model::Batch& batch, const AttributionOptions& options) {
  return model::selected_outputs(rerun.run(start, [&](const at::Tensor&, std::int64_t) { return values; }).outputs,
                                 batch.targets, options.output);
}

model::SampleScores integrated_gradients(const LayerRerun& rerun, const model::LayerBatch& layer,
                                         const model::Batch& batch, const AttributionOptions& options,
                                         const QuadratureRule& rule) {
  const statistics::SampleValues reduction = model::reduction_of(layer, batch.samples());
  const at::NoGradGuard no_gradients;
  const Intact intact = intact_run(rerun, batch, options);
  const at::ScalarType type = intact.value.scalar_type();
  const auto [baseline, way] = way_from_baseline(intact, layer, batch, options);
  const auto at_points = [&, &baseline = baseline, &way = way](const std::vector<double>& alphas) {
    if constexpr (cuda::is_built) {
      if (cuda::takes(way)) {
        return cuda::device_path(baseline, way, alphas, type);
      }
    }
    std::vector<std::int64_t> shape(static_cast<std::size_t>(way.dim()) + 1, 1);
    shape[0] = static_cast<std::int64_t>(alphas.size());
    const at::Tensor factors = at::tensor(alphas, at::kDouble).view(shape).to(way.device());
    return (baseline + factors * way).flatten(0, 1).to(type);
  };
  const at::Tensor y_baseline = y_at(rerun, intact.start, at_points({0}), batch, options);

  const auto points = static_cast<std::int64_t>(rule.points.size());
  const std::int64_t wanted = worthwhile_copies(batch, way.numel() / batch.samples(), points);
  const LayerRerun::Start start = wanted == 1 ? intact.start : rerun.start(batch, wanted);
  const std::int64_t copies = start.copies;
  const model::Targets targets = batch.targets.copies(copies);
  at::Tensor integral = at::zeros_like(way);
  for (std::int64_t first = 0; first < points; first += copies) {
    // The last run may have fewer points than copies.
    std::vector<double> alphas(static_cast<std::size_t>(copies), 0);
    std::copy_n(rule.points.begin() + first, std::min(points - first, copies), alphas.begin());
    const at::Tensor gradients = gradients_at(rerun, start, at_points(alphas), layer, batch, targets, options);
    for (std::int64_t i = first; i < std::min(points, first + copies) && gradients.defined(); ++i) {
      integral.add_(gradients[i - first], rule.weights[static_cast<std::size_t>(i)]);
    }
  }

  return {Method::integrated_gradients, reduction.sum_of_products(way, integral), values_of(intact.y - y_baseline),
          need_terms(options) ? way * integral : at::Tensor()};
}

model::SampleScores expected_gradients(const LayerRerun& rerun, const model::LayerBatch& layer,
                                       const model::Batch& batch, const AttributionOptions& options,
                                       const at::Tensor& references) {
  const statistics::SampleValues reduction = model::reduction_of(layer, batch.samples());
  const at::NoGradGuard no_gradients;
  const Intact intact = intact_run(rerun, batch, options);
  const at::ScalarType type = intact.value.scalar_type();
  const at::Tensor wide = intact.value.to(at::kDouble);
  if (references.sizes().slice(1) != wide.sizes().slice(1)) {
    throw InputError("layer '" + rerun.id() + "' has shape " + support::shape_text(references.sizes()) +
                     " for the references and " + support::shape_text(wide.sizes()) +
                     " for the inputs: give references with as many positions");
  }
  const at::Tensor counted = model::counted_in(wide.sizes(), intact.neuron_axis, batch.mask);
  const auto baselines_of = [&](const at::Tensor& rows) {  // int64 [N]: [N, ...]
    const at::Tensor chosen = references.index_select(0, rows.to(references.device())).to(at::kDouble);
    return counted.defined() ? at::where(counted, chosen, wide) : chosen;
  };
  const Meetings meetings = meetings_of(batch, references.size(0), options, rerun.id());
  std::vector<std::int64_t> per_sample(static_cast<std::size_t>(wide.dim()), 1);
  per_sample[0] = batch.samples();
  const auto of_samples = [&](const at::Tensor& values) { return values.view(per_sample).to(wide.device()); };

  const std::int64_t wanted = worthwhile_copies(batch, wide.numel() / batch.samples(), options.steps);
  const LayerRerun::Start start = wanted == 1 ? intact.start : rerun.start(batch, wanted);
  const std::int64_t copies = start.copies;
  const model::Targets targets = batch.targets.copies(copies);
  at::Tensor terms = at::zeros_like(wide);
  for (std::int64_t first = 0; first < options.steps; first += copies) {
    std::vector<at::Tensor> points;
    std::vector<at::Tensor> ways;
    for (std::int64_t i = 0; i < copies; ++i) {
      const std::int64_t step = std::min(first + i, options.steps - 1);  // the last run may have fewer than copies
      const at::Tensor baseline = baselines_of(meetings.references[step]);
      ways.push_back(wide - baseline);
      points.push_back((baseline + of_samples(meetings.places[step]) * ways.back()).to(type));
    }
    const at::Tensor gradients = gradients_at(rerun, start, at::cat(points), layer, batch, targets, options);
    for (std::int64_t i = 0; i < std::min(copies, options.steps - first) && gradients.defined(); ++i) {
      const at::Tensor weights = of_samples(meetings.weights[first + i]);
      terms.add_(ways[static_cast<std::size_t>(i)] * gradients[i] * weights);
    }
  }

  std::vector<double> differences;
  if (references.size(0) <= options.steps) {
    at::Tensor y = at::zeros_like(intact.y);
    for (std::int64_t row = 0; row < references.size(0); ++row) {
      const at::Tensor rows = at::full({batch.samples()}, row, at::kLong);
      y += y_at(rerun, intact.start, baselines_of(rows).to(type), batch, options);
    }
    differences = values_of(intact.y - y / static_cast<double>(references.size(0)));
  }
  return {Method::expected_gradients, reduction.sum(terms), std::move(differences),
          need_terms(options) ? terms : at::Tensor()};
}

}  // namespace pregrad::methods
