#include "pregrad/attribution.hpp"

#include <ATen/Functions.h>
#include <ATen/core/grad_mode.h>
#include <c10/core/InferenceMode.h>

#include "attribution/attribution_implementation.hpp"
#include "attribution/batch_checks.hpp"
#include "attribution/differentiation.hpp"
#include "attribution/layer_gradients.hpp"
#include "pregrad/error.hpp"

namespace pregrad {

using attribution::LayerBatch;

Attribution::Implementation::Implementation(std::shared_ptr<const Model::Implementation> model,
                                            const AttributionOptions& options)
    : model_(std::move(model)),
      options_(options),
      needs_(attribution::needs_of(options.methods)),
      selection_(attribution::select_layers(model_->model().sites(), options.layers)),
      graph_(model_->model().tapped(taps())),
      table_(options.methods) {
  if (options.methods.empty()) {
    throw ArgumentError("no method was named: name at least one, such as gradient");
  }
}

std::vector<graph::Tap> Attribution::Implementation::taps() const {
  std::vector<graph::Tap> taps;
  for (const attribution::SelectedSite& selected : selection_.sites) {
    const bool wanted = selected.all_calls || !selected.calls.empty();
    const attribution::LayerNeeds needs =
        selected.site->is_activation ? needs_ : attribution::without_activation(needs_);
    taps.push_back(wanted ? graph::Tap{selected.site, needs.z, needs.a} : graph::Tap{selected.site, {}, {}});
  }
  return taps;
}

std::vector<LayerBatch> Attribution::Implementation::wanted_layers(std::vector<graph::Execution>&& executions) const {
  std::vector<LayerBatch> layers;
  for (graph::Execution& execution : executions) {
    const attribution::SelectedSite& selected = selection_.sites[execution.site];
    const std::int64_t call = selected.site->call.value_or(execution.call);
    if (selected.wants(call)) {
      layers.push_back({selected.site->name,
                        call,
                        selected.rank,
                        selected.site->neuron_axis,
                        selected.site->is_activation,
                        std::move(execution.z),
                        std::move(execution.a),
                        {},
                        {}});
    }
  }
  return layers;
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
  for (const LayerBatch& layer : wanted_layers(std::move(executions))) {
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
  graph::TappedGraph::Run run = model_->run(graph_, inputs.detach());
  const at::Tensor outputs = attribution::as_outputs(Model::Implementation::output_of(run.output), samples);
  const at::Tensor targets = attribution::target_indices(outputs, checked_labels, options_.target);

  attribution::require_finite_outputs(outputs);
  std::vector<LayerBatch> layers = wanted_layers(std::move(run.executions));
  attribution::differentiate_layers(layers, outputs, targets, options_.output);
  table_.add(layers, checked_clusters);
}

Scores Attribution::Implementation::scores() const { return Scores(table_.scores(), selection_.names); }

Attribution::Attribution(std::shared_ptr<Implementation> implementation) : implementation_(std::move(implementation)) {}

void Attribution::add(const at::Tensor& inputs, const at::Tensor& labels, const at::Tensor& clusters) {
  implementation_->add(inputs, labels, clusters);
}

Scores Attribution::scores() const { return implementation_->scores(); }

}  // namespace pregrad
