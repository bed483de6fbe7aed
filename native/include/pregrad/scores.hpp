#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <pregrad/export.hpp>
#include <pregrad/options.hpp>

namespace pregrad {

/// Aggregates over the samples of one cluster; each vector has one value per neuron.
struct Statistics {
  std::int64_t count = 0;        ///< number of samples
  std::vector<double> mean;      ///< Σv / n
  std::vector<double> mean_abs;  ///< Σ|v| / n
  std::vector<double> rms;       ///< √(Σv² / n)
  std::vector<double> std;       ///< √(Σ(v − mean)² / n), the population's
};

/// The scores of one layer call, cluster and method.
struct Score {
  std::string layer;  ///< canonical name, as Model::layers gives it
  std::int64_t call = 0;
  std::int64_t cluster = 0;
  Method method = Method::gradient;
  Statistics statistics;
};

/// A snapshot of what an Attribution or Probe has accumulated.
class PREGRAD_API Scores {
 public:
  /// What a requested name stands for: the canonical names and calls it resolved to.
  using Names = std::map<std::string, std::vector<std::pair<std::string, std::int64_t>>, std::less<>>;

  Scores(std::vector<Score> entries, Names names);

  /// All scores, ordered by layer (execution order), call, cluster, method.
  const std::vector<Score>& entries() const& { return entries_; }
  std::vector<Score> entries() && { return std::move(entries_); }
  /// The aliases that were asked for and what they resolved to.
  const Names& names() const& { return names_; }
  Names names() && { return std::move(names_); }

  /// The scores of `layer` (`name`, `name@call`, or an alias that was asked for).
  /// @throws LayerError if the name fits no score, or several calls
  /// @throws ArgumentError if the method or the cluster was not computed
  const Statistics& of(std::string_view layer, std::int64_t cluster, Method method) const&;
  Statistics of(std::string_view layer, std::int64_t cluster, Method method) &&;

 private:
  std::vector<Score> entries_;
  Names names_;
};

}  // namespace pregrad
