#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "pregrad/scores.hpp"
#include "statistics/exact_sum.hpp"
#include "statistics/state.hpp"

namespace pregrad::statistics {

/// Streaming statistics of one value per neuron over the samples of one cluster, in float64. Within a batch the spread
/// is taken about the batch's mean; batches merge by Chan's formula in doubled precision, so neither the order nor the
/// size of batches shows.
class ClusterAccumulator {
 public:
  explicit ClusterAccumulator(std::size_t neurons) : sums_(neurons) {}

  /// Adds the samples `rows` of `values`, which has one row of `neurons` values per sample.
  void add(std::span<const double> values, std::span<const std::int64_t> rows);

  std::size_t neurons() const { return sums_.size(); }
  std::int64_t count() const { return count_; }
  Statistics statistics() const;

  void save(StateWriter& writer) const;
  static ClusterAccumulator restored(StateReader& reader);

 private:
  struct Sums {
    ExactSum sum;
    ExactSum absolute;
    ExactSum squares;
  };

  std::int64_t count_ = 0;
  std::vector<Sums> sums_;
};

}  // namespace pregrad::statistics
