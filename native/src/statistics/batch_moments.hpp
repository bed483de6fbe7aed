#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "statistics/neuron_values.hpp"
#include "support/cluster_rows.hpp"

namespace pregrad::statistics {

/// What the samples of each cluster of one batch come to per neuron, in float64, from one pass over the values. The
/// spread is taken about the cluster's first sample: Σ(v − s)² − (Σ(v − s))²/n loses nothing to speak of, because a
/// member of the batch is never further from the mean than √n standard deviations.
class BatchMoments {
 public:
  BatchMoments(const NeuronValues& values, const support::ClusterRows& rows);
  /// What someone else has added up.
  /// @param sums [clusters, 3, neurons]: Σv, Σ|v|, Σ(v − mean)²
  BatchMoments(std::vector<double> sums, std::size_t neurons, const support::ClusterRows& rows);

  /// Of one cluster, one number per neuron.
  struct Moments {
    std::int64_t count = 0;
    std::size_t neurons = 0;
    const double* sum = nullptr;
    const double* absolute = nullptr;
    const double* spread = nullptr;  ///< Σ(v − mean)²
  };

  /// @param cluster counted as in ClusterRows
  Moments of(std::size_t cluster) const;

 private:
  std::size_t neurons_ = 0;
  std::vector<std::int64_t> counts_;
  std::vector<double> sums_;  ///< [clusters, 3, neurons]
};

}  // namespace pregrad::statistics
