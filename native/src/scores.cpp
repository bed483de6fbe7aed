#include "pregrad/scores.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "pregrad/error.hpp"
#include "statistics/layer_reference.hpp"

namespace pregrad {

namespace {

std::string quoted(const std::string& text) { return "'" + text + "'"; }

}  // namespace

std::vector<double> Statistics::cancellation() const {
  std::vector<double> shares;
  shares.reserve(mean.size());
  for (std::size_t i = 0; i < mean.size(); ++i) {
    shares.push_back(mean_abs[i] > 0 ? std::min(1.0, std::abs(mean[i]) / mean_abs[i])
                                     : std::numeric_limits<double>::quiet_NaN());
  }
  return shares;
}

std::vector<double> Statistics::of(Aggregate aggregate) const {
  switch (aggregate) {
    case Aggregate::mean:
      return mean;
    case Aggregate::mean_abs:
      return mean_abs;
    case Aggregate::rms:
      return rms;
    case Aggregate::std:
      return std;
    case Aggregate::cancellation:
      return cancellation();
  }
  throw ArgumentError("there is no aggregate " + std::to_string(static_cast<int>(aggregate)) +
                      ": use headers and library of one build");
}

Scores::Scores(std::vector<Score> entries, Names names) : entries_(std::move(entries)), names_(std::move(names)) {}

const Statistics& Scores::of(std::string_view layer, std::int64_t cluster, Method method) const& {
  return entry_of(layer, cluster, method, std::nullopt).statistics;
}

const Statistics& Scores::of(std::string_view layer, std::int64_t cluster, Method method,
                             std::int64_t position) const& {
  return entry_of(layer, cluster, method, position).statistics;
}

const Score& Scores::entry_of(std::string_view layer, std::int64_t cluster, Method method,
                              std::optional<std::int64_t> position) const {
  const auto alias = names_.find(layer);
  std::set<std::pair<std::string, std::int64_t>> calls;
  std::set<std::string> known;
  const auto reference = statistics::LayerReference::parse(layer);
  for (const Score& score : entries_) {
    known.insert(statistics::to_string(score.layer, score.call));
    const bool named = reference.matches(score.layer, score.call);
    const bool aliased =
        alias != names_.end() && std::any_of(alias->second.begin(), alias->second.end(), [&](const auto& each) {
          return each.first == score.layer && (each.second < 0 || each.second == score.call);
        });
    if (named || aliased) {
      calls.emplace(score.layer, score.call);
    }
  }
  if (calls.empty()) {
    throw LayerError("no scores of layer " + quoted(std::string(layer)) + ": there are " + statistics::listed(known));
  }
  if (calls.size() > 1) {
    std::set<std::string> candidates;
    for (const auto& [name, call] : calls) {
      candidates.insert(statistics::to_string(name, call));
    }
    throw LayerError("layer " + quoted(std::string(layer)) + " has several calls: name one of " +
                     statistics::listed(candidates));
  }
  const auto& [name, call] = *calls.begin();
  std::optional<std::int64_t> last;  // of the positions that have scores
  bool has_together = false;
  for (const Score& score : entries_) {
    if (score.layer != name || score.call != call || score.cluster != cluster || score.method != method) {
      continue;
    }
    if (score.position == position) {
      return score;
    }
    last = std::max(last, score.position);
    has_together = has_together || !score.position;
  }
  const std::string what = "layer " + quoted(statistics::to_string(name, call)) + " for cluster " +
                           std::to_string(cluster) + " and method " + std::string(name_of(method));
  if (last && !position) {
    throw ArgumentError("the scores of " + what + " are those of its positions: name one, up to " +
                        std::to_string(*last));
  }
  if (last) {
    throw ArgumentError("no scores of " + what + " at position " + std::to_string(*position) +
                        ": name one that counts for some sample, up to " + std::to_string(*last));
  }
  if (has_together) {
    throw ArgumentError("the scores of " + what + " are those of all positions together: name none");
  }
  throw ArgumentError("no scores of " + what + ": ask for a cluster in the data and a method that was requested");
}

Statistics Scores::of(std::string_view layer, std::int64_t cluster, Method method) && {
  return std::as_const(*this).of(layer, cluster, method);
}

Statistics Scores::of(std::string_view layer, std::int64_t cluster, Method method, std::int64_t position) && {
  return std::as_const(*this).of(layer, cluster, method, position);
}

}  // namespace pregrad
