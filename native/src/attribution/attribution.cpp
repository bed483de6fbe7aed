#include "pregrad/attribution.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <optional>
#include <span>

#include <ATen/Functions.h>
#include <ATen/core/grad_mode.h>

#include "attribution/attribution_implementation.hpp"
#include "attribution/option_texts.hpp"
#include "cuda/device.hpp"
#include "graph/small_products.hpp"
#include "methods/catalog.hpp"
#include "methods/layer_rerun.hpp"
#include "methods/method_values.hpp"
#include "methods/removal.hpp"
#include "model/batch.hpp"
#include "model/differentiation.hpp"
#include "model/layer_selection.hpp"
#include "pregrad/error.hpp"
#include "statistics/layer_reference.hpp"
#include "statistics/random_values.hpp"
#include "support/failures.hpp"
#include "support/own_state.hpp"
#include "support/running_call.hpp"
#include "support/tensors.hpp"

namespace pregrad {

using model::LayerBatch;

namespace {

attribution::ScoreSubject subject_of(const model::LayerSelection& selection, const AttributionOptions& options) {
  attribution::ScoreSubject subject;
  for (const model::SelectedSite& selected : selection.sites) {
    const graph::LayerSite& site = *selected.site;
    if (selected.all_calls) {
      subject.layers.push_back(site.call ? statistics::to_string(site.name, *site.call) : site.name);
    }
    for (const std::int64_t call : selected.calls) {
      subject.layers.push_back(statistics::to_string(site.name, call));
    }
  }
  subject.options = attribution::option_texts(options);
  return subject;
}

cuda::RecorderFactory recorder_on(c10::Device device) {
  if constexpr (cuda::is_built) {
    if (device.is_cuda()) {
      return [device] { return cuda::make_graph_recorder(device); };
    }
  }
  return {};
}

/// A method's values of the samples of a layer, or of a layer at one position, row by row.
/// @param centre what the centred method takes from the activations, per neuron
std::vector<double> values_of(const methods::MethodReader& reader, Method method, std::span<const double> centre) {
  const methods::MethodValues read = reader.read(method);
  std::vector<double> values;
  if (!read.centred) {
    read.values.visit([&](const auto& all) { values.assign(all.begin(), all.end()); });
    return values;
  }
  values = read.centred->products;
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] -= centre[i % centre.size()] * read.centred->gradients[i];
  }
  return values;
}

/// Puts the values of a position into those of all positions.
/// @param values [its samples, neurons]
void put(const std::vector<double>& values, std::int64_t position, std::span<const std::int64_t> samples,
         Explanation& into) {
  const auto neurons = static_cast<std::size_t>(into.neurons);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const auto row = static_cast<std::size_t>(samples[i] * into.positions + position);
    std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(i * neurons), neurons,
                into.values.begin() + static_cast<std::ptrdiff_t>(row * neurons));
  }
}

/// Appends the explanations of the samples that follow.
void append(std::vector<Explanation>&& some, std::vector<Explanation>& all) {
  if (all.empty()) {
    all = std::move(some);
    return;
  }
  const auto is_same = [](const Explanation& left, const Explanation& right) {
    return left.layer == right.layer && left.call == right.call && left.method == right.method &&
           left.neurons == right.neurons && left.positions == right.positions;
  };
  if (!std::ranges::equal(all, some, is_same)) {
    throw InputError(
        "samples of the batch call the layers another number of times than others of it, and it did not fit into the "
        "device's memory as a whole: give a smaller one");
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i].samples += some[i].samples;
    all[i].values.insert(all[i].values.end(), some[i].values.begin(), some[i].values.end());
  }
}

}  // namespace

Attribution::Implementation::Implementation(const std::shared_ptr<const Model::Implementation>& model,
                                            const AttributionOptions& options)
    : Implementation(model, options, recorder_on(model->model().device())) {}

