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

/// The methods that need more than one forward and one backward. Safe from any number of threads.
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
    LayerRerun::Wanted wanted;
    auto operator<=>(const Key&) const = default;
  };

  const LayerRerun& rerun_of(const model::LayerBatch& layer, const LayerRerun::Wanted& wanted);
  /// The methods of single layer calls.
  model::SampleScores scores_of(Method method, const model::LayerBatch& layer, const model::Batch& batch);
  /// What the layer is on the reference samples, from the first batch on.
  at::Tensor references_of(const LayerRerun& rerun);

  std::shared_ptr<const Model::Implementation> model_;
  std::shared_ptr<const model::OutputReading> reading_;
  AttributionOptions options_;
  const model::LayerSelection& selection_;
  QuadratureRule layer_rule_;
  Inputs references_;                                ///< of the expected gradients, checked
  std::optional<graph::TappedGraph> corrupt_graph_;  ///< gives the activations of other inputs
  std::optional<InputPaths> input_paths_;
  std::mutex mutex_;
  std::map<Key, std::unique_ptr<const LayerRerun>> reruns_;
  std::map<std::string, at::Tensor> reference_values_;  ///< per layer call
};

/// A layer call on a batch as it is.
struct Intact {
  LayerRerun::Start start;
  at::Tensor value;  ///< [N, ...] in the model's type
  std::int64_t neuron_axis = 0;
  at::Tensor y;  ///< float64 [N]
  LayerRerun::Result result;
};
Intact intact_run(const LayerRerun& rerun, const model::Batch& batch, const AttributionOptions& options);

/// Where a path in the space of a layer, or a difference, starts, and the way from there to what the layer is; both
/// float64 [N, ...]. What the batch's mask leaves out does not move.
struct LayerWay {
  at::Tensor baseline;
  at::Tensor way;
};
/// That from AttributionOptions::baseline.
LayerWay way_from_baseline(const Intact& intact, const model::LayerBatch& layer, const model::Batch& batch,
                           const AttributionOptions& options);

/// y with the layer changed to `values`, [N, ...] in the model's type: float64 [N].
at::Tensor y_at(const LayerRerun& rerun, const LayerRerun::Start& start, const at::Tensor& values,
                const model::Batch& batch, const AttributionOptions& options);

/// Integrated gradients of one layer call for a batch: one forward and one backward of the model behind the layer per
/// point of the rule.
/// @param rerun of what is explained, with gradients
/// @param rule   that of `options`
model::SampleScores integrated_gradients(const LayerRerun& rerun, const model::LayerBatch& layer,
                                         const model::Batch& batch, const AttributionOptions& options,
                                         const QuadratureRule& rule);

/// Expected gradients of one layer call for a batch: a forward and a backward of the model behind the layer per step,
/// and a forward per reference where there are no more of these than steps.
/// @param rerun      of what is explained, with gradients
/// @param references the layer on the reference samples, [R, ...]
model::SampleScores expected_gradients(const LayerRerun& rerun, const model::LayerBatch& layer,
                                       const model::Batch& batch, const AttributionOptions& options,
                                       const at::Tensor& references);

/// DeepLIFT's rescale rule for one layer call: a forward of the model behind it from the activations and one from the
/// baseline, and one backward.
/// @param rerun of the activation, with gradients, which follows
/// @throws UnsupportedModelError if something behind the layer is neither affine, nor pointwise in one tensor, nor the
/// maxima of windows
model::SampleScores deep_lift(const LayerRerun& rerun, const model::LayerBatch& layer, const model::Batch& batch,
                              const AttributionOptions& options);

/// y − y with one neuron removed, for every neuron of a layer call: the model behind the layer runs once per neuron.
/// @param rerun of the stage of options.removal, without gradients
model::SampleScores single_neurons(const LayerRerun& rerun, const model::LayerBatch& layer, const model::Batch& batch,
                                   const AttributionOptions& options);

/// y with one neuron's activation as it is for the batch's corrupt inputs − y, for every neuron of a layer call: the
/// model behind the layer runs once per neuron.
/// @param rerun of the activation, without gradients
/// @throws UnsupportedModelError if the layer has another shape there
model::SampleScores patching(const LayerRerun& rerun, const model::LayerBatch& layer, const model::Batch& batch,
                             const AttributionOptions& options);

/// The Shapley values of the neurons of a layer call: the model behind it runs once per coalition that is tried.
/// @param rerun of the stage of options.removal, without gradients
model::SampleScores shapley(const LayerRerun& rerun, const model::LayerBatch& layer, const model::Batch& batch,
                            const AttributionOptions& options);

/// Numbers drawn without end from a seed, the same on every machine.
class Draws {
 public:
  explicit Draws(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next();
  /// In [0, 1).
  double uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }
  /// 0 to count − 1 in an order that is drawn.
  std::vector<std::int64_t> permutation(std::int64_t count);

 private:
  std::uint64_t state_;
};

/// One seed per sample of a batch, made of the option's seed, the layer call and the numbers in the sample's inputs: so
/// what is drawn for a sample depends neither on its batch nor on the order of samples.
std::vector<Draws> draws_of(const model::Batch& batch, std::uint64_t seed, const std::string& layer);

}  // namespace pregrad::methods
