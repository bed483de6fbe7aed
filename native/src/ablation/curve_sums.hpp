#pragma once

#include <cstdint>
#include <vector>

#include "pregrad/ablation.hpp"
#include "statistics/double_doubles.hpp"
#include "statistics/state.hpp"

namespace pregrad::ablation {

/// How many neurons are removed at each point of a curve: every count up to 128, else 129 evenly spaced ones.
std::vector<std::int64_t> removed_counts(std::int64_t neurons);

/// What the height at each point counts in the area under a curve, by the trapezoid rule over the removed share.
std::vector<double> trapezoid_weights(const std::vector<std::int64_t>& removed);

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

  /// Of the areas under the curves of single samples Σa², Σa·l and Σl², l the number of the sample's labels.
  struct AreaMoments {
    statistics::DoubleDouble squares;
    statistics::DoubleDouble products;
    statistics::DoubleDouble label_squares;

    void add(double area, double labels);
    void add(const AreaMoments& other);
    /// The standard error of Σa / Σl by its linear part, the samples drawn independently: what resampling whole samples
    /// comes to.
    double error(double area, std::int64_t samples, double labels) const;
  };
  /// Of the accuracy and of the output, whose labels are counted as one each.
  struct Areas {
    AreaMoments accuracy;
    AreaMoments output;
  };

  /// How many samples the cluster has and others have, and how many labels those have.
  struct Counts {
    std::int64_t samples = 0;
    std::int64_t outside_samples = 0;
    std::int64_t labels = 0;
    std::int64_t outside_labels = 0;
  };

  /// Adds the samples of one batch: `points` has one element per point of the curve.
  void add(const Counts& counts, const std::vector<Point>& points, const Areas& areas);

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
  Areas areas_;
};

}  // namespace pregrad::ablation