Attribution::Implementation::Implementation(std::shared_ptr<const Model::Implementation> model,
                                            const AttributionOptions& options,
                                            const cuda::RecorderFactory& make_recorder)
    : model_(std::move(model)),
      options_(options),
      reading_(std::make_shared<const model::OutputReading>(model_.get(), options.target, options.reading,
                                                            methods::corrupt_name(options))),
      needs_(methods::needs_of(options)),
      selection_(model::select_layers(model_->model().sites(), options.layers)),
      graph_(model_->model().tapped(model::taps_of(selection_, needs_))),
      rerun_methods_(model_, reading_, selection_, options),
      table_(options, subject_of(selection_, options)) {
  if (options.methods.empty()) {
    throw ArgumentError("no method was named: name at least one, such as gradient");
  }
  constexpr std::int64_t most_examples = 10'000;
  if (options.examples < 0 || options.examples > most_examples) {
    throw ArgumentError("there cannot be " + std::to_string(options.examples) +
                        " examples of a neuron: give a number from 1 to " + std::to_string(most_examples) +
                        ", or 0 for none");
  }
  if (make_recorder && options.cuda_graphs && options.examples == 0 && methods::can_be_recorded(options.methods) &&
      reading_->is_plain() && options.positions == Positions::together) {
    recorded_ = std::make_unique<attribution::RecordedPlans>(
        attribution::Plan{*model_, *reading_, graph_, selection_, options_, table_}, make_recorder);
  }
}

void Attribution::Implementation::require_layers(const Inputs& inputs) {
  if (has_layers_.load(std::memory_order_relaxed)) {
    return;
  }
  const Inputs some = model::of_other_size(inputs);
  const c10::AutoGradMode with_history(methods::need_gradients(options_.methods));
  bool is_plain = true;
  try {
    is_plain = model::have_batch_first(differentiated(some), some.samples());
  } catch (const InputError&) {
    // The model takes batches of one size only.
    is_plain = model::have_batch_first(differentiated(inputs), inputs.samples());
  }
  if (!is_plain) {
    model_->learn_arrangements(selection_, inputs);
  }
  has_layers_.store(true, std::memory_order_relaxed);
}

std::vector<model::LayerBatch> Attribution::Implementation::differentiated(const Inputs& inputs) const {
  // Methods that run the model again leave it to each run to take its gradients.
  const bool is_for_reruns = methods::need_gradients(options_.methods) && !needs_.gradients();
  graph::Run run =
      is_for_reruns
          ? model_->run(model_->model().tapped(model::taps_of(selection_, methods::needs_of({Method::gradient}))),
                        inputs)
          : model_->run(graph_, inputs);
  const at::Tensor output = model_->output_of(run.output, reading_->output_name(), inputs.samples());
  model_->require_untouched_outputs(inputs, output, reading_->output_name());
  std::vector<model::LayerBatch> layers = model::selected_layers(selection_, std::move(run.executions));
  if (methods::need_gradients(options_.methods)) {
    // Which of the entries are taken does not matter for whether there is a way to them.
    const model::OutputRows outputs{output.reshape({inputs.samples(), -1}), 1, false};
    model::differentiate_layers(layers, outputs, {{}, at::ones_like(outputs.values, at::kDouble)}, Output::logit);
    model::require_influence(layers);
  }
  return layers;
}

void Attribution::Implementation::add(const Inputs& inputs, const at::Tensor& labels, const at::Tensor& clusters) {
  const model::Batch batch = model::checked_batch(*model_, *reading_, inputs, labels, clusters, /*takes_several=*/true);
  // The table takes all parts at once, so that a batch of which one fails adds nothing.
  std::vector<attribution::LayerAddition> all;
  const std::int64_t splits = model::in_parts(device(), batch, [&](const model::Batch& part) {
    std::vector<attribution::LayerAddition> some = additions_of_part(part);
    std::move(some.begin(), some.end(), std::back_inserter(all));
  });
  support::RunningCall::go_on();
  table_.add(all, batch.samples());
  if (has_two_classes_.load(std::memory_order_relaxed)) {
    table_.note(model::classes_of_two(batch));
  }
  if (splits > 0) {  // else threads that add at once would wait for the count
    splits_.fetch_add(splits, std::memory_order_relaxed);
  }
}

void Attribution::Implementation::require_known(const model::Batch& part) {
  model::if_two_fit(part, [&] {
    model_->require_independent_samples(part.inputs, reading_->output_name());
    require_layers(part.inputs);
  });
}

