#pragma once

#include <cstdint>
#include <span>

#include "pregrad/scores.hpp"
#include "statistics/batch_moments.hpp"
#include "statistics/double_doubles.hpp"
#include "statistics/state.hpp"

namespace pregrad::statistics {

/// Streaming statistics of one value per neuron over the samples of one cluster, in float64. Within a batch the spread
/// is taken about the batch's mean; batches merge by Chan's formula in doubled precision, so neither the order nor the
/// size of batches shows.
class ClusterAccumulator {
 public:
  explicit ClusterAccumulator(std::size_t neurons) : sum_(neurons), absolute_(neurons), squares_(neurons) {}

  /// Adds the samples of a batch.
  void add(const BatchMoments::Moments& moments);
  /// Adds one sample.
  void add(std::span<const double> sample);
  /// Adds what another has counted.
  void add(const ClusterAccumulator& other);

  std::size_t neurons() const { return sum_.size(); }
  std::int64_t count() const { return count_; }
  Statistics statistics() const;

  void save(StateWriter& writer) const;
  static ClusterAccumulator restored(StateReader& reader);

 private:
  std::int64_t count_ = 0;
  DoubleDoubles sum_;
  DoubleDoubles absolute_;
  DoubleDoubles squares_;
};

}  // namespace pregrad::statistics
