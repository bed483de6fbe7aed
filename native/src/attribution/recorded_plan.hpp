#pragma once

#include <memory>
#include <optional>
#include <vector>

#include <ATen/core/Tensor.h>

#include "attribution/fixed_tensor.hpp"
#include "attribution/recorded_integers.hpp"
#include "attribution/score_table.hpp"
#include "cuda/recorder.hpp"
#include "graph/tapped_graph.hpp"
#include "methods/device_methods.hpp"
#include "model/layer_batch.hpp"
#include "model/layer_selection.hpp"
#include "model/model_implementation.hpp"
#include "pregrad/options.hpp"
#include "support/cluster_rows.hpp"

namespace pregrad::attribution {

/// What an attribution does with every batch.
struct Plan {
  const Model::Implementation& model;
  const graph::TappedGraph& graph;
  const model::LayerSelection& selection;
  const AttributionOptions& options;
  const ScoreTable& table;
};

/// A checked batch with one label per sample.
struct PlannedBatch {
  at::Tensor inputs;
  at::Tensor labels;  ///< int64 [N] on the CPU; may be undefined
  std::shared_ptr<const support::ClusterRows> rows;
};

/// The whole work of a plan for batches of one shape as a device repeats it: forward, backward and statistics. It reads
/// inputs and integers from memory that keeps its place, and leaves its results in such memory. What a batch has to be
/// looked at for happens before and after. For one thread at a time.
class RecordedPlan {
 public:
  /// @param plan what it refers to must outlive this
  RecordedPlan(const Plan& plan, std::unique_ptr<cuda::Recorder> recorder, const PlannedBatch& first);

  /// Does the work of the batch that this was made for, as the recorder would have it, and records nothing: libraries
  /// set themselves up in their first call, which a recording cannot hold.
  /// @throws InputError if a label is outside the outputs, UnsupportedModelError if some of the work cannot be recorded
  void warm_up();
  void record();

  /// What a batch of that shape adds.
  /// @throws InputError as an attribution does
  std::vector<LayerAddition> additions(const PlannedBatch& batch);

 private:
  struct Work {
    at::Tensor outputs;
    at::Tensor results;                     ///< float64: whether all outputs are finite, then all that the methods have
    std::vector<model::LayerBatch> layers;  ///< without their tensors
    std::vector<methods::DeviceMethods> methods;  ///< per layer
  };

  void fill(const PlannedBatch& batch);
  Work work();
  methods::DeviceMethods methods_of(const model::LayerBatch& layer);
  bool is_result(const at::Tensor& tensor) const;

  Plan plan_;
  c10::Device device_;
  std::unique_ptr<cuda::Recorder> recorder_;
  at::Tensor first_labels_;
  FixedTensor inputs_;
  RecordedIntegers integers_;
  std::optional<Work> recorded_;
  FixedTensor results_;
};

}  // namespace pregrad::attribution