std::vector<attribution::LayerAddition> Attribution::Implementation::additions_of_part(const model::Batch& part) {
  if (recorded_ && part.short_of_memory) {
    recorded_->give_up("the device has too little memory");
  }
  require_known(part);
  if (part.clusters.dim() == 1) {
    return additions(part);
  }
  const std::int64_t per_sample = part.labels.size(1);
  // A few samples keep no processor busy, so that a copy of each per label costs little; many are run once, and
  // differentiated once per label. So is a batch of which only the end of the model is differentiated.
  constexpr std::int64_t few_samples = 64;
  constexpr double end_of_model = 1.0 / 8;
  const bool takes_copies = !part.short_of_memory && part.samples() * per_sample <= few_samples &&
                            graph_.work_behind_first_tap() > end_of_model;
  return model::with_copies(takes_copies ? per_sample : 1, [&](std::int64_t copies) {
    if (copies == 1) {
      return additions(part);
    }
    model::Batch copied;
    copied.inputs = part.inputs.repeated(copies);
    copied.corrupt = part.corrupt.repeated(copies);
    copied.mask = part.mask.defined() ? part.mask.repeat_interleave(copies, 0) : part.mask;
    copied.labels = part.labels.reshape({-1});
    copied.clusters = part.clusters.reshape({-1});
    copied.first = part.first;
    std::vector<attribution::LayerAddition> some = additions(copied);
    for (attribution::LayerAddition& addition : some) {
      addition.numbers.copies = copies;
    }
    return some;
  });
}

void Attribution::Implementation::require_use_of_mask(const model::Batch& batch,
                                                      const std::vector<model::LayerBatch>& layers,
                                                      const model::OutputRows& outputs) const {
  const bool has_use =
      !batch.mask.defined() || outputs.is_masked ||
      std::any_of(layers.begin(), layers.end(), [](const model::LayerBatch& layer) { return layer.counted.defined(); });
  if (!has_use) {
    throw InputError("the mask '" + reading_->mask_name() + "' has shape " + support::shape_text(batch.mask.sizes()) +
                     ", and neither the output nor a layer has positions of that shape: leave it out, or give one of "
                     "[samples, positions...]");
  }
}

Attribution::Implementation::Forward Attribution::Implementation::forward(const model::Batch& batch) {
  graph::Run run = model_->run(graph_, batch.inputs);
  Forward forward;
  forward.outputs = reading_->rows(run.output, batch.samples(), batch.mask);
  if (forward.outputs.is_binary) {
    has_two_classes_.store(options_.output == Output::logit, std::memory_order_relaxed);
  }
  // A device's answer has to be waited for, so there the question comes when all the rest is done.
  if (forward.outputs.is_cpu()) {
    model::require_finite_outputs(forward.outputs);
  }
  forward.layers = model::selected_layers(selection_, std::move(run.executions));
  model_->arrange(forward.layers, batch.samples());
  return forward;
}

void Attribution::Implementation::differentiate(Forward& forward, model::Batch& explained, bool is_last) {
  if (forward.outputs.positions == 1 || methods::look_at_outputs(options_.methods)) {
    explained.targets = reading_->targets(forward.outputs, explained);
    model::differentiate_layers(forward.layers, forward.outputs, explained.targets, options_.output, !is_last);
  }
  for (model::LayerBatch& layer : forward.layers) {
    layer.leave_out(explained.mask);
  }
  require_use_of_mask(explained, forward.layers, forward.outputs);
  rerun_methods_.add_scores(forward.layers, explained);
}

