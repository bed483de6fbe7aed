#include "methods/input_paths.hpp"

#include "methods/catalog.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include <ATen/Functions.h>
#include <ATen/core/grad_mode.h>

#include "cuda/device.hpp"
#include "methods/layer_rerun.hpp"
#include "model/batch.hpp"
#include "model/differentiation.hpp"
#include "model/layer_taps.hpp"
#include "pregrad/error.hpp"
#include "statistics/layer_reference.hpp"
#include "statistics/sample_values.hpp"
#include "support/tensors.hpp"

namespace pregrad::methods {

namespace {

model::LayerNeeds path_needs() {
  model::LayerNeeds needs;
  needs.a = {true, true};
  return needs;
}

/// Conductance goes from one end of the path to the other.
QuadratureRule rule_for(const AttributionOptions& options) {
  QuadratureRule rule = quadrature_rule(options.quadrature, options.steps);
  return wants(options.methods, Method::conductance) ? with_ends(std::move(rule)) : rule;
}

/// The points baseline + way · alpha of a path, one block of samples after the other.
at::Tensor points_between(const at::Tensor& baseline, const at::Tensor& way, const std::vector<double>& alphas) {
  if constexpr (cuda::is_built) {
    if (cuda::takes(way)) {
      return cuda::device_path(baseline, way, alphas, way.scalar_type());
    }
  }
  std::vector<at::Tensor> points;
  points.reserve(alphas.size());
  for (const double alpha : alphas) {
    points.push_back(baseline + way * alpha);
  }
  return at::cat(points);
}

}  // namespace

struct InputPaths::Sums {
  at::Tensor conductance;  ///< per element of the layer's tensor
  at::Tensor influence;    ///< likewise
  at::Tensor last_value;
  at::Tensor last_gradient;

