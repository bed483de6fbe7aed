#pragma once

#include <memory>
#include <vector>

#include "attribution/layer_batch.hpp"
#include "attribution/layer_selection.hpp"
#include "attribution/model_implementation.hpp"
#include "attribution/sample_batch.hpp"
#include "attribution/sample_scores.hpp"
#include "graph/tapped_graph.hpp"
#include "pregrad/options.hpp"
#include "statistics/quadrature.hpp"

namespace pregrad::attribution {

/// Conductance and internal influence: the model runs along the straight path from the input baseline to the input, and
/// all layers are read on the way.
class InputPaths {
 public:
  /// @param selection must outlive this
  InputPaths(std::shared_ptr<const Model::Implementation> model, const LayerSelection& selection,
             const AttributionOptions& options);

  /// Adds the scores of the methods that were asked for to each layer of the batch's own run.
  /// @throws InputError if inputs are no floating-point numbers, or the baseline does not fit them
  /// @throws UnsupportedModelError if a layer does not run everywhere on the path
  void add_scores(std::vector<LayerBatch>& layers, const SampleBatch& batch) const;

 private:
  /// What is summed up along the path for one layer.
  struct Sums;

  /// @param copies how many points of the path share a run
  void add_scores(std::vector<LayerBatch>& layers, const SampleBatch& batch, std::int64_t copies) const;
  at::Tensor baseline_for(const at::Tensor& inputs) const;

  std::shared_ptr<const Model::Implementation> model_;
  const LayerSelection& selection_;
  AttributionOptions options_;
  statistics::QuadratureRule rule_;
  graph::TappedGraph graph_;
};

}  // namespace pregrad::attribution
