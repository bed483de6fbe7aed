#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "ablation/curve_sums.hpp"
#include "methods/layer_rerun.hpp"
#include "model/batch.hpp"
#include "model/layer_batch.hpp"
#include "model/model_implementation.hpp"
#include "model/output_reading.hpp"
#include "pregrad/ablation.hpp"

namespace pregrad {

namespace ablation {

/// What a model should have said, for each row of its outputs.
struct RowLabels {
  at::Tensor labels;   ///< int64, one per sample or, with labels per position, per row; undefined without an accuracy
  at::Tensor counted;  ///< float64 [N, positions], 1 where there is a label; undefined for a label per sample
  at::Tensor weights;  ///< float64 [N, positions], what each counts in the sample's outputs; undefined for one position

  RowLabels copies(std::int64_t count) const;
  /// The outputs that a label is for: of a label per sample the mean over the positions that count.
  at::Tensor pooled(const model::OutputRows& outputs) const;
  /// The sums over the labels of each sample of something that is one number per label.
  at::Tensor per_sample(const at::Tensor& of_rows) const;
};

}  // namespace ablation

class Ablation::Implementation {
 public:
  Implementation(std::shared_ptr<const Model::Implementation> model, const AblationOptions& options);

  void add(const Inputs& inputs, const at::Tensor& labels, const at::Tensor& clusters);
  std::vector<RemovalCurve> curves() const;
  std::int64_t batches_split() const;
  c10::Device device() const { return model_->model().device(); }
  const support::CallLimits& limits() const { return *model_->limits(); }
  std::string save() const;
  void restore(std::string_view state);
  void merge(std::string_view state);

 private:
  /// The orders of one layer call, which rerun the same part of the model.
  struct LayerOrders {
    std::string layer;
    std::int64_t call = 0;
    std::unique_ptr<const methods::LayerRerun> rerun;
    std::vector<std::size_t> orders;
  };
  /// One point of one curve.
  struct Task {
    std::int64_t place = 0;  ///< of the order among those of its layer
    std::size_t order = 0;
    std::size_t point = 0;
  };
  using Points = std::vector<std::vector<ablation::CurveSums::Point>>;
  /// The areas under the curves of single samples.
  struct SampleAreas {
    std::vector<double> right;  ///< of how many of the sample's labels are right
    std::vector<double> output;
  };
  /// What some samples come to.
  struct Measured {
    Points points;
    std::vector<SampleAreas> areas;    ///< per order
    at::Tensor clusters;               ///< int64 [N] on the CPU
    std::vector<std::int64_t> labels;  ///< how many each sample has; empty for one each
    bool is_classifier = true;
    model::Classes classes = model::Classes::any;
  };

  Measured measured(const model::Batch& part) const;

  ablation::RowLabels row_labels(const model::OutputRows& outputs, const model::Batch& part) const;
  /// Finds out, once, how the model arranges the layers.
  void require_layers(const Inputs& inputs) const;
  void measure(const LayerOrders& layer, const model::Batch& batch, const ablation::RowLabels& labels,
               Measured& result) const;
  at::Tensor masks_of(const std::vector<Task>& tasks, std::int64_t neurons) const;
  static at::Tensor places_of(const std::vector<Task>& tasks);
  /// float64 [orders of the layer, 1, neurons]; undefined where neurons are set to 0.
  at::Tensor constants_of(const LayerOrders& layer, std::int64_t neurons) const;
  void require_neurons(const LayerOrders& layer, std::int64_t neurons) const;
  /// What a state holds.
  struct Saved {
    bool is_classifier = true;
    model::Classes classes = model::Classes::any;
    std::vector<ablation::CurveSums> sums;  ///< per order
  };
  std::vector<std::string> order_texts() const;
  std::vector<std::string> option_texts() const;
  Saved read(std::string_view state) const;

  std::shared_ptr<const Model::Implementation> model_;
  std::shared_ptr<const model::OutputReading> reading_;
  AblationOptions options_;
  mutable std::atomic<bool> has_layers_ = false;
  std::vector<LayerOrders> layers_;
  std::vector<std::vector<std::int64_t>> counts_;  ///< per order: how many neurons are removed at each point
  mutable std::mutex mutex_;
  std::vector<ablation::CurveSums> sums_;  ///< per order
  bool is_classifier_ = true;
  model::Classes classes_ = model::Classes::any;
  std::int64_t splits_ = 0;
};

}  // namespace pregrad
