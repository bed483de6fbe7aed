#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "check/layer_comparison.hpp"
#include "graph/tapped_graph.hpp"
#include "methods/layer_rerun.hpp"
#include "model/batch.hpp"
#include "model/layer_batch.hpp"
#include "model/layer_selection.hpp"
#include "model/model_implementation.hpp"
#include "model/output_reading.hpp"
#include "pregrad/check.hpp"

namespace pregrad {

class Check::Implementation {
 public:
  Implementation(std::shared_ptr<const Model::Implementation> model, const CheckOptions& options);

  void add(const Inputs& inputs, const at::Tensor& labels);
  std::vector<LayerCheck> results() const;
  c10::Device device() const { return model_->model().device(); }
  const support::CallLimits& limits() const { return *model_->limits(); }

 private:
  /// The model in the precision in which it is compared.
  struct Subject {
    Subject(std::shared_ptr<const Model::Implementation> the_model, const CheckOptions& options,
            bool is_in_double_precision);

    std::shared_ptr<const Model::Implementation> model;
    bool in_double_precision;
    bool is_proven = false;         ///< whether nothing in it computes in less than float64
    bool has_arrangements = false;  ///< whether it is known how the layers are arranged
    std::shared_ptr<const model::OutputReading> reading;
    model::LayerSelection selection;
    graph::TappedGraph graph;
    std::map<std::pair<std::string, std::int64_t>, std::unique_ptr<const methods::LayerRerun>> reruns;
  };

  /// Adds a part of a batch to `comparisons`.
  void add(const model::Batch& part, std::vector<check::LayerComparison>& comparisons);
  Subject& subject_for(const Inputs& inputs);
  static const methods::LayerRerun& rerun_of(Subject& subject, const model::LayerBatch& layer);
  /// Whether the widened model computes in float64 all along.
  bool resolves_float64(const methods::LayerRerun& rerun, const model::LayerBatch& layer, const model::Batch& batch,
                        double output_size) const;
  /// @param y           float64 [N], what the gradient is of
  /// @param output_size the largest of all outputs
  void compare(const methods::LayerRerun& rerun, const model::LayerBatch& layer, const model::Batch& batch,
               const at::Tensor& y, double output_size, const std::vector<double>& gradient, bool in_double_precision,
               check::LayerComparison& comparison) const;
  static check::LayerComparison& comparison_of(std::vector<check::LayerComparison>& comparisons,
                                               const model::LayerBatch& layer, const std::string& op,
                                               bool in_double_precision);

  std::shared_ptr<const Model::Implementation> model_;
  model::OutputReading reading_;
  CheckOptions options_;
  mutable std::mutex mutex_;
  std::optional<Subject> subject_;
  std::vector<check::LayerComparison> comparisons_;
};

}  // namespace pregrad
