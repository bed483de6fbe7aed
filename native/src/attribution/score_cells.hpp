#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "methods/method_values.hpp"
#include "pregrad/options.hpp"
#include "pregrad/scores.hpp"
#include "statistics/batch_moments.hpp"
#include "statistics/cluster_accumulator.hpp"
#include "statistics/double_doubles.hpp"
#include "statistics/largest_values.hpp"
#include "statistics/state.hpp"
#include "support/cluster_rows.hpp"

namespace pregrad::attribution {

/// In the place of a position: what is of all of them together.
inline constexpr std::int64_t all_positions = -1;

/// What must be the same of a layer call in all batches.
struct LayerForm {
  std::size_t neurons = 0;
  std::vector<std::int64_t> position_axes;  ///< as in LayerAddition; empty unless positions have scores of their own
  bool operator==(const LayerForm&) const = default;
};

/// Those methods that have a value at each position.
std::vector<Method> with_positions(std::vector<Method> methods);

/// Names a layer call among those of a model: its layer's rank, and its call.
using LayerCall = std::pair<std::size_t, std::int64_t>;

/// What is looked for in a batch besides what its samples come to.
struct ExampleSearch {
  std::size_t most = 0;  ///< how many examples are kept of a neuron; 0 for none
  std::uint64_t restores = 0;
  /// Of each layer call, cluster and method what a value must exceed; what is not there is a cluster's first batch.
  std::map<std::pair<LayerCall, std::int64_t>, std::vector<std::vector<double>>> bounds;
};

/// What a batch adds to one layer call, over all its positions or at one of them.
struct LayerAddition {
  /// What one method adds to the clusters of the batch.
  struct OfMethod {
    statistics::BatchMoments moments;
    std::vector<statistics::DoubleDouble> residuals;    ///< per cluster Σᵢ|Σⱼvᵢⱼ − Δyᵢ|; empty without a Δy
    std::vector<statistics::DoubleDouble> differences;  ///< per cluster Σᵢ|Δyᵢ|
    std::optional<methods::CentredValues> centred;
    std::vector<statistics::LargestValues> largest;  ///< per cluster; empty without examples
    std::vector<std::int64_t> positions;             ///< of the centred method, as CentredProducts has them
  };

  LayerAddition(const std::vector<Method>& wanted, const model::LayerBatch& layer,
                std::shared_ptr<const support::ClusterRows> clusters, const ExampleSearch& examples = {});
  /// At one position, of the samples for which it counts.
  LayerAddition(const std::vector<Method>& wanted, const model::LayerPositions& positions, std::int64_t at);
  /// Of what a device made of the layer's tensors; of the layer itself only names and shapes are read.
  LayerAddition(const std::vector<Method>& wanted, const model::LayerBatch& layer,
                std::shared_ptr<const support::ClusterRows> clusters, const methods::DeviceMethods& ready);

  std::string name;
  LayerCall call;
  std::size_t neurons = 0;
  /// The sizes of z's axes of positions, but for the first, which may be another in each batch; its place has a 0.
  std::vector<std::int64_t> position_axes;
  std::int64_t position = all_positions;
  std::shared_ptr<const support::ClusterRows> rows;
  std::vector<OfMethod> methods;  ///< in the order of the methods
  /// How the rows are numbered among the samples of the batch that is added.
  statistics::LargestValues::Numbers numbers;
  std::uint64_t restores = 0;  ///< as in ExampleSearch

 private:
  /// @param also called with the index of each method and its values
  template <typename Also>
  void read(const std::vector<Method>& wanted, const methods::MethodReader& reader, const Also& also);
  /// Finds the examples of the method of that index.
  void find_examples(Method method, std::size_t index, const statistics::NeuronValues& values,
                     const model::LayerBatch& layer, const statistics::SampleValues& reduction,
                     const ExampleSearch& examples);
};

/// The statistics of every layer call, cluster, method and, where each has its own, position, for one thread at a time.
/// Those of all positions together are there too: what the centred method takes from an activation is their mean, and
/// a path's values add up over all of them.
class ScoreCells {
 public:
  /// @param methods  sorted, each once
  /// @param examples how many are kept of a neuron
  ScoreCells(std::vector<Method> methods, Positions positions, std::size_t examples = 0);

  void add(const LayerAddition& addition);
  /// Counts the samples of a batch, once all is added: those of the next get higher numbers. Only examples ask for it.
  void count(std::int64_t samples) { samples_ += samples; }
  /// What examples of a batch must exceed.
  ExampleSearch search(const std::vector<model::LayerBatch>& layers, const support::ClusterRows& rows) const;