  /// Goes on by one point of the path; all tensors are float64 [N, ...].
  void add(const at::Tensor& value, const at::Tensor& gradient, double weight) {
    if (!conductance.defined()) {
      conductance = at::zeros_like(value);
      influence = at::zeros_like(value);
    } else {
      conductance += (gradient + last_gradient) * (value - last_value) / 2;
    }
    influence += gradient * weight;
    last_value = value;
    last_gradient = gradient;
  }
};

InputPaths::InputPaths(std::shared_ptr<const Model::Implementation> model,
                       std::shared_ptr<const model::OutputReading> reading, const model::LayerSelection& selection,
                       const AttributionOptions& options)
    : model_(std::move(model)),
      reading_(std::move(reading)),
      selection_(selection),
      options_(options),
      rule_(rule_for(options)),
      graph_(model_->model().tapped(model::taps_of(selection, path_needs()))) {}

at::Tensor InputPaths::baseline_for(const NamedTensor& input) const {
  const at::Tensor& values = input.tensor;
  if (!at::isFloatingType(values.scalar_type()) || (!input.name.empty() && input.name == reading_->mask_name())) {
    return {};
  }
  at::Tensor given = options_.input_baseline;
  for (const NamedTensor& each : options_.input_baselines) {
    given = each.name == input.name ? each.tensor : given;
  }
  if (!given.defined()) {
    return at::zeros_like(values.slice(0, 0, 1));
  }
  const at::Tensor baseline = given.dim() == values.dim() ? given : given.unsqueeze(0);
  if (baseline.size(0) != 1 || baseline.sizes().slice(1) != values.sizes().slice(1)) {
    throw InputError("the input baseline " + (input.name.empty() ? "" : "'" + input.name + "' ") + "has shape " +
                     support::shape_text(given.sizes()) + " for inputs " + support::shape_text(values.sizes()) +
                     ": give one sample");
  }
  return baseline.detach().to(values.options());
}

void InputPaths::add_scores(std::vector<model::LayerBatch>& layers, const model::Batch& batch) const {
  constexpr std::int64_t samples_per_run = 256;
  const std::int64_t copies_per_run = batch.short_of_memory ? 1 : samples_per_run / batch.samples();
  model::with_copies(copies_per_run, [&](std::int64_t copies) { add_scores(layers, batch, copies); });
}

void InputPaths::add_scores(std::vector<model::LayerBatch>& layers, const model::Batch& batch,
                            std::int64_t copies) const {
  const Inputs inputs = support::uploaded(batch.inputs, model_->model().device());
  std::vector<at::Tensor> baselines;  // of those that are not shared
  bool has_way = false;
  for (const NamedTensor& each : inputs) {
    if (!each.is_shared) {
      baselines.push_back(baseline_for(each));
      has_way = has_way || baselines.back().defined();
    }
  }
  if (!has_way) {
    throw InputError(std::string("the inputs have type ") + c10::toString(inputs.begin()->tensor.scalar_type()) +
                     ", between which there is no path: leave conductance and internal-influence out");
  }
  const auto along_path = [&](const std::vector<double>& alphas) {
    std::size_t input = 0;
    return inputs.per_sample([&](const at::Tensor& end) {
      const at::Tensor& baseline = baselines[input++];
      return baseline.defined() ? points_between(baseline, end - baseline, alphas)
                                : support::copies_of(end, static_cast<std::int64_t>(alphas.size()));
    });
  };
  const auto points = static_cast<std::int64_t>(rule_.points.size());

  std::vector<Sums> sums(layers.size());
  at::Tensor y_start;
  at::Tensor y_end;
  for (std::int64_t first = 0; first < points; first += copies) {
    const std::int64_t count = std::min(copies, points - first);
    const auto begin = rule_.points.begin() + first;
    const Inputs between = along_path({begin, begin + count});
    const at::Tensor mask = batch.mask_of_copies(count);
    const c10::AutoGradMode with_history(true);
    graph::Run run = model_->run(graph_, between);
    const model::OutputRows outputs = reading_->rows(run.output, count * batch.samples(), mask);
    const model::Targets targets = batch.targets.copies(count);
    std::vector<model::LayerBatch> along = model::selected_layers(selection_, std::move(run.executions));
    model_->arrange(along, count * batch.samples());
    model::differentiate_layers(along, outputs, targets, options_.output);
    for (model::LayerBatch& layer : along) {
      layer.leave_out(mask);
    }
    const at::NoGradGuard no_gradients;
    const at::Tensor y = as_blocks(model::selected_outputs(outputs, targets, options_.output), count);
    y_start = y_start.defined() ? y_start : y[0];
    y_end = y[count - 1];
    for (std::size_t layer = 0; layer < layers.size(); ++layer) {
      if (layer >= along.size() || along[layer].name != layers[layer].name || along[layer].call != layers[layer].call ||
          along.size() != layers.size()) {
        throw UnsupportedModelError("layer '" + statistics::to_string(layers[layer].name, layers[layer].call) +
                                    "' does not run everywhere between the baseline and the inputs: choose another "
                                    "input baseline, or leave conductance and internal-influence out");
      }
      const at::Tensor value = along[layer].activation().to(at::kDouble);
      const at::Tensor& gradient = along[layer].activation_gradient();
      const at::Tensor values = as_blocks(value, count);
      const at::Tensor gradients =
          as_blocks(gradient.defined() ? gradient.to(at::kDouble) : at::zeros_like(value), count);
      for (std::int64_t i = 0; i < count; ++i) {
        sums[layer].add(values[i], gradients[i], rule_.weights[static_cast<std::size_t>(first + i)]);
      }
    }
  }
  for (std::size_t layer = 0; layer < layers.size(); ++layer) {
    const statistics::SampleValues reduction = model::reduction_of(layers[layer], batch.samples());
    if (wants(options_.methods, Method::conductance)) {
      layers[layer].rerun.push_back(
          {Method::conductance, reduction.sum(sums[layer].conductance), values_of(y_end - y_start)});
    }
    if (wants(options_.methods, Method::internal_influence)) {
      layers[layer].rerun.push_back({Method::internal_influence, reduction.sum(sums[layer].influence), {}});
    }
  }
}

}  // namespace pregrad::methods