std::vector<attribution::LayerAddition> Attribution::Implementation::additions(const model::Batch& batch) {
  const std::shared_ptr<const support::ClusterRows> rows =
      batch.clusters.dim() == 1 ? attribution::rows_of(batch.clusters) : nullptr;
  if (recorded_ && rows && !batch.has_position_labels) {
    if (auto all = recorded_->additions(batch, rows)) {
      return *std::move(all);
    }
  }
  const c10::AutoGradMode with_history(needs_.gradients());
  const graph::ProductsInThisThread alone(!rerun_methods_.has_any() && graph_.has_small_products(batch.inputs));
  Forward run = forward(batch);
  const auto additions_of = [&](const at::Tensor& labels, const at::Tensor& clusters,
                                const std::shared_ptr<const support::ClusterRows>& cluster_rows, bool is_last) {
    model::Batch explained = batch;
    explained.labels = labels;
    explained.clusters = clusters;
    differentiate(run, explained, is_last);
    std::vector<attribution::LayerAddition> some = table_.additions(run.layers, cluster_rows);
    for (attribution::LayerAddition& addition : some) {
      addition.numbers.first = batch.first;
    }
    if (is_last && !run.outputs.is_cpu()) {
      model::require_finite_outputs(run.outputs);
    }
    return some;
  };
  if (rows) {
    return additions_of(batch.labels, batch.clusters, rows, true);
  }
  std::vector<attribution::LayerAddition> all;
  for (std::int64_t i = 0; i < batch.labels.size(1); ++i) {
    for (model::LayerBatch& layer : run.layers) {
      layer.rerun.clear();
    }
    const at::Tensor clusters = batch.clusters.select(1, i).contiguous();
    std::vector<attribution::LayerAddition> some =
        additions_of(batch.labels.select(1, i).contiguous(), clusters, attribution::rows_of(clusters),
                     i + 1 == batch.labels.size(1));
    std::move(some.begin(), some.end(), std::back_inserter(all));
  }
  return all;
}

std::vector<double> Attribution::Implementation::centre_of(const model::LayerBatch& layer, const model::Batch& batch,
                                                           std::int64_t neurons) const {
  if (!methods::wants(options_.methods, Method::gradient_x_centred_activation)) {
    return {};
  }
  if (!options_.means.empty()) {
    return methods::values_of(methods::constants_of(
        options_.means, layer.name, layer.call, at::zeros({batch.samples()}, at::kLong), neurons, "mean activations"));
  }
  std::vector<double> means = table_.mean_activations({layer.rank, layer.call});
  if (means.empty()) {
    throw ArgumentError("the method " + std::string(name_of(Method::gradient_x_centred_activation)) +
                        " takes the mean activations of layer '" + statistics::to_string(layer.name, layer.call) +
                        "', which nothing has told yet: add samples first, give means, or leave the method out");
  }
  if (static_cast<std::int64_t>(means.size()) != neurons) {
    throw InputError("layer '" + statistics::to_string(layer.name, layer.call) + "' has " + std::to_string(neurons) +
                     " neurons in this batch and " + std::to_string(means.size()) +
                     " in an earlier one: give inputs of one shape, or choose another layer");
  }
  return means;
}

std::vector<Explanation> Attribution::Implementation::explanations(const model::LayerBatch& layer,
                                                                   const model::Batch& batch) const {
  using Detail = methods::MethodReader::Detail;
  const statistics::SampleValues reduction = model::reduction_of(layer, batch.samples());
  const std::vector<double> centre = centre_of(layer, batch, reduction.neurons());
  const std::shared_ptr<const support::ClusterRows> rows =
      attribution::rows_of(at::zeros({batch.samples()}, at::kLong));
  std::optional<model::LayerPositions> cut;
  if (options_.positions == Positions::each && !model::position_sizes(layer).empty()) {
    cut.emplace(layer, rows);
  }
  const methods::MethodReader reader(table_.methods(), layer, reduction, *rows, Detail::samples);
  std::vector<Explanation> all;
  for (const Method method : table_.methods()) {
    Explanation& one = all.emplace_back();
    one.layer = layer.name;
    one.call = layer.call;
    one.method = method;
    one.samples = batch.samples();
    one.neurons = reduction.neurons();
    if (cut && methods::row_of(method).has_positions()) {
      one.positions = cut->size();
      one.values.assign(static_cast<std::size_t>(one.samples * one.positions * one.neurons),
                        std::numeric_limits<double>::quiet_NaN());
    } else if (methods::row_of(method).family == methods::Family::drawn) {
      const std::vector<double> drawn =
          statistics::random_values(layer.name, layer.call, 0, one.neurons, 0, options_.seed);
      for (std::int64_t i = 0; i < one.samples; ++i) {
        one.values.insert(one.values.end(), drawn.begin(), drawn.end());
      }
    } else {
      one.values = values_of(reader, method, centre);
    }
  }
  const std::vector<Method> with_positions = attribution::with_positions(table_.methods());
  for (std::int64_t position = 0; cut && position < cut->size(); ++position) {
    if (!cut->rows(position)) {
      continue;
    }
    const model::LayerBatch at_position = cut->at(position);
    const std::vector<std::int64_t> samples = cut->samples(position);
    const statistics::SampleValues at_one = model::reduction_of(at_position, static_cast<std::int64_t>(samples.size()));
    const methods::MethodReader values(with_positions, at_position, at_one, *cut->rows(position), Detail::samples);
    for (Explanation& one : all) {
      if (one.positions > 0) {
        put(values_of(values, one.method, centre), position, samples, one);
      }
    }
  }
  return all;
}