  /// A cluster, and in it a position.
  using Group = std::pair<std::int64_t, std::int64_t>;
  /// What samples come to: a layer call at one of its positions, or at all.
  struct Place {
    LayerCall call;
    std::size_t neurons;
    std::int64_t position;
    const support::ClusterRows& rows;
  };
  /// How many bytes cells grow by to hold samples at a place.
  /// @param added which groups other places of the same batch have brought; those of this one are added
  std::uint64_t growth(const Place& place, std::set<std::pair<LayerCall, Group>>& added) const;
  /// How many bytes they take.
  std::uint64_t bytes() const;
  /// Adds what other cells of the same methods have counted.
  void add(const ScoreCells& other);

  /// By layer, call, cluster, method and position.
  /// @param seed of Method::random
  std::vector<Score> scores(std::uint64_t seed) const;
  /// By layer, call, cluster, method, neuron and rank.
  std::vector<Example> examples() const;
  /// Per neuron over the samples of all clusters, of the centred method: Σ of the activations and how many samples;
  /// without neurons where there are none.
  std::pair<statistics::DoubleDoubles, std::int64_t> activation_sums(const LayerCall& call) const;
  /// Of each layer call.
  std::map<LayerCall, LayerForm> forms() const;

  void save(statistics::StateWriter& writer) const;
  static ScoreCells restored(std::vector<Method> methods, Positions positions, std::size_t examples,
                             statistics::StateReader& reader);
  /// The name of a layer, for messages.
  const std::string& name_of(const LayerCall& call) const { return layers_.at(call).name; }

 private:
  /// What the samples of one layer call, cluster, position and method come to.
  struct Cell {
    Cell(Method method, std::size_t neurons, std::size_t examples)
        : values(neurons),
          centred(centred_neurons(method, neurons)),
          largest(example_neurons(method, neurons, examples), examples) {}
    /// @param first the number of the other's first sample
    void add(const Cell& other, std::int64_t first);
    static std::size_t centred_neurons(Method method, std::size_t neurons);
    /// None for a number that is drawn, and for the centred method, whose values are known only at the end.
    static std::size_t example_neurons(Method method, std::size_t neurons, std::size_t examples);
    statistics::ClusterAccumulator values;
    statistics::CentredProducts centred;  ///< without neurons but for the centred method
    statistics::DoubleDouble residual;    ///< Σᵢ|Σⱼvᵢⱼ − Δyᵢ|
    statistics::DoubleDouble difference;  ///< Σᵢ|Δyᵢ|
    statistics::LargestValues largest;    ///< without neurons unless there are examples
  };
  using Groups = std::map<Group, std::vector<Cell>>;  ///< a cell per method that has one there
  struct LayerCells {
    std::string name;
    LayerForm form;
    Groups groups;
  };

  /// Those of a group: at a position only the methods that have a value there.
  const std::vector<Method>& methods_of(const Group& group) const {
    return group.second == all_positions ? methods_ : position_methods_;
  }
  std::vector<Cell>& cells_of(LayerCells& layer, const Group& group) const;
  /// How many examples are kept of a neuron of a group: at a position none.
  std::size_t examples_of(const Group& group) const { return group.second == all_positions ? examples_ : 0; }
  /// What cells take, but for what grows with the number of samples.
  std::uint64_t bytes_of(const Group& group, std::size_t neurons) const;
  /// Over the samples of all clusters, per neuron; empty unless the centred method is among the methods.
  std::vector<double> mean_activations(const LayerCells& layer) const;
  std::pair<statistics::DoubleDoubles, std::int64_t> activation_sums(const LayerCells& layer) const;
  static Score score_of(const Cell& cell, Score score, const std::vector<double>& means, std::uint64_t seed);
  /// Appends those of one cluster, whose groups stand one after the other.
  void append_scores(std::vector<Score>& scores, const LayerCall& call, const LayerCells& layer,
                     Groups::const_iterator first, Groups::const_iterator last, const std::vector<double>& means,
                     std::uint64_t seed) const;

  std::vector<Method> methods_;
  std::vector<Method> position_methods_;  ///< those that have a value at each position
  Positions positions_;
  bool keeps_samples_;  ///< as the centred method does
  std::size_t examples_;
  std::int64_t samples_ = 0;  ///< of all batches; counted only for examples
  std::map<LayerCall, LayerCells> layers_;
};

}  // namespace pregrad::attribution
