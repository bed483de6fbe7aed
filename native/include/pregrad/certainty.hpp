#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <pregrad/export.hpp>
#include <pregrad/options.hpp>
#include <pregrad/scores.hpp>

namespace pregrad {

/// How far the scores of one cluster are from those of another, for one layer call and method, and for one position
/// where each has its own. Each vector has one value per neuron; the samples of both clusters are taken as drawn
/// independently.
struct Difference {
  std::string layer;  ///< canonical name, as Model::layers gives it
  std::int64_t call = 0;
  std::int64_t cluster = 0;
  std::int64_t against = 0;  ///< the other cluster
  Method method = Method::gradient;
  Aggregate aggregate = Aggregate::mean;
  std::optional<std::int64_t> position = std::nullopt;  ///< as Score::position
  std::vector<double> difference;                       ///< this cluster's aggregate minus the other's
  /// √(sₐ² + s_b²), s the standard errors of both, and the degrees of freedom of Welch and Satterthwaite for it
  /// (Biometrika 34, 1947): NaN below two samples on a side.
  std::vector<double> standard_error;
  std::vector<double> degrees;
  std::vector<double> low;  ///< of the confidence interval by Student's t, and `high`
  std::vector<double> high;
  std::vector<double> p;  ///< of Welch's test that there is no difference, two-sided
  /// The false discovery rate at which the neuron would just be called different, by Benjamini and Hochberg (J. R.
  /// Stat. Soc. B 57, 1995). The family is all neurons of this layer call, method and pair of clusters, at all
  /// positions where these have scores of their own; those without a p do not count.
  std::vector<double> q;
};

/// The differences of every cluster from `against`, ordered as the scores are; there is none where `against` has no
/// samples (at a position). For Method::random, whose numbers are drawn and not measured, all but `difference` is NaN.
/// Where no sample of either side differs from the others the error is 0: p is 1 for equal scores and 0 for others.
/// @param aggregate  Aggregate::mean or Aggregate::mean_abs, which have a standard error
/// @param confidence of the intervals, between 0 and 1
/// @throws ArgumentError if `against` is no cluster of the scores, or the aggregate or the confidence is another
PREGRAD_API std::vector<Difference> differences(const Scores& scores, std::int64_t against,
                                                Aggregate aggregate = Aggregate::mean, double confidence = 0.95);

/// The probability that Student's t with so many degrees of freedom is further from 0 than `t`. NaN for NaN.
/// @throws ArgumentError if `degrees` is not above 0
PREGRAD_API double student_t_p(double t, double degrees);
/// The t beyond which, on both sides together, that probability is 1 − `confidence`.
/// @throws ArgumentError if `degrees` is not above 0, or `confidence` not between 0 and 1
PREGRAD_API double student_t_bound(double confidence, double degrees);
/// The q of each p, as Difference::q; NaN stays NaN and does not count.
PREGRAD_API std::vector<double> false_discovery_rates(const std::vector<double>& p);

/// How selective neurons are over clusters of samples.
struct Selectivity {
  std::vector<std::int64_t> clusters;  ///< rising
  /// Per neuron −Σ w·ln w in nats, w_c = |m_c| / Σ|m|, m_c the mean of cluster c: 0 where the neuron speaks for one
  /// cluster only, the logarithm of the number of clusters where it speaks for all alike, NaN where all means are 0.
  /// A mean counts by its size: which side of 0 it is on shows in `auroc`.
  std::vector<double> entropy;
  /// Per cluster and neuron the area under the receiver operating characteristic of the values, the cluster's samples
  /// against all others: the probability that one of its samples has the larger value, ties counted by half. By ranks,
  /// so exact; NaN where there are no others.
  std::vector<std::vector<double>> auroc;
};

/// Selectivity of values per sample, such as activations, which are all in memory: 8 bytes each.
/// @param values   [samples, neurons], row-major, finite
/// @param neurons  at least 1
/// @param clusters one per sample
/// @throws ArgumentError if there is no sample, the numbers do not fit each other, or a value is not finite
PREGRAD_API Selectivity selectivity(const std::vector<double>& values, std::int64_t neurons,
                                    const std::vector<std::int64_t>& clusters);

}  // namespace pregrad