std::vector<Explanation> Attribution::Implementation::explanations_of_part(const model::Batch& part) {
  require_known(part);
  const c10::AutoGradMode with_history(needs_.gradients());
  const graph::ProductsInThisThread alone(!rerun_methods_.has_any() && graph_.has_small_products(part.inputs));
  Forward run = forward(part);
  model::Batch explained = part;
  differentiate(run, explained, true);
  std::ranges::stable_sort(
      run.layers, {}, [](const model::LayerBatch& layer) { return attribution::LayerCall(layer.rank, layer.call); });
  std::vector<Explanation> all;
  for (const model::LayerBatch& layer : run.layers) {
    std::ranges::move(explanations(layer, part), std::back_inserter(all));
  }
  if (!run.outputs.is_cpu()) {
    model::require_finite_outputs(run.outputs);
  }
  return all;
}

std::vector<Explanation> Attribution::Implementation::explain(const Inputs& inputs, const at::Tensor& labels) {
  const model::Batch batch = model::checked_batch(*model_, *reading_, inputs, labels, {}, /*takes_several=*/false);
  std::vector<Explanation> all;
  const std::int64_t splits =
      model::in_parts(device(), batch, [&](const model::Batch& part) { append(explanations_of_part(part), all); });
  support::RunningCall::go_on();
  if (splits > 0) {
    splits_.fetch_add(splits, std::memory_order_relaxed);
  }
  if (has_two_classes_.load(std::memory_order_relaxed) &&
      table_.classes(model::classes_of_two(batch)) == model::Classes::first_of_two) {
    for (Explanation& one : all) {
      if (methods::row_of(one.method).looks_at_outputs()) {
        std::ranges::transform(one.values, one.values.begin(), [](double value) { return 0 - value; });
      }
    }
  }
  return all;
}

const std::string& Attribution::Implementation::graph_refusal() const {
  static const std::string none;
  const std::string* const refusal = recorded_ ? recorded_->refusal() : nullptr;
  return refusal == nullptr ? none : *refusal;
}

Scores Attribution::Implementation::scores() const { return Scores(table_.scores(), selection_.names); }

Attribution::Attribution(std::shared_ptr<Implementation> implementation) : implementation_(std::move(implementation)) {}

void Attribution::add(const at::Tensor& inputs, const at::Tensor& labels, const at::Tensor& clusters) {
  add(Inputs(inputs), labels, clusters);
}

void Attribution::add(const Inputs& inputs, const at::Tensor& labels, const at::Tensor& clusters) {
  const support::OwnState own_state;
  const support::RunningCall call(implementation_->limits());
  support::on_device(implementation_->device(), [&] {
    implementation_->add(support::detached(support::without_inference(inputs)), support::without_inference(labels),
                         support::without_inference(clusters));
  });
}

std::vector<Explanation> Attribution::explain(const at::Tensor& inputs, const at::Tensor& labels) const {
  return explain(Inputs(inputs), labels);
}

std::vector<Explanation> Attribution::explain(const Inputs& inputs, const at::Tensor& labels) const {
  const support::OwnState own_state;
  const support::RunningCall call(implementation_->limits());
  return support::on_device(implementation_->device(), [&] {
    return implementation_->explain(support::detached(support::without_inference(inputs)),
                                    support::without_inference(labels));
  });
}

std::vector<Example> Attribution::examples() const { return implementation_->examples(); }

std::int64_t Attribution::batches_split() const { return implementation_->batches_split(); }

std::int64_t Attribution::batches_replayed() const { return implementation_->batches_replayed(); }

const std::string& Attribution::graph_refusal() const { return implementation_->graph_refusal(); }

Scores Attribution::scores() const { return implementation_->scores(); }

std::string Attribution::save() const { return implementation_->save(); }

void Attribution::restore(std::string_view state) { implementation_->restore(state); }

void Attribution::merge(std::string_view state) { implementation_->merge(state); }

}  // namespace pregrad
