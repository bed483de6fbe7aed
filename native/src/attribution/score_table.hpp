#pragma once

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

/// The statistics of every layer call, cluster and method, for any number of threads.
class ScoreTable {
 public:
  /// @param seed of Method::random
  ScoreTable(std::vector<Method> methods, std::uint64_t seed, ScoreSubject subject = {});

  /// What the layers of a batch add; the tensors they came from are no longer needed then.
  /// @throws InputError, UnsupportedModelError as reduction_of
  std::vector<LayerAddition> additions(const std::vector<model::LayerBatch>& layers,
                                       const std::shared_ptr<const support::ClusterRows>& rows) const;
  /// The same of what a device made of each layer's tensors.
  std::vector<LayerAddition> additions(const std::vector<model::LayerBatch>& layers,
                                       const std::shared_ptr<const support::ClusterRows>& rows,
                                       const std::vector<methods::DeviceMethods>& ready) const;
  /// Adds all or, if it throws, nothing.
  /// @throws InputError if a layer has another number of neurons than before
  void add(const std::vector<LayerAddition>& additions);

  /// Tells what labels have shown; it decides the sign of scores by one output.
  void note(model::Classes classes);

  std::vector<Score> scores() const;

  std::string save() const;
  /// Takes the place of what was added, or, if it throws, does nothing.
  /// @throws ArgumentError if the state is not that of a table of the same methods and subject
  void restore(std::string_view state);
  /// Adds what a state holds to what was added, or, if it throws, does nothing.
  /// @throws ArgumentError as restore, or if a layer has another number of neurons there
  void merge(std::string_view state);

 private:
  /// Threads that come at once add to a shard each, so that none waits for another; a single thread only ever uses the
  /// first. Their sums are exact enough that who added where does not show.
  struct Shard {
    explicit Shard(std::vector<Method> methods) : cells(std::move(methods)) {}
    std::mutex mutex;
    ScoreCells cells;
  };

  void require_known_neurons(const std::vector<LayerAddition>& additions);
  struct Saved {
    model::Classes classes = model::Classes::any;
    ScoreCells cells;
  };
  Saved read(std::string_view state) const;
  ScoreCells merged() const;

  std::vector<Method> methods_;
  std::uint64_t seed_;
  ScoreSubject subject_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::shared_mutex neurons_mutex_;
  std::map<LayerCall, std::size_t> neurons_;
  std::atomic<model::Classes> classes_ = model::Classes::any;
};

}  // namespace pregrad::attribution
