#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

#include "attribution/sample_scores.hpp"
#include "graph/capture.hpp"
#include "pregrad/options.hpp"
#include "pregrad/scores.hpp"
#include "statistics/centred_products.hpp"
#include "statistics/cluster_accumulator.hpp"
#include "statistics/exact_sum.hpp"
#include "statistics/sample_values.hpp"

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
  std::vector<SampleScores> replayed;

  /// The activation; a layer without one has a = z.
  const at::Tensor& activation() const { return has_activation ? a.value : z.value; }
  const at::Tensor& activation_gradient() const { return has_activation ? a_gradient : z_gradient; }
};

/// The reduction of a layer's tensors over its positions.
/// @throws InputError if there is no such neuron axis, UnsupportedModelError if the first axis is not the batch
statistics::SampleValues reduction_of(const LayerBatch& layer, std::int64_t samples);

/// @throws UnsupportedModelError if the first axis of z is not the batch
void require_batch_axis(const LayerBatch& layer, std::int64_t samples);

/// The statistics of every layer call, cluster and method, for any number of threads.
class ScoreTable {
 public:
  /// @param seed of Method::random
  /// @param subject what is scored: a state is taken back only by a table of the same
  ScoreTable(std::vector<Method> methods, std::uint64_t seed, std::string subject = "")
      : methods_(std::move(methods)), seed_(seed), subject_(std::move(subject)) {}

  /// Adds all of a batch or, if it throws, nothing.
  /// @param clusters int64 [N] on the CPU
  void add(const std::vector<LayerBatch>& layers, const at::Tensor& clusters);

  std::vector<Score> scores() const;

  std::string save() const;
  /// @throws ArgumentError if the state is not that of a table of the same methods and subject
  void restore(std::string_view state);

 private:
  struct Key {
    std::size_t rank;
    std::string name;
    std::int64_t call;
    std::int64_t cluster;
    Method method;
    auto operator<=>(const Key&) const = default;
  };

  /// What one key's samples come to.
  struct Cell {
    explicit Cell(std::size_t neurons) : values(neurons), centred(neurons) {}
    statistics::ClusterAccumulator values;
    statistics::CentredProducts centred;  ///< of the centred method only
    statistics::ExactSum residual;        ///< Σᵢ|Σⱼvᵢⱼ − Δyᵢ|
    statistics::ExactSum difference;      ///< Σᵢ|Δyᵢ|
  };
  struct Addition;

  static void add_to(Cell& cell, const Addition& addition, const std::vector<std::int64_t>& rows);
  using LayerCall = std::pair<std::size_t, std::int64_t>;  ///< rank and call
  /// Over the samples of all clusters, per neuron; of the layers that the centred method scores.
  std::map<LayerCall, std::vector<double>> mean_activations() const;
  Score score_of(const Key& key, const Cell& cell, const std::map<LayerCall, std::vector<double>>& means) const;

  std::vector<Method> methods_;
  std::uint64_t seed_;
  std::string subject_;
  mutable std::mutex mutex_;
  std::map<Key, Cell> cells_;
};

}  // namespace pregrad::attribution
