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
  for (const Score& score : entries_) {
    if (score.layer == name && score.call == call && score.cluster == cluster && score.method == method) {
      return score.statistics;
    }
  }
  throw ArgumentError("no scores of layer " + quoted(statistics::to_string(name, call)) + " for cluster " +
                      std::to_string(cluster) + " and method " + std::string(name_of(method)) +
                      ": ask for a cluster in the data and a method that was requested");
}

Statistics Scores::of(std::string_view layer, std::int64_t cluster, Method method) && {
  return std::as_const(*this).of(layer, cluster, method);
}

}  // namespace pregrad
