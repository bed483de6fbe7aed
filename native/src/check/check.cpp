#include "pregrad/check.hpp"

#include <algorithm>
#include <cmath>

#include <ATen/Functions.h>
#include <ATen/core/grad_mode.h>

#include "check/check_implementation.hpp"
#include "check/output_noise.hpp"
#include "model/batch.hpp"
#include "model/differentiation.hpp"
#include "model/layer_selection.hpp"
#include "model/output_differences.hpp"
#include "pregrad/error.hpp"
#include "statistics/sample_values.hpp"
#include "support/failures.hpp"
#include "support/own_state.hpp"
#include "support/running_call.hpp"
#include "support/tensors.hpp"

namespace pregrad {

using methods::LayerRerun;
using model::LayerBatch;

namespace {

model::LayerNeeds check_needs() {
  model::LayerNeeds needs;
  needs.z = {true, true};
  needs.a.gradient = true;
  return needs;
}

/// Whether the widened model computes what the model computes.
bool runs_alike(const Model::Implementation& wide, const Model::Implementation& model, const Inputs& inputs,
                const std::string& output) {
  try {
    const at::Tensor expected = model.untouched_forward(inputs, output).to(at::kDouble);
    const at::Tensor seen = wide.forward(model::with_floats(inputs, at::kDouble), output);
    constexpr double like_single_precision = 1e-3;
    return seen.scalar_type() == at::kDouble && seen.sizes() == expected.sizes() &&
           at::allclose(seen, expected, 0, like_single_precision * expected.abs().max().item<double>());
  } catch (const DeviceError&) {
    throw;
  } catch (const CancelledError&) {
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

/// The root mean square of z; 1 where all of it is 0.
double z_size_of(const LayerBatch& layer) {
  const double size = std::sqrt(layer.z.value.to(at::kDouble).square().mean().item<double>());
  return size > 0 ? size : 1;
}

}  // namespace

Check::Implementation::Subject::Subject(std::shared_ptr<const Model::Implementation> the_model,
                                        const CheckOptions& options, bool is_in_double_precision)
    : model(std::move(the_model)),
      in_double_precision(is_in_double_precision),
      reading(std::make_shared<const model::OutputReading>(model.get(), options.target, options.reading)),
      selection(model::select_layers(model->model().sites(), options.layers)),
      graph(model->model().tapped(model::taps_of(selection, check_needs()))) {}

Check::Implementation::Implementation(std::shared_ptr<const Model::Implementation> model, const CheckOptions& options)
    : model_(std::move(model)), reading_(model_.get(), options.target, options.reading), options_(options) {
  static_cast<void>(model::select_layers(model_->model().sites(), options.layers));
  static_cast<void>(name_of(options.output));  // throws for a number that is no constant
  if (options.most_neurons < 1) {
    throw ArgumentError("at most " + std::to_string(options.most_neurons) +
                        " neurons are to be compared: give 1 or more");
  }
}

Check::Implementation::Subject& Check::Implementation::subject_for(const Inputs& inputs) {
  if (subject_) {
    return *subject_;
  }
  const auto floating = std::find_if(inputs.begin(), inputs.end(), [](const NamedTensor& each) {
    return at::isFloatingType(each.tensor.scalar_type());
  });
  const auto type = model_->model().weight_type().value_or(
      (floating == inputs.end() ? inputs.begin() : floating)->tensor.scalar_type());
  if (type == at::kDouble) {
    return subject_.emplace(model_, options_, true);
  }
  if (type == at::kFloat) {
    auto wide = std::make_shared<Model::Implementation>(model_->model().in_double_precision(), model_->limits());
    wide->adopt_arrangements(*model_);
    if (runs_alike(*wide, *model_, inputs, reading_.output_name())) {
      return subject_.emplace(std::move(wide), options_, true);
    }
  }
  return subject_.emplace(model_, options_, false);
}

void Check::Implementation::add(const Inputs& inputs, const at::Tensor& labels) {
  const model::Batch batch = model::checked_batch(*model_, reading_, inputs, labels, {}, /*takes_several=*/false);

  const std::lock_guard lock(mutex_);
  std::vector<check::LayerComparison> comparisons = comparisons_;
  model::in_parts(device(), batch, [&](const model::Batch& part) {
    std::vector<check::LayerComparison> some = comparisons;
    add(part, some);
    comparisons = std::move(some);
  });
  support::RunningCall::go_on();
  comparisons_ = std::move(comparisons);
}

void Check::Implementation::add(const model::Batch& part, std::vector<check::LayerComparison>& comparisons) {
  const std::string& output_name = reading_.output_name();
  model::if_two_fit(part, [&] { model_->require_independent_samples(part.inputs, output_name); });
  Subject& subject = subject_for(part.inputs);
  model::Batch batch = part;
  if (subject.in_double_precision) {
    batch.inputs = model::with_floats(part.inputs, at::kDouble);
  }
  if (!subject.has_arrangements) {
    model::if_two_fit(part, [&] {
      subject.model->require_arrangements(subject.selection, batch.inputs);
      subject.has_arrangements = true;
    });
  }
  const c10::AutoGradMode with_history(true);
  graph::Run run = subject.model->run(subject.graph, batch.inputs);
  const at::Tensor output = subject.model->output_of(run.output, output_name, part.samples());
  const model::OutputRows outputs = subject.reading->rows(run.output, part.samples(), part.mask);
  model::require_finite_outputs(outputs);
  model_->require_untouched_outputs(part.inputs, output, output_name);
  batch.targets = subject.reading->targets(outputs, part);
  const at::Tensor y = model::selected_outputs(outputs, batch.targets, options_.output).to(at::kCPU);
  const double output_size = outputs.values.detach().abs().max().item<double>();
  std::vector<LayerBatch> layers = model::selected_layers(subject.selection, std::move(run.executions));
  subject.model->arrange(layers, part.samples());
  model::differentiate_layers(layers, outputs, batch.targets, options_.output);
  model::require_influence(layers);

  if (subject.in_double_precision && !subject.is_proven) {
    subject.is_proven = std::all_of(layers.begin(), layers.end(), [&](const LayerBatch& layer) {
      return resolves_float64(rerun_of(subject, layer), layer, batch, output_size);
    });
    if (!subject.is_proven) {
      subject_.emplace(model_, options_, false);
      add(part, comparisons);
      return;
    }
  }
  for (LayerBatch& layer : layers) {
    const statistics::SampleValues reduction = model::reduction_of(layer, part.samples());
    const std::vector<double> z_gradient = reduction.sum(layer.z_gradient);
    const auto site = std::find_if(subject.selection.sites.begin(), subject.selection.sites.end(),
                                   [&](const auto& each) { return each.site->name == layer.name; });
    check::LayerComparison& comparison = comparison_of(comparisons, layer, site->site->op, subject.in_double_precision);
    comparison.add_gradients(z_gradient, layer.has_activation ? reduction.sum(layer.a_gradient) : z_gradient,
                             part.samples());
    compare(rerun_of(subject, layer), layer, batch, y, output_size, z_gradient, subject.in_double_precision,
            comparison);
  }
}

const LayerRerun& Check::Implementation::rerun_of(Subject& subject, const LayerBatch& layer) {
  auto& rerun = subject.reruns[{layer.name, layer.call}];
  if (!rerun) {
    rerun = std::make_unique<const LayerRerun>(subject.model, subject.reading, layer.name, layer.call,
                                               graph::Stage::pre_activation, false);
  }
  return *rerun;
}

bool Check::Implementation::resolves_float64(const LayerRerun& rerun, const LayerBatch& layer,
                                             const model::Batch& batch, double output_size) const {
  const at::NoGradGuard no_gradients;
  constexpr std::int64_t enough = 8;
  const statistics::SampleValues reduction = model::reduction_of(layer, batch.samples());
  const check::ShiftedOutputs shifted(rerun, batch, options_.output, reduction.neurons(),
                                      evenly_spaced(reduction.neurons(), enough),
                                      reduction.neurons() * reduction.positions());
  return check::resolves_float64(shifted, shifted.intact(), batch.samples(), z_size_of(layer), output_size);
}

void Check::Implementation::compare(const LayerRerun& rerun, const LayerBatch& layer, const model::Batch& batch,
                                    const at::Tensor& y, double output_size, const std::vector<double>& gradient,
                                    bool in_double_precision, check::LayerComparison& comparison) const {
  const at::NoGradGuard no_gradients;
  const statistics::SampleValues reduction = model::reduction_of(layer, batch.samples());
  const std::int64_t neurons = reduction.neurons();
  const check::ShiftedOutputs shifted(rerun, batch, options_.output, neurons,
                                      evenly_spaced(neurons, options_.most_neurons), neurons * reduction.positions());
  const auto count = static_cast<std::int64_t>(shifted.chosen().size());
  comparison.set_neurons(count);
  const at::Tensor intact = shifted.intact();
  // What is shifted below must be the model that was differentiated.
  model_->require_same_outputs(batch.inputs, intact, y.repeat({shifted.at_once()}), output_size,
                               reading_.output_name());
  const double z_size = z_size_of(layer);
  const std::vector<double> noise =
      in_double_precision ? std::vector<double>()
                          : check::noise_of(shifted, intact, batch.samples(), z_size, model_->model().coarsest_type());
  const double step =
      in_double_precision ? check::precision_of(true).step * z_size : check::step_above(noise, gradient, z_size);
  for (std::int64_t first = 0; first < count; first += shifted.at_once()) {
    const std::int64_t now = std::min(shifted.at_once(), count - first);
    const at::Tensor above = shifted.shifted(first, step);
    const at::Tensor below = shifted.shifted(first, -step);
    const at::Tensor half_above = in_double_precision ? above : shifted.shifted(first, step / 2);
    const at::Tensor half_below = in_double_precision ? below : shifted.shifted(first, -step / 2);
    const auto in = [](const at::Tensor& tensor, std::int64_t row) { return tensor.const_data_ptr<double>()[row]; };
    for (std::int64_t row = 0; row < now * batch.samples(); ++row) {
      const std::int64_t neuron = shifted.chosen()[static_cast<std::size_t>(first + row / batch.samples())];
      const std::int64_t sample = row % batch.samples();
      const double expected = gradient[static_cast<std::size_t>(sample * neurons + neuron)];
      if (in_double_precision) {
        comparison.add_unit(in(above, row), in(intact, row), in(below, row), step, expected);
      } else {
        comparison.add_noisy_unit(
            {in(below, row), in(half_below, row), in(intact, row), in(half_above, row), in(above, row)}, step,
            noise[static_cast<std::size_t>(sample)], expected);
      }
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

void Check::add(const at::Tensor& inputs, const at::Tensor& labels) { add(Inputs(inputs), labels); }

void Check::add(const Inputs& inputs, const at::Tensor& labels) {
  const support::OwnState own_state;
  const support::RunningCall call(implementation_->limits());
  support::on_device(implementation_->device(), [&] {
    implementation_->add(support::detached(support::without_inference(inputs)), support::without_inference(labels));
  });
}

std::vector<LayerCheck> Check::results() const { return implementation_->results(); }

}  // namespace pregrad
