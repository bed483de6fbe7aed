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
#include "pregrad/ablation.hpp"

namespace pregrad {

class Ablation::Implementation {
 public:
  Implementation(std::shared_ptr<const Model::Implementation> model, const AblationOptions& options);

  void add(const Inputs& inputs, const at::Tensor& labels, const at::Tensor& clusters);
  std::vector<RemovalCurve> curves() const;
  std::int64_t batches_split() const;
  c10::Device device() const { return model_->model().device(); }
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
  /// What some samples come to.
  struct Measured {
    Points points;
    at::Tensor clusters;  ///< int64 [N] on the CPU
    bool is_classifier = true;
  };

  Measured measured(const model::Batch& part) const;

  void measure(const LayerOrders& layer, const model::Batch& batch, const at::Tensor& labels, Points& points) const;
  at::Tensor masks_of(const std::vector<Task>& tasks, std::int64_t neurons) const;
  static at::Tensor places_of(const std::vector<Task>& tasks);
  /// float64 [orders of the layer, 1, neurons]; undefined where neurons are set to 0.
  at::Tensor constants_of(const LayerOrders& layer, std::int64_t neurons) const;
  void require_neurons(const LayerOrders& layer, std::int64_t neurons) const;
  /// What a state holds.
  struct Saved {
    bool is_classifier = true;
    std::vector<ablation::CurveSums> sums;  ///< per order
  };
  std::vector<std::string> order_texts() const;
  std::vector<std::string> option_texts() const;
  Saved read(std::string_view state) const;

  std::shared_ptr<const Model::Implementation> model_;
  AblationOptions options_;
  std::vector<LayerOrders> layers_;
  std::vector<std::vector<std::int64_t>> counts_;  ///< per order: how many neurons are removed at each point
  mutable std::mutex mutex_;
  std::vector<ablation::CurveSums> sums_;  ///< per order
  bool is_classifier_ = true;
  std::int64_t splits_ = 0;
};

}  // namespace pregrad
