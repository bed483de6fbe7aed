#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

#include "attribution/score_cells.hpp"
#include "model/batch.hpp"
#include "model/layer_batch.hpp"
#include "pregrad/options.hpp"
#include "pregrad/scores.hpp"

namespace pregrad::attribution {

/// @param clusters int64 [N] on the CPU
std::shared_ptr<const support::ClusterRows> rows_of(const at::Tensor& clusters);

/// What is scored, in words: a state is taken only by a table of the same.
struct ScoreSubject {
  std::vector<std::string> layers;
  std::vector<std::string> options;
};

/// The statistics of every layer call, cluster, method and, where each has its own, position, for any number of
/// threads.
class ScoreTable {
 public:
  /// @param options methods, seed, positions, memory limit and examples are looked at
  explicit ScoreTable(const AttributionOptions& options, ScoreSubject subject = {});

  /// What the layers of a batch add; the tensors they came from are no longer needed then.
  /// @throws InputError, UnsupportedModelError as reduction_of
  /// @throws ArgumentError if the statistics of their positions would need more memory than there is
  std::vector<LayerAddition> additions(const std::vector<model::LayerBatch>& layers,
                                       const std::shared_ptr<const support::ClusterRows>& rows) const;
  /// The same of what a device made of each layer's tensors.
  std::vector<LayerAddition> additions(const std::vector<model::LayerBatch>& layers,
                                       const std::shared_ptr<const support::ClusterRows>& rows,
                                       const std::vector<methods::DeviceMethods>& ready) const;
  /// Adds all or, if it throws, nothing.
  /// @throws InputError if a layer has another number of neurons, or other axes of positions, than before
  /// @param samples how many the additions are of, whatever there is of each
  /// @throws ArgumentError if the statistics would need more memory than there is
  void add(const std::vector<LayerAddition>& additions, std::int64_t samples = 0);

  /// Tells what labels have shown; it decides the sign of scores by one output.
  void note(model::Classes classes);

  std::vector<Score> scores() const;
  /// @throws ArgumentError if what labels have shown does not tell which values are large
  std::vector<Example> examples() const;
  /// Those that are read, each once, by number.
  const std::vector<Method>& methods() const { return methods_; }
  /// The mean activation per neuron over all samples, of the centred method; empty where nothing was added.
  std::vector<double> mean_activations(const LayerCall& call) const;
  /// What labels have shown, those of another batch included.
  model::Classes classes(model::Classes of_batch) const {
    return std::max(of_batch, classes_.load(std::memory_order_relaxed));
  }

  std::string save() const;
  /// Takes the place of what was added, or, if it throws, does nothing.
  /// @throws ArgumentError if the state is not that of a table of the same methods and subject
  void restore(std::string_view state);
  /// Adds what a state holds to what was added, or, if it throws, does nothing.
  /// @throws ArgumentError as restore, or if a layer has another form there, or there is too little memory
  void merge(std::string_view state);

 private:
  /// Threads that come at once add to a shard each, so that none waits for another; a single thread only ever uses the
  /// first. Their sums are exact enough that who added where does not show. Where each position has scores there is one
  /// shard alone, since what is large should be there once; with examples, too, as these number all samples.
  struct Shard {
    explicit Shard(ScoreCells empty) : cells(std::move(empty)) {}
    mutable std::mutex mutex;
    ScoreCells cells;
  };

  /// Appends what the layers add, each over all its positions and then at each of them.
  void add_positions(std::vector<LayerAddition>& additions, const std::vector<model::LayerBatch>& layers,
                     const std::shared_ptr<const support::ClusterRows>& rows) const;
  void require_known_forms(const std::vector<LayerAddition>& additions);
  /// Adds to one shard, whose lock the caller holds.
  void add_to(Shard& shard, const std::vector<LayerAddition>& additions, std::int64_t samples);
  /// What examples of a batch must exceed.
  ExampleSearch search(const std::vector<model::LayerBatch>& layers, const support::ClusterRows& rows) const;
  /// @throws ArgumentError if there is no room for so many bytes beside those that there are
  void require_room(std::uint64_t there, std::uint64_t bytes) const;
  struct Saved {
    model::Classes classes = model::Classes::any;
    ScoreCells cells;
  };
  Saved read(std::string_view state) const;
  /// Calls `body` with what all shards have together.
  template <typename Body>
  auto with_merged(const Body& body) const;

  std::vector<Method> methods_;
  std::vector<Method> position_methods_;  ///< those that have a value at each position
  Positions positions_;
  std::uint64_t seed_;
  std::uint64_t memory_limit_;  ///< 0 for what the machine has left
  std::size_t examples_;
  std::uint64_t restores_ = 0;  ///< how often states were restored where there are examples; of the only shard's lock
  ScoreSubject subject_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::shared_mutex forms_mutex_;
  std::map<LayerCall, LayerForm> forms_;
  std::atomic<std::uint64_t> bytes_ = 0;  ///< of all shards
  std::atomic<model::Classes> classes_ = model::Classes::any;
};

}  // namespace pregrad::attribution
