#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "methods/input_paths.hpp"
#include "methods/layer_rerun.hpp"
#include "methods/quadrature.hpp"
#include "model/batch.hpp"

namespace pregrad::methods {

/// The methods that need more than one forward and one backward: paths and the removal of single neurons. Safe from any
/// number of threads.
class RerunMethods {
 public:
  /// @param selection must outlive this
  RerunMethods(std::shared_ptr<const Model::Implementation> model, std::shared_ptr<const model::OutputReading> reading,
               const model::LayerSelection& selection, const AttributionOptions& options);

  bool has_any() const;

  /// Adds their scores to each layer of the batch's own run.
  void add_scores(std::vector<model::LayerBatch>& layers, const model::Batch& batch);

 private:
  struct Key {
    std::string layer;
    std::int64_t call;
    bool gradients;
    auto operator<=>(const Key&) const = default;
  };

  const LayerRerun& rerun_of(const model::LayerBatch& layer, graph::Stage stage, bool gradients);

  std::shared_ptr<const Model::Implementation> model_;
  std::shared_ptr<const model::OutputReading> reading_;
  AttributionOptions options_;
  QuadratureRule layer_rule_;
  std::optional<InputPaths> input_paths_;
  std::mutex mutex_;
  std::map<Key, std::unique_ptr<const LayerRerun>> reruns_;
};

/// Integrated gradients of one layer call for a batch: one forward and one backward of the model behind the layer per
/// point of the rule.
/// @param rerun of the activation, with gradients
/// @param rule   that of `options`
model::SampleScores integrated_gradients(const LayerRerun& rerun, const model::LayerBatch& layer,
                                         const model::Batch& batch, const AttributionOptions& options,
                                         const QuadratureRule& rule);

/// y − y with one neuron removed, for every neuron of a layer call: the model behind the layer runs once per neuron.
/// @param rerun of the stage of options.removal, without gradients
model::SampleScores single_neurons(const LayerRerun& rerun, const model::LayerBatch& layer, const model::Batch& batch,
                                   const AttributionOptions& options);

}  // namespace pregrad::methods
