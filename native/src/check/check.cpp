#include "pregrad/check.hpp"

#include <algorithm>
#include <cmath>

#include <ATen/Functions.h>
#include <ATen/core/grad_mode.h>
#include <c10/core/InferenceMode.h>

#include "attribution/batch_checks.hpp"
#include "attribution/batch_parts.hpp"
#include "attribution/differentiation.hpp"
#include "attribution/layer_gradients.hpp"
#include "attribution/layer_taps.hpp"
#include "attribution/neuron_blocks.hpp"
#include "check/check_implementation.hpp"
#include "graph/device_failure.hpp"
#include "pregrad/error.hpp"
#include "statistics/sample_values.hpp"

namespace pregrad {

using attribution::LayerBatch;
using attribution::LayerReplay;

namespace {

attribution::LayerNeeds check_needs() {
  attribution::LayerNeeds needs;
  needs.z = {true, true};
  needs.a.gradient = true;
  return needs;
}

/// Whether the widened model computes what the model computes.
bool runs_alike(const Model::Implementation& wide, const Model::Implementation& model, const at::Tensor& inputs) {
  try {
    const at::Tensor expected = model.forward(inputs).to(at::kDouble);
    const at::Tensor seen = wide.forward(inputs.to(at::kDouble));
    constexpr double like_single_precision = 1e-3;
    return seen.scalar_type() == at::kDouble && seen.sizes() == expected.sizes() &&
           at::allclose(seen, expected, 0, like_single_precision * expected.abs().max().item<double>());
  } catch (const DeviceError&) {
    throw;
  } catch (const Error&) {
    return false;  // its code names a type
  }
}

std::vector<std::int64_t> evenly_spaced(std::int64_t neurons, std::int64_t most) {
  const std::int64_t count = std::min(neurons, most);
  std::vector<std::int64_t> chosen;
  chosen.reserve(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    chosen.push_back(i * neurons / count);
  }
  return chosen;
}

}  // namespace

Check::Implementation::Subject::Subject(std::shared_ptr<const Model::Implementation> the_model,
                                        const CheckOptions& options, bool is_in_double_precision)
    : model(std::move(the_model)),
      in_double_precision(is_in_double_precision),
      selection(attribution::select_layers(model->model().sites(), options.layers)),
      graph(model->model().tapped(attribution::taps_of(selection, check_needs()))) {}

Check::Implementation::Implementation(std::shared_ptr<const Model::Implementation> model, const CheckOptions& options)
    : model_(std::move(model)), options_(options) {
  static_cast<void>(attribution::select_layers(model_->model().sites(), options.layers));
  if (options.most_neurons < 1) {
    throw ArgumentError("at most " + std::to_string(options.most_neurons) +
                        " neurons are to be compared: give 1 or more");
  }
}

Check::Implementation::Subject& Check::Implementation::subject_for(const at::Tensor& inputs) {
  if (subject_) {
    return *subject_;
  }
  const auto type = model_->model().weight_type().value_or(inputs.scalar_type());
  if (type == at::kDouble) {
    return subject_.emplace(model_, options_, true);
  }
  if (type == at::kFloat && at::isFloatingType(inputs.scalar_type())) {
    auto wide = std::make_shared<const Model::Implementation>(model_->model().in_double_precision());
    if (runs_alike(*wide, *model_, inputs)) {
      return subject_.emplace(std::move(wide), options_, true);
    }
  }
  return subject_.emplace(model_, options_, false);
}

void Check::Implementation::add(const at::Tensor& inputs, const at::Tensor& labels) {
  const c10::InferenceMode no_inference_mode(false);
  attribution::check_inputs(inputs, model_->model().weight_type());
  const std::int64_t samples = inputs.size(0);
  const at::Tensor checked_labels = attribution::checked_integers(labels, "labels", samples);

  const std::lock_guard lock(mutex_);
  std::vector<check::LayerComparison> comparisons = comparisons_;
  attribution::in_parts(device(), samples, [&](const attribution::BatchPart& part) {
    std::vector<check::LayerComparison> some = comparisons;
    add(part, part.of(inputs), part.of(checked_labels), some);
    comparisons = std::move(some);
  });
  comparisons_ = std::move(comparisons);
}

void Check::Implementation::add(const attribution::BatchPart& part, const at::Tensor& inputs, const at::Tensor& labels,
                                std::vector<check::LayerComparison>& comparisons) {
  attribution::if_two_fit(part, [&] { model_->require_independent_samples(inputs); });
  Subject& subject = subject_for(inputs);
  attribution::SampleBatch batch;
  batch.inputs = inputs.detach();
  batch.short_of_memory = part.short_of_memory;
  if (subject.in_double_precision) {
    batch.inputs = batch.inputs.to(at::kDouble);
  }
  const c10::AutoGradMode with_history(true);
  graph::Run run = subject.model->run(subject.graph, batch.inputs);
  const at::Tensor outputs = attribution::as_outputs(Model::Implementation::output_of(run.output), part.samples);
  attribution::require_finite_outputs(outputs);
  batch.targets = attribution::target_indices(outputs, labels, options_.target);
  std::vector<LayerBatch> layers = attribution::selected_layers(subject.selection, std::move(run.executions));
  attribution::differentiate_layers(layers, outputs, batch.targets, options_.output);

  for (LayerBatch& layer : layers) {
    const statistics::SampleValues reduction = attribution::reduction_of(layer, part.samples);
    const std::vector<double> z_gradient = reduction.sum(layer.z_gradient);
    const auto site = std::find_if(subject.selection.sites.begin(), subject.selection.sites.end(),
                                   [&](const auto& each) { return each.site->name == layer.name; });
    check::LayerComparison& comparison = comparison_of(comparisons, layer, site->site->op, subject.in_double_precision);
    comparison.add_gradients(z_gradient, layer.has_activation ? reduction.sum(layer.a_gradient) : z_gradient,
                             part.samples);
    auto& replay = subject.replays[{layer.name, layer.call}];
    if (!replay) {
      replay = std::make_unique<const LayerReplay>(subject.model, layer.name, layer.call, graph::Stage::pre_activation,
                                                   false);
    }
    const double size = std::sqrt(layer.z.value.to(at::kDouble).square().mean().item<double>());
    const double step = check::precision_of(subject.in_double_precision).step * (size > 0 ? size : 1);
    compare(*replay, layer, batch, z_gradient, step, comparison);
  }
}

void Check::Implementation::compare(const LayerReplay& replay, const LayerBatch& layer,
                                    const attribution::SampleBatch& batch, const std::vector<double>& gradient,
                                    double step, check::LayerComparison& comparison) const {
  const at::NoGradGuard no_gradients;
  const statistics::SampleValues reduction = attribution::reduction_of(layer, batch.samples());
  const std::int64_t neurons = reduction.neurons();
  const std::vector<std::int64_t> chosen = evenly_spaced(neurons, options_.most_neurons);
  const auto count = static_cast<std::int64_t>(chosen.size());
  comparison.set_neurons(count);
  const LayerReplay::Start start =
      replay.start(batch.inputs, attribution::worthwhile_copies(batch, neurons * reduction.positions(), count));
  const std::int64_t copies = start.copies;
  const at::Tensor targets = batch.targets.repeat({copies});
  const auto y_at = [&](const at::Tensor& shifts) {
    const at::Tensor outputs =
        replay
            .run(start,
                 [&](const at::Tensor& value, std::int64_t axis) {
                   const at::Tensor shift = attribution::over_neurons(shifts.unsqueeze(1), value.dim(), axis);
                   return (attribution::as_blocks(value, copies) + shift.to(value.options())).flatten(0, 1);
                 })
            .outputs;
    return attribution::selected_outputs(outputs, targets, options_.output).to(at::kCPU).contiguous();
  };
  const at::Tensor intact = y_at(at::zeros({copies, neurons}, at::kDouble));
  for (std::int64_t first = 0; first < count; first += copies) {
    const std::int64_t now = std::min(copies, count - first);
    at::Tensor shifts = at::zeros({copies, neurons}, at::kDouble);
    for (std::int64_t i = 0; i < now; ++i) {
      shifts[i][chosen[static_cast<std::size_t>(first + i)]] = step;
    }
    const at::Tensor above = y_at(shifts);
    const at::Tensor below = y_at(-shifts);
    for (std::int64_t row = 0; row < now * batch.samples(); ++row) {
      const std::int64_t neuron = chosen[static_cast<std::size_t>(first + row / batch.samples())];
      const std::int64_t sample = row % batch.samples();
      comparison.add_unit(above.const_data_ptr<double>()[row], intact.const_data_ptr<double>()[row],
                          below.const_data_ptr<double>()[row], step,
                          gradient[static_cast<std::size_t>(sample * neurons + neuron)]);
    }
  }
}

check::LayerComparison& Check::Implementation::comparison_of(std::vector<check::LayerComparison>& comparisons,
                                                             const LayerBatch& layer, const std::string& op,
                                                             bool in_double_precision) {
  const auto known = std::find_if(comparisons.begin(), comparisons.end(), [&](const auto& each) {
    return each.layer() == layer.name && each.call() == layer.call;
  });
  return known != comparisons.end() ? *known
                                    : comparisons.emplace_back(layer.name, layer.call, op, in_double_precision);
}

std::vector<LayerCheck> Check::Implementation::results() const {
  const std::lock_guard lock(mutex_);
  std::vector<LayerCheck> results;
  results.reserve(comparisons_.size());
  for (const check::LayerComparison& comparison : comparisons_) {
    results.push_back(comparison.result());
  }
  return results;
}

Check::Check(std::shared_ptr<Implementation> implementation) : implementation_(std::move(implementation)) {}

void Check::add(const at::Tensor& inputs, const at::Tensor& labels) {
  graph::on_device(implementation_->device(), [&] { implementation_->add(inputs, labels); });
}

std::vector<LayerCheck> Check::results() const { return implementation_->results(); }

}  // namespace pregrad
