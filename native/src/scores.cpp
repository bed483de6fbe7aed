#include "pregrad/scores.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <string>
#include <utility>

#include "pregrad/ablation.hpp"
#include "pregrad/error.hpp"
#include "statistics/layer_reference.hpp"
#include "statistics/random_values.hpp"

namespace pregrad {

namespace {

std::string quoted(const std::string& text) { return "'" + text + "'"; }

/// Ranks from 1; equal values share the average of theirs.
std::vector<double> average_ranks(const std::vector<double>& values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) { return values[i] < values[j]; });
  std::vector<double> ranks(values.size());
  for (std::size_t first = 0; first < order.size();) {
    std::size_t last = first + 1;
    while (last < order.size() && values[order[last]] == values[order[first]]) {
      ++last;
    }
    for (std::size_t i = first; i < last; ++i) {
      ranks[order[i]] = static_cast<double>(first + 1 + last) / 2;
    }
    first = last;
  }
  return ranks;
}

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

std::vector<double> Statistics::standard_error(Aggregate aggregate) const {
  std::vector<double> errors(mean.size(), std::numeric_limits<double>::quiet_NaN());
  if (count < 2 || (aggregate != Aggregate::mean && aggregate != Aggregate::mean_abs)) {
    return errors;
  }
  const double root = std::sqrt(static_cast<double>(count - 1));
  for (std::size_t i = 0; i < errors.size(); ++i) {
    if (aggregate == Aggregate::mean || mean_abs[i] == std::abs(mean[i])) {
      errors[i] = std[i] / root;  // where all samples have one sign their magnitudes spread as they do
    } else {
      errors[i] = std::sqrt(std::max(0.0, (rms[i] - mean_abs[i]) * (rms[i] + mean_abs[i]))) / root;
    }
  }
  return errors;
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

std::vector<std::int64_t> ranking(const std::vector<double>& values) {
  std::vector<std::int64_t> order(values.size());
  std::iota(order.begin(), order.end(), 0);
  const auto value = [&](std::int64_t i) {
    const double each = values[static_cast<std::size_t>(i)];
    return std::isnan(each) ? -std::numeric_limits<double>::infinity() : each;
  };
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t i, std::int64_t j) { return value(i) > value(j); });
  return order;
}

double rank_correlation(const std::vector<double>& left, const std::vector<double>& right) {
  if (left.size() != right.size()) {
    throw ArgumentError("there are " + std::to_string(left.size()) + " and " + std::to_string(right.size()) +
                        " values to correlate: give as many of each");
  }
  const auto is_nan = [](double value) { return std::isnan(value); };
  if (std::any_of(left.begin(), left.end(), is_nan) || std::any_of(right.begin(), right.end(), is_nan)) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  const std::vector<double> x = average_ranks(left);
  const std::vector<double> y = average_ranks(right);
  const double centre = (static_cast<double>(left.size()) + 1) / 2;
  double products = 0;
  double x_squares = 0;
  double y_squares = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    products += (x[i] - centre) * (y[i] - centre);
    x_squares += (x[i] - centre) * (x[i] - centre);
    y_squares += (y[i] - centre) * (y[i] - centre);
  }
  return products / std::sqrt(x_squares * y_squares);
}

std::vector<RemovalOrder> removal_orders(const Scores& scores, const std::vector<Aggregate>& aggregates) {
  std::vector<RemovalOrder> orders;
  for (const Score& score : scores.entries()) {
    if (score.position) {
      throw ArgumentError("the scores of '" + statistics::to_string(score.layer, score.call) +
                          "' are those of its positions, and a neuron is removed at all of them: take positions "
                          "together for orders of neurons");
    }
    // One number per neuron has one order, however its samples are summed up.
    const std::vector<Aggregate> wanted =
        score.method == Method::random ? std::vector<Aggregate>{Aggregate::mean} : aggregates;
    for (const Aggregate aggregate : wanted) {
      orders.push_back({score.layer, score.call, score.cluster, score.method, aggregate, 0,
                        ranking(score.statistics.of(aggregate))});
    }
  }
  return orders;
}

std::vector<RemovalOrder> random_orders(const std::string& layer, std::int64_t call, std::int64_t cluster,
                                        std::int64_t neurons, std::int64_t repeats, std::uint64_t seed) {
  if (neurons < 0 || repeats < 0) {
    throw ArgumentError("there are " + std::to_string(repeats) + " random orders of " + std::to_string(neurons) +
                        " neurons to be drawn: give counts from 0");
  }
  std::vector<RemovalOrder> orders;
  orders.reserve(static_cast<std::size_t>(repeats));
  for (std::int64_t repeat = 0; repeat < repeats; ++repeat) {
    orders.push_back({layer, call, cluster, Method::random, Aggregate::mean, repeat,
                      ranking(statistics::random_values(layer, call, cluster, neurons, repeat, seed))});
  }
  return orders;
}

}  // namespace pregrad
