#include "pregrad/attribution.hpp"

#include <ATen/Functions.h>
#include <ATen/core/grad_mode.h>
#include <c10/core/InferenceMode.h>

#include "attribution/attribution_implementation.hpp"
#include "attribution/batch_checks.hpp"
#include "attribution/differentiation.hpp"
#include "attribution/layer_gradients.hpp"
#include "attribution/layer_taps.hpp"
#include "pregrad/error.hpp"

namespace pregrad {

using attribution::LayerBatch;

namespace {

std::string subject_of(const attribution::LayerSelection& selection) {
  std::string subject;
  for (const attribution::SelectedSite& selected : selection.sites) {
    subject += selected.site->name + "@" + std::to_string(selected.site->call.value_or(-1)) + "\n";
  }
  return subject;
}

}  // namespace

Attribution::Implementation::Implementation(std::shared_ptr<const Model::Implementation> model,
                                            const AttributionOptions& options)
    : model_(std::move(model)),
      options_(options),
      needs_(attribution::needs_of(options.methods)),
      selection_(attribution::select_layers(model_->model().sites(), options.layers)),
      graph_(model_->model().tapped(attribution::taps_of(selection_, needs_))),
      replayed_methods_(model_, selection_, options),
      table_(options.methods, options.seed, subject_of(selection_)) {
  if (options.methods.empty()) {
    throw ArgumentError("no method was named: name at least one, such as gradient");
  }
}

void Attribution::Implementation::require_batch_axes(const at::Tensor& inputs) {
  if (has_batch_axes_.load(std::memory_order_relaxed)) {
    return;
  }
  const std::int64_t samples = inputs.size(0) == 2 ? 3 : 2;
  const c10::AutoGradMode with_history(needs_.gradients());
  std::vector<graph::Execution> executions;
  try {
    executions = model_->run(graph_, at::cat({inputs, inputs, inputs}).slice(0, 0, samples)).executions;
  } catch (const InputError&) {
    executions.clear();  // the model takes batches of one size only
  }
  for (const LayerBatch& layer : attribution::selected_layers(selection_, std::move(executions))) {
    attribution::require_batch_axis(layer, samples);
  }
  has_batch_axes_.store(true, std::memory_order_relaxed);
}

void Attribution::Implementation::add(const at::Tensor& inputs, const at::Tensor& labels, const at::Tensor& clusters) {
  // An application may call from inference mode, where nothing can be differentiated.
  const c10::InferenceMode no_inference_mode(false);
  attribution::check_inputs(inputs, model_->model().weight_type());
  const std::int64_t samples = inputs.size(0);
  const at::Tensor checked_labels = attribution::checked_integers(labels, "labels", samples);
  const at::Tensor checked_clusters = attribution::checked_clusters(clusters, samples);
  model_->require_independent_samples(inputs);
  require_batch_axes(inputs);

  const c10::AutoGradMode with_history(needs_.gradients());
  graph::Run run = model_->run(graph_, inputs.detach());
  const at::Tensor outputs = attribution::as_outputs(Model::Implementation::output_of(run.output), samples);
  const at::Tensor targets = attribution::target_indices(outputs, checked_labels, options_.target);

  attribution::require_finite_outputs(outputs);
  std::vector<LayerBatch> layers = attribution::selected_layers(selection_, std::move(run.executions));
  attribution::differentiate_layers(layers, outputs, targets, options_.output);
  replayed_methods_.add_scores(layers, {inputs.detach(), targets, checked_clusters});
  table_.add(layers, checked_clusters);
}

Scores Attribution::Implementation::scores() const { return Scores(table_.scores(), selection_.names); }

Attribution::Attribution(std::shared_ptr<Implementation> implementation) : implementation_(std::move(implementation)) {}

void Attribution::add(const at::Tensor& inputs, const at::Tensor& labels, const at::Tensor& clusters) {
  implementation_->add(inputs, labels, clusters);
}

Scores Attribution::scores() const { return implementation_->scores(); }

std::string Attribution::save() const { return implementation_->save(); }

void Attribution::restore(std::string_view state) { implementation_->restore(state); }

}  // namespace pregrad
