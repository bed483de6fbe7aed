#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <pregrad/export.hpp>
#include <pregrad/options.hpp>

namespace pregrad {

/// How the values of a cluster's samples are summed up.
enum class Aggregate : int { mean = 0, mean_abs = 1, rms = 2, std = 3, cancellation = 4 };

inline constexpr std::array<Aggregate, 5> all_aggregates = {Aggregate::mean, Aggregate::mean_abs, Aggregate::rms,
                                                            Aggregate::std, Aggregate::cancellation};

/// The name used by the command and in files, e.g. `mean_abs`.
PREGRAD_API std::string_view name_of(Aggregate aggregate);
/// @throws ArgumentError listing the aggregates if `name` is none of them
PREGRAD_API Aggregate aggregate_named(std::string_view name);

/// Aggregates over the samples of one cluster; each vector has one value per neuron.
struct PREGRAD_API Statistics {
  std::int64_t count = 0;        ///< number of samples
  std::vector<double> mean;      ///< Σv / n
  std::vector<double> mean_abs;  ///< Σ|v| / n
  std::vector<double> rms;       ///< √(Σv² / n)
  std::vector<double> std;       ///< √(Σ(v − mean)² / n), the population's

  /// |mean| / mean_abs per neuron: 1 where all samples agree in sign, near 0 where they cancel; NaN where all are 0.
  std::vector<double> cancellation() const;
  std::vector<double> of(Aggregate aggregate) const;
  /// The standard error of an aggregate per neuron, the samples taken as drawn independently: of the mean s / √n with
  /// s² = n·std² / (n − 1), of mean_abs likewise from rms² − mean_abs². NaN for other aggregates and below two samples.
  std::vector<double> standard_error(Aggregate aggregate) const;
};

/// The values of a batch's samples for one layer call and method, not summed up.
struct Explanation {
  std::string layer;  ///< canonical name, as Model::layers gives it
  std::int64_t call = 0;
  Method method = Method::gradient;
  std::int64_t samples = 0;
  std::int64_t neurons = 0;
  /// How many positions have values of their own; 0 where they are summed up as in scores.
  std::int64_t positions = 0;
  /// [samples, neurons] or [samples, positions, neurons], row-major; NaN at positions that do not count.
  std::vector<double> values;
};

/// One of the samples that make a neuron speak.
struct Example {
  std::string layer;  ///< canonical name, as Model::layers gives it
  std::int64_t call = 0;
  std::int64_t cluster = 0;
  Method method = Method::activation;
  std::int64_t neuron = 0;
  std::int64_t rank = 0;    ///< 0 for the one of the largest value
  std::int64_t sample = 0;  ///< how-manieth of all that were added, from 0
  /// The one where the value is largest, row-major; 0 for a layer without positions. Of a method that does not tell a
  /// value at each position that of the largest activation.
  std::int64_t position = 0;
  double value = 0;  ///< of the sample, as the method has it
};

/// The scores of one layer call, cluster and method, and of one position where each has its own.
struct Score {
  std::string layer;  ///< canonical name, as Model::layers gives it
  std::int64_t call = 0;
  std::int64_t cluster = 0;
  Method method = Method::gradient;
  Statistics statistics;
  /// Of integrated gradients and conductance: Σᵢ|Σⱼvᵢⱼ − Δyᵢ| / Σᵢ|Δyᵢ| over the cluster's samples i and the neurons j,
  /// Δy the difference of the output between both ends of the path. NaN for other methods, for the score of one
  /// position, or where no output differs.
  double completeness_error = std::numeric_limits<double>::quiet_NaN();
  std::optional<std::int64_t> position =
      std::nullopt;  ///< row-major over the axes of positions; empty for all positions together
};

/// The neurons in order of falling value, ties by index, NaN last.
PREGRAD_API std::vector<std::int64_t> ranking(const std::vector<double>& values);

/// Spearman's correlation of two lists of one length, with average ranks for ties (Kendall and Gibbons, Rank
/// Correlation Methods, 5th ed., ch. 3); NaN where one of them is constant.
/// @throws ArgumentError if the lengths differ
PREGRAD_API double rank_correlation(const std::vector<double>& left, const std::vector<double>& right);

/// A snapshot of what an Attribution or Probe has accumulated.
class PREGRAD_API Scores {
 public:
  /// What a requested name stands for: the canonical names and calls it resolved to.
  using Names = std::map<std::string, std::vector<std::pair<std::string, std::int64_t>>, std::less<>>;

  Scores(std::vector<Score> entries, Names names);

  /// All scores, ordered by layer (execution order), call, cluster, method, position.
  const std::vector<Score>& entries() const& { return entries_; }
  std::vector<Score> entries() && { return std::move(entries_); }
  /// The aliases that were asked for and what they resolved to.
  const Names& names() const& { return names_; }
  Names names() && { return std::move(names_); }

  /// The scores of `layer` (`name`, `name@call`, or an alias that was asked for).
  /// @throws LayerError if the name fits no score, or several calls
  /// @throws ArgumentError if the method or the cluster was not computed, or each position has scores of its own
  const Statistics& of(std::string_view layer, std::int64_t cluster, Method method) const&;
  Statistics of(std::string_view layer, std::int64_t cluster, Method method) &&;
  /// The scores at one position, where each has its own.
  /// @throws LayerError, ArgumentError as above, and ArgumentError if the layer has no such position
  const Statistics& of(std::string_view layer, std::int64_t cluster, Method method, std::int64_t position) const&;
  Statistics of(std::string_view layer, std::int64_t cluster, Method method, std::int64_t position) &&;

 private:
  /// @param position empty for what is of all positions together
  const Score& entry_of(std::string_view layer, std::int64_t cluster, Method method,
                        std::optional<std::int64_t> position) const;

  std::vector<Score> entries_;
  Names names_;
};

/// The means of Method::activation over the samples of all clusters, for AttributionOptions::means and
/// AblationOptions::means. (In the place of its own class's mean a neuron would still tell the class.)
/// @throws ArgumentError if the scores have no such method
PREGRAD_API std::vector<NeuronConstants> mean_activations(const Scores& scores);

}  // namespace pregrad
