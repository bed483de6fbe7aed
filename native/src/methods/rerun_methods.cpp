#include "methods/rerun_methods.hpp"

#include <algorithm>
#include <cmath>

#include <ATen/Functions.h>
#include <ATen/core/grad_mode.h>

#include "methods/catalog.hpp"
#include "methods/removal.hpp"
#include "model/layer_selection.hpp"
#include "pregrad/error.hpp"
#include "statistics/layer_reference.hpp"
#include "support/tensors.hpp"

namespace pregrad::methods {

namespace {

void require_baseline(const AttributionOptions& options) {
  if (!need_baseline(options.methods)) {
    return;
  }
  if (options.baseline == Baseline::given && options.baselines.empty()) {
    throw ArgumentError("the baseline is given, but there are no baselines: give one per layer call");
  }
  if (options.baseline == Baseline::mean && options.of_z && wants(options.methods, Family::layer_path)) {
    throw ArgumentError(
        "the baseline is the mean activation, and with of_z the path is one of pre-activations: choose the baseline "
        "zero, or give baselines of z");
  }
}

void require_sampling(const AttributionOptions& options) {
  constexpr std::int64_t most_permutations = 1000000;
  if (options.permutations < 2 || options.permutations > most_permutations) {
    throw ArgumentError("there are " + std::to_string(options.permutations) + " permutations for shapley: give 2 to " +
                        std::to_string(most_permutations));
  }
  if (!(options.shapley_error >= 0) || !std::isfinite(options.shapley_error)) {
    throw ArgumentError("the error of shapley is " + std::to_string(options.shapley_error) +
                        ": give a share of the difference, 0 or more");
  }
}

Inputs checked_references(const Model::Implementation& model, const model::OutputReading& reading,
                          const AttributionOptions& options) {
  if (options.references.empty()) {
    throw ArgumentError("expected-gradients has no references: give the inputs of the samples that are its baselines");
  }
  if (options.steps < 1) {
    throw ArgumentError("there are " + std::to_string(options.steps) + " steps for expected-gradients: give 1 or more");
  }
  const bool is_unnamed = options.references.size() == 1 && options.references.front().name.empty();
  return model.accepted(is_unnamed ? Inputs(options.references.front().tensor) : Inputs::of(options.references),
                        reading.mask_name());
}

/// Σₚ (aₚ(corrupt) − aₚ)·∂y/∂aₚ of all layers, which have a and ∂y/∂a.
/// @param corrupt the layers of the run on the corrupt inputs
void add_differences(std::vector<model::LayerBatch>& layers, const std::vector<model::LayerBatch>& corrupt,
                     std::int64_t samples, bool has_positions) {
  for (model::LayerBatch& layer : layers) {
    const std::string id = statistics::to_string(layer.name, layer.call);
    const auto same = std::find_if(corrupt.begin(), corrupt.end(), [&](const model::LayerBatch& each) {
      return each.name == layer.name && each.call == layer.call;
    });
    if (same == corrupt.end()) {
      throw UnsupportedModelError("layer '" + id +
                                  "' does not run for the corrupt inputs as it does for the others: give corrupt "
                                  "inputs that take the same way, or name another layer");
    }
    if (same->activation().sizes() != layer.activation().sizes()) {
      throw UnsupportedModelError(
          "a sample of layer '" + id + "' has shape " + support::shape_text(same->activation().sizes().slice(1)) +
          " for the corrupt inputs and " + support::shape_text(layer.activation().sizes().slice(1)) +
          " for the others: give corrupt inputs with as many positions");
    }
    const statistics::SampleValues reduction = model::reduction_of(layer, samples);
    const at::Tensor difference = same->activation().to(at::kDouble) - layer.activation().to(at::kDouble);
    const at::Tensor& gradient = layer.activation_gradient();
    const at::Tensor wide = gradient.defined() ? gradient.to(at::kDouble) : at::zeros_like(difference);
    layer.rerun.push_back({Method::gradient_x_difference,
                           reduction.sum_of_products(difference, wide),
                           {},
                           has_positions ? difference * wide : at::Tensor()});
  }
}

}  // namespace

RerunMethods::RerunMethods(std::shared_ptr<const Model::Implementation> model,
                           std::shared_ptr<const model::OutputReading> reading, const model::LayerSelection& selection,
                           const AttributionOptions& options)
    : model_(std::move(model)), reading_(std::move(reading)), options_(options), selection_(selection) {
  require_baseline(options);
  if (need_means(options) && options.means.empty()) {
    throw ArgumentError(
        "there are no mean activations for a baseline or a removal by the mean: give those of a first pass with the "
        "method activation");
  }
  if (wants(options.methods, Family::rescale) && options.output != Output::logit) {
    throw ArgumentError("deep-lift explains logits, and the output is " + std::string(name_of(options.output)) +
                        ", in which all outputs are multiplied with each other: choose the output logit, or the method "
                        "integrated-gradients");
  }
  if (wants(options.methods, Family::coalitions)) {
    require_sampling(options);
  }
  if (wants(options.methods, Family::references)) {
    references_ = checked_references(*model_, *reading_, options);
  }
  if (wants(options.methods, Method::gradient_x_difference)) {
    model::LayerNeeds needs;
    needs.a.value = true;
    corrupt_graph_.emplace(model_->model().tapped(model::taps_of(selection_, needs)));
  }
  if (wants(options.methods, Family::layer_path)) {
    layer_rule_ = quadrature_rule(options.quadrature, options.steps);
  }
  if (wants(options.methods, Family::input_path)) {
    input_paths_.emplace(model_, reading_, selection, options);
  }
}

bool RerunMethods::has_any() const {
  return std::any_of(options_.methods.begin(), options_.methods.end(),
                     [](Method method) { return row_of(method).needs_model(); });
}

const LayerRerun& RerunMethods::rerun_of(const model::LayerBatch& layer, const LayerRerun::Wanted& wanted) {
  const std::lock_guard lock(mutex_);
  auto& rerun = reruns_[Key{layer.name, layer.call, wanted}];
  if (!rerun) {
    rerun = std::make_unique<const LayerRerun>(model_, reading_, layer.name, layer.call, wanted);
  }
  return *rerun;
}

at::Tensor RerunMethods::references_of(const LayerRerun& rerun) {
  const std::lock_guard lock(mutex_);
  at::Tensor& known = reference_values_[rerun.id()];
  if (known.defined()) {
    return known;
  }
  constexpr std::int64_t samples_per_run = 256;
  const at::NoGradGuard no_gradients;
  std::vector<at::Tensor> values;
  for (std::int64_t first = 0; first < references_.samples(); first += samples_per_run) {
    model::Batch some;
    some.inputs = references_.slice(first, std::min(references_.samples(), first + samples_per_run));
    rerun.run(rerun.start(some), [&](const at::Tensor& value, std::int64_t) {
      values.push_back(value.detach().clone(at::MemoryFormat::Contiguous));
      return at::Tensor();
    });
    if (values.back().sizes().slice(1) != values.front().sizes().slice(1)) {
      throw InputError("layer '" + rerun.id() + "' has shape " + support::shape_text(values.back().sizes()) +
                       " for some references and " + support::shape_text(values.front().sizes()) +
                       " for others: give references of as many positions");
    }
  }
  return known = at::cat(values);
}

model::SampleScores RerunMethods::scores_of(Method method, const model::LayerBatch& layer, const model::Batch& batch) {
  const graph::Stage explained = options_.of_z ? graph::Stage::pre_activation : graph::Stage::activation;
  const auto rerun = [&](graph::Stage stage, bool gradients, bool follows = false) -> const LayerRerun& {
    return rerun_of(layer, {stage, gradients, follows});
  };
  switch (method) {
    case Method::integrated_gradients:
      return integrated_gradients(rerun(explained, true), layer, batch, options_, layer_rule_);
    case Method::expected_gradients: {
      const LayerRerun& path = rerun(explained, true);
      return expected_gradients(path, layer, batch, options_, references_of(path));
    }
    case Method::deep_lift:
      return deep_lift(rerun(graph::Stage::activation, true, true), layer, batch, options_);
    case Method::ablation:
      return single_neurons(rerun(stage_of(options_.removal), false), layer, batch, options_);
    case Method::shapley:
      return shapley(rerun(stage_of(options_.removal), false), layer, batch, options_);
    case Method::patching:
      return patching(rerun(graph::Stage::activation, false), layer, batch, options_);
    default:
      throw InternalError("the method " + std::string(row_of(method).name) + " runs no layer again");
  }
}

namespace {

/// The batch's own outputs are numbers; those of what was changed need not be.
void require_numbers(const model::LayerBatch& layer) {
  for (const model::SampleScores& scores : layer.rerun) {
    if (!std::ranges::all_of(scores.values, [](double value) { return std::isfinite(value); })) {
      throw ArgumentError("the method " + std::string(name_of(scores.method)) + " gives layer '" + layer.name +
                          "' values that are not finite: the model leaves the range of numbers where the method runs it"
                          " again; give baselines, means or inputs of an ordinary size");
    }
  }
}

}  // namespace

void RerunMethods::add_scores(std::vector<model::LayerBatch>& layers, const model::Batch& batch) {
  if (input_paths_) {
    input_paths_->add_scores(layers, batch);
  }
  if (corrupt_graph_) {
    // In the mode of the batch's own run, so that the same kernels run; no tap begins a history.
    const c10::AutoGradMode as_before(true);
    std::vector<model::LayerBatch> corrupt =
        model::selected_layers(selection_, model_->run(*corrupt_graph_, batch.corrupt).executions);
    const at::NoGradGuard no_gradients;
    model_->arrange(corrupt, batch.samples());
    add_differences(layers, corrupt, batch.samples(), need_terms(options_));
  }
  std::vector<Method> known;
  for (const Method method : options_.methods) {
    const Family family = row_of(method).family;
    const bool is_of_one_layer = row_of(method).needs_model() && family != Family::input_path &&
                                 method != Method::gradient_x_difference && !wants(known, method);
    for (model::LayerBatch& layer : layers) {
      if (is_of_one_layer) {
        layer.rerun.push_back(scores_of(method, layer, batch));
      }
    }
    known.push_back(method);
  }
  for (const model::LayerBatch& layer : layers) {
    require_numbers(layer);
  }
}

}  // namespace pregrad::methods
