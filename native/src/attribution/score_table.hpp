#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include <ATen/core/Tensor.h>

#include "graph/capture.hpp"
#include "pregrad/options.hpp"
#include "pregrad/scores.hpp"
#include "statistics/cluster_accumulator.hpp"

namespace pregrad::attribution {

/// One execution of a layer in one batch, with its gradients; undefined gradients are zero.
struct LayerBatch {
  std::string name;
  std::int64_t call = 0;
  std::size_t rank = 0;  ///< where the layer stands among those of the model
  std::optional<std::int64_t> neuron_axis;
  bool has_activation = true;
  graph::Captured z;
  graph::Captured a;
  at::Tensor z_gradient;
  at::Tensor a_gradient;
};

/// @throws UnsupportedModelError if the first axis of z is not the batch
void require_batch_axis(const LayerBatch& layer, std::int64_t samples);

/// The statistics of every layer call, cluster and method, for any number of threads.
class ScoreTable {
 public:
  explicit ScoreTable(std::vector<Method> methods) : methods_(std::move(methods)) {}

  /// Adds all of a batch or, if it throws, nothing.
  /// @param clusters int64 [N] on the CPU
  void add(const std::vector<LayerBatch>& layers, const at::Tensor& clusters);

  std::vector<Score> scores() const;

 private:
  struct Key {
    std::size_t rank;
    std::string name;
    std::int64_t call;
    std::int64_t cluster;
    Method method;
    auto operator<=>(const Key&) const = default;
  };

  std::vector<Method> methods_;
  mutable std::mutex mutex_;
  std::map<Key, statistics::ClusterAccumulator> accumulators_;
};

}  // namespace pregrad::attribution
