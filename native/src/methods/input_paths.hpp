#pragma once

#include <memory>
#include <vector>

#include "graph/tapped_graph.hpp"
#include "methods/quadrature.hpp"
#include "model/batch.hpp"
#include "model/layer_batch.hpp"
#include "model/layer_selection.hpp"
#include "model/model_implementation.hpp"
#include "model/output_reading.hpp"
#include "pregrad/options.hpp"

namespace pregrad::methods {

/// Conductance and internal influence: the model runs along the straight path from the input baseline to the input, and
/// all layers are read on the way.
class InputPaths {
 public:
  /// @param selection must outlive this
  InputPaths(std::shared_ptr<const Model::Implementation> model, std::shared_ptr<const model::OutputReading> reading,
             const model::LayerSelection& selection, const AttributionOptions& options);

  /// Adds the scores of the methods that were asked for to each layer of the batch's own run.
  /// @throws InputError if inputs are no floating-point numbers, or the baseline does not fit them
  /// @throws UnsupportedModelError if a layer does not run everywhere on the path
  void add_scores(std::vector<model::LayerBatch>& layers, const model::Batch& batch) const;

 private:
  /// What is summed up along the path for one layer.
  struct Sums;

  /// @param copies how many points of the path share a run
  void add_scores(std::vector<model::LayerBatch>& layers, const model::Batch& batch, std::int64_t copies) const;
  /// Where an input's path starts, [1, ...]; undefined for what stays what it is.
  at::Tensor baseline_for(const NamedTensor& input) const;

  std::shared_ptr<const Model::Implementation> model_;
  std::shared_ptr<const model::OutputReading> reading_;
  const model::LayerSelection& selection_;
  AttributionOptions options_;
  QuadratureRule rule_;
  graph::TappedGraph graph_;
};

}  // namespace pregrad::methods
