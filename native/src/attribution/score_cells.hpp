#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "methods/method_values.hpp"
#include "pregrad/options.hpp"
#include "pregrad/scores.hpp"
#include "statistics/batch_moments.hpp"
#include "statistics/cluster_accumulator.hpp"
#include "statistics/double_doubles.hpp"
#include "statistics/state.hpp"
#include "support/cluster_rows.hpp"

namespace pregrad::attribution {

/// Names a layer call among those of a model: its layer's rank, and its call.
using LayerCall = std::pair<std::size_t, std::int64_t>;

/// What a batch adds to one layer call.
struct LayerAddition {
  /// What one method adds to the clusters of the batch.
  struct OfMethod {
    statistics::BatchMoments moments;
    std::vector<statistics::DoubleDouble> residuals;    ///< per cluster Σᵢ|Σⱼvᵢⱼ − Δyᵢ|; empty without a Δy
    std::vector<statistics::DoubleDouble> differences;  ///< per cluster Σᵢ|Δyᵢ|
    std::optional<methods::CentredValues> centred;
  };

  LayerAddition(const std::vector<Method>& wanted, const model::LayerBatch& layer,
                std::shared_ptr<const support::ClusterRows> clusters);
  /// Of what a device made of the layer's tensors; of the layer itself only names and shapes are read.
  LayerAddition(const std::vector<Method>& wanted, const model::LayerBatch& layer,
                std::shared_ptr<const support::ClusterRows> clusters, const methods::DeviceMethods& ready);

  std::string name;
  LayerCall call;
  std::size_t neurons = 0;
  std::shared_ptr<const support::ClusterRows> rows;
  std::vector<OfMethod> methods;  ///< in the order of the methods

 private:
  void read(const std::vector<Method>& wanted, const methods::MethodReader& reader);
};

/// The statistics of every layer call, cluster and method, for one thread at a time.
class ScoreCells {
 public:
  /// @param methods sorted, each once
  explicit ScoreCells(std::vector<Method> methods) : methods_(std::move(methods)) {}

  void add(const LayerAddition& addition);
  /// Adds what other cells of the same methods have counted.
  void add(const ScoreCells& other);

  /// By layer, call, cluster and method.
  /// @param seed of Method::random
  std::vector<Score> scores(std::uint64_t seed) const;
  /// How many neurons each layer call has.
  std::map<LayerCall, std::size_t> neurons() const;

  void save(statistics::StateWriter& writer) const;
  static ScoreCells restored(std::vector<Method> methods, statistics::StateReader& reader);
  /// The name of a layer, for messages.
  const std::string& name_of(const LayerCall& call) const { return layers_.at(call).name; }

 private:
  /// What the samples of one layer call, cluster and method come to.
  struct Cell {
    Cell(Method method, std::size_t neurons) : values(neurons), centred(centred_neurons(method, neurons)) {}
    void add(const Cell& other);
    static std::size_t centred_neurons(Method method, std::size_t neurons);
    statistics::ClusterAccumulator values;
    statistics::CentredProducts centred;  ///< without neurons but for the centred method
    statistics::DoubleDouble residual;    ///< Σᵢ|Σⱼvᵢⱼ − Δyᵢ|
    statistics::DoubleDouble difference;  ///< Σᵢ|Δyᵢ|
  };
  struct LayerCells {
    std::string name;
    std::size_t neurons = 0;
    std::map<std::int64_t, std::vector<Cell>> clusters;  ///< a cell per method
  };

  std::vector<Cell>& cells_of(LayerCells& layer, std::int64_t cluster) const;
  /// Over the samples of all clusters, per neuron; empty unless the centred method is among the methods.
  std::vector<double> mean_activations(const LayerCells& layer) const;
  static Score score_of(const Cell& cell, Score score, const std::vector<double>& means, std::uint64_t seed);

  std::vector<Method> methods_;
  std::map<LayerCall, LayerCells> layers_;
};

}  // namespace pregrad::attribution
