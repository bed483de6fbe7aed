#pragma once

#include <cstdint>
#include <vector>

#include "pregrad/ablation.hpp"
#include "statistics/double_doubles.hpp"
#include "statistics/state.hpp"

namespace pregrad::ablation {

/// How many neurons are removed at each point of a curve: every count up to 128, else 129 evenly spaced ones.
std::vector<std::int64_t> removed_counts(std::int64_t neurons);

/// What the samples of all batches come to along one curve.
class CurveSums {
 public:
  explicit CurveSums(std::size_t points) : points_(points) {}

  struct Point {
    std::int64_t correct = 0;
    std::int64_t outside_correct = 0;
    statistics::DoubleDouble output;
    statistics::DoubleDouble cross_entropy;
  };

  /// How many samples the cluster has and others have, and how many labels those have.
  struct Counts {
    std::int64_t samples = 0;
    std::int64_t outside_samples = 0;
    std::int64_t labels = 0;
    std::int64_t outside_labels = 0;
  };

  /// Adds the samples of one batch: `points` has one element per point of the curve.
  void add(const Counts& counts, const std::vector<Point>& points);

  /// Adds what other sums along the same curve have counted.
  void add(const CurveSums& other);
  std::int64_t samples() const { return counts_.samples + counts_.outside_samples; }

  /// @param is_classifier whether accuracy and cross-entropy mean anything
  RemovalCurve curve(const RemovalOrder& order, bool is_classifier) const;

  void save(statistics::StateWriter& writer) const;
  void restore(statistics::StateReader& reader);

 private:
  Counts counts_;
  std::vector<Point> points_;
};

}  // namespace pregrad::ablation
