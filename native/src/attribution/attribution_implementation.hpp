#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "attribution/recorded_plans.hpp"
#include "attribution/score_table.hpp"
#include "cuda/device.hpp"
#include "methods/rerun_methods.hpp"
#include "model/batch.hpp"
#include "model/layer_selection.hpp"
#include "model/model_implementation.hpp"
#include "pregrad/attribution.hpp"

namespace pregrad {

class Attribution::Implementation {
 public:
  Implementation(const std::shared_ptr<const Model::Implementation>& model, const AttributionOptions& options);
  /// @param make_recorder of the model's device; empty for one that records nothing
  Implementation(std::shared_ptr<const Model::Implementation> model, const AttributionOptions& options,
                 const cuda::RecorderFactory& make_recorder);

  void add(const Inputs& inputs, const at::Tensor& labels, const at::Tensor& clusters);
  Scores scores() const;
  std::vector<Explanation> explain(const Inputs& inputs, const at::Tensor& labels);
  std::vector<Example> examples() const { return table_.examples(); }
  c10::Device device() const { return model_->model().device(); }
  const support::CallLimits& limits() const { return *model_->limits(); }
  std::int64_t batches_split() const { return splits_.load(std::memory_order_relaxed); }
  std::int64_t batches_replayed() const { return recorded_ ? recorded_->replays() : 0; }
  const std::string& graph_refusal() const;
  std::string save() const { return table_.save(); }
  void restore(std::string_view state) { table_.restore(state); }
  void merge(std::string_view state) { table_.merge(state); }

 private:
  /// One forward of a batch, to be differentiated for the labels of its samples.
  struct Forward {
    std::vector<model::LayerBatch> layers;
    model::OutputRows outputs;
  };

  /// Looks, once, whether the model's samples are independent and its layers have an influence.
  void require_known(const model::Batch& part);
  /// Runs the model in the caller's gradient mode.
  Forward forward(const model::Batch& batch);
  /// Gives the layers of a forward all that the methods read of it, with one backward.
  /// @param explained the batch with its labels; it gets their targets
  /// @param is_last   whether no other labels follow
  void differentiate(Forward& forward, model::Batch& explained, bool is_last);
  /// The values of a part's samples for each layer call and method, by number.
  std::vector<Explanation> explanations_of_part(const model::Batch& part);
  std::vector<Explanation> explanations(const model::LayerBatch& layer, const model::Batch& batch) const;
  /// What the centred method takes from the activations, per neuron.
  std::vector<double> centre_of(const model::LayerBatch& layer, const model::Batch& batch, std::int64_t neurons) const;
  /// What a part of a batch adds to the table.
  std::vector<attribution::LayerAddition> additions_of_part(const model::Batch& part);
  /// What one forward of the batch, and one backward per label of a sample, add.
  std::vector<attribution::LayerAddition> additions(const model::Batch& batch);
  /// Refuses layers that the output does not depend on, and those whose batch is another axis of z that happens to have
  /// as many elements, which another number of samples shows. Looks once.
  void require_layers(const Inputs& inputs);
  /// The selected layers on some inputs, held against the untouched model, with gradients where a method wants them.
  std::vector<model::LayerBatch> differentiated(const Inputs& inputs) const;
  /// @throws InputError if there is a mask that fits no positions
  void require_use_of_mask(const model::Batch& batch, const std::vector<model::LayerBatch>& layers,
                           const model::OutputRows& outputs) const;

  std::shared_ptr<const Model::Implementation> model_;
  AttributionOptions options_;
  std::shared_ptr<const model::OutputReading> reading_;
  model::LayerNeeds needs_;
  model::LayerSelection selection_;
  graph::TappedGraph graph_;
  methods::RerunMethods rerun_methods_;
  attribution::ScoreTable table_;
  std::unique_ptr<attribution::RecordedPlans> recorded_;  ///< null where nothing is recorded
  std::atomic<bool> has_layers_ = false;
  std::atomic<bool> has_two_classes_ = false;  ///< whether one output stands for two classes, as a batch has shown
  std::atomic<std::int64_t> splits_ = 0;
};

}  // namespace pregrad
