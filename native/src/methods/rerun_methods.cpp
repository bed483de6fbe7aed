#include "methods/rerun_methods.hpp"

#include <algorithm>

#include "methods/catalog.hpp"
#include "methods/removal.hpp"
#include "pregrad/error.hpp"

namespace pregrad::methods {

RerunMethods::RerunMethods(std::shared_ptr<const Model::Implementation> model,
                           std::shared_ptr<const model::OutputReading> reading, const model::LayerSelection& selection,
                           const AttributionOptions& options)
    : model_(std::move(model)), reading_(std::move(reading)), options_(options) {
  if (wants(options.methods, Family::layer_path) && options.baseline == Baseline::given && options.baselines.empty()) {
    throw ArgumentError("the baseline is given, but there are no baselines: give one per layer call");
  }
  if (need_means(options) && options.means.empty()) {
    throw ArgumentError(
        "there are no mean activations for a baseline or a removal by the mean: give those of a first pass with the "
        "method activation");
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

const LayerRerun& RerunMethods::rerun_of(const model::LayerBatch& layer, graph::Stage stage, bool gradients) {
  const std::lock_guard lock(mutex_);
  auto& rerun = reruns_[Key{layer.name, layer.call, gradients}];
  if (!rerun) {
    rerun = std::make_unique<const LayerRerun>(model_, reading_, layer.name, layer.call, stage, gradients);
  }
  return *rerun;
}

void RerunMethods::add_scores(std::vector<model::LayerBatch>& layers, const model::Batch& batch) {
  if (input_paths_) {
    input_paths_->add_scores(layers, batch);
  }
  for (model::LayerBatch& layer : layers) {
    if (wants(options_.methods, Family::layer_path)) {
      const LayerRerun& rerun = rerun_of(layer, graph::Stage::activation, true);
      layer.rerun.push_back(integrated_gradients(rerun, layer, batch, options_, layer_rule_));
    }
    if (wants(options_.methods, Family::removal)) {
      const LayerRerun& rerun = rerun_of(layer, stage_of(options_.removal), false);
      layer.rerun.push_back(single_neurons(rerun, layer, batch, options_));
    }
  }
}

}  // namespace pregrad::methods
