#include "pregrad/certainty.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <set>
#include <tuple>

#include "pregrad/error.hpp"
#include "statistics/layer_reference.hpp"

namespace pregrad {

namespace {

constexpr double none = std::numeric_limits<double>::quiet_NaN();

/// ln Γ(a + ½) − ln Γ(a). Of large a both terms are large and nearly equal, so that a series in 1/a takes their place.
double log_gamma_step(double a) {
  constexpr double large = 50;
  if (a < large) {
    return std::lgamma(a + 0.5) - std::lgamma(a);
  }
  const double inverse = 1 / a;
  const double square = inverse * inverse;
  return std::log(a) / 2 - inverse * (1.0 / 8 - square * (1.0 / 192 - square * (1.0 / 640 - square * (17.0 / 14336))));
}

/// The continued fraction of the incomplete beta function (DLMF 8.17.22) by Lentz's rule; x below (a + 1) / (a + b +
/// 2).
double beta_fraction(double a, double b, double x) {
  constexpr double tiny = std::numeric_limits<double>::min();
  constexpr double enough = std::numeric_limits<double>::epsilon();
  constexpr int most = 1 << 20;
  const auto away_from_0 = [](double value) { return std::abs(value) < tiny ? tiny : value; };
  double c = 1;
  double d = 1 / away_from_0(1 - (a + b) * x / (a + 1));
  double fraction = d;
  for (int m = 1; m < most; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away_from_0(1 + even * d);
    c = away_from_0(1 + even / c);
    fraction *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away_from_0(1 + odd * d);
    c = away_from_0(1 + odd / c);
    const double factor = d * c;
    fraction *= factor;
    if (std::abs(factor - 1) <= enough) {
      break;
    }
  }
  return fraction;
}

void require_degrees(double degrees) {
  if (!(degrees > 0)) {
    throw ArgumentError("there are " + std::to_string(degrees) +
                        " degrees of freedom: Student's t needs more than 0, which two samples give");
  }
}

void require_confidence(double confidence) {
  if (!(confidence > 0 && confidence < 1)) {
    throw ArgumentError("the confidence is " + std::to_string(confidence) + ": give one between 0 and 1, such as 0.95");
  }
}

/// ln of Student's density at t.
double log_density(double t, double degrees) {
  constexpr double log_pi = 1.1447298858494002;
  return log_gamma_step(degrees / 2) - (std::log(degrees) + log_pi) / 2 -
         (degrees + 1) / 2 * std::log1p(t / degrees * t);
}

/// All entries but for the cluster: what scores of two clusters must share to be compared.
using Key = std::tuple<std::string, std::int64_t, Method, std::optional<std::int64_t>>;

Key key_of(const Score& score) { return {score.layer, score.call, score.method, score.position}; }

Difference difference_of(const Score& score, const Score& other, Aggregate aggregate, double confidence) {
  const std::vector<double> values = score.statistics.of(aggregate);
  const std::size_t neurons = values.size();
  Difference result{score.layer,
                    score.call,
                    score.cluster,
                    other.cluster,
                    score.method,
                    aggregate,
                    score.position,
                    {},
                    {},
                    {},
                    {},
                    {},
                    {},
                    {}};
  for (std::vector<double>* each :
       {&result.difference, &result.standard_error, &result.degrees, &result.low, &result.high, &result.p, &result.q}) {
    each->assign(neurons, none);
  }
  const std::vector<double> others = other.statistics.of(aggregate);
  const std::vector<double> errors = score.statistics.standard_error(aggregate);
  const std::vector<double> other_errors = other.statistics.standard_error(aggregate);
  const auto own_degrees = static_cast<double>(score.statistics.count - 1);
  const auto other_degrees = static_cast<double>(other.statistics.count - 1);
  for (std::size_t i = 0; i < neurons; ++i) {
    result.difference[i] = values[i] - others[i];
    const double own = errors[i] * errors[i];
    const double its = other_errors[i] * other_errors[i];
    if (score.method == Method::random || std::isnan(own) || std::isnan(its)) {
      continue;
    }
    const double size = std::abs(result.difference[i]);
    if (own + its == 0) {
      result.standard_error[i] = 0;
      result.low[i] = result.high[i] = result.difference[i];
      result.p[i] = size > 0 ? 0 : 1;
      continue;
    }
    // Shares rather than squares of squares, which could underflow.
    const double share = own / (own + its);
    const double degrees = 1 / (share * share / own_degrees + (1 - share) * (1 - share) / other_degrees);
    result.standard_error[i] = std::sqrt(own + its);
    result.degrees[i] = degrees;
    const double reach = student_t_bound(confidence, degrees) * result.standard_error[i];
    result.low[i] = result.difference[i] - reach;
    result.high[i] = result.difference[i] + reach;
    result.p[i] = student_t_p(size / result.standard_error[i], degrees);
  }
  return result;
}

}  // namespace

double student_t_p(double t, double degrees) {
  require_degrees(degrees);
  if (std::isnan(t)) {
    return none;
  }
  const double size = std::abs(t);
  if (std::isinf(size)) {
    return 0;
  }
  if (size == 0) {
    return 1;
  }
  // P(|T| > t) = I_x(ν/2, ½) with x = ν / (ν + t²); that of the other side where its fraction converges better.
  const double half = degrees / 2;
  const double ratio = size / degrees * size;
  const double x = 1 / (1 + ratio);
  const double front = std::exp(log_gamma_step(half) - std::log(std::acos(-1.0)) / 2 - half * std::log1p(ratio) +
                                std::log(ratio / (1 + ratio)) / 2);
  if (x < (half + 1) / (half + 2.5)) {
    return std::min(1.0, front * beta_fraction(half, 0.5, x) / half);
  }
  return std::max(0.0, 1 - front * beta_fraction(0.5, half, ratio / (1 + ratio)) / 0.5);
}

double student_t_bound(double confidence, double degrees) {
  require_degrees(degrees);
  require_confidence(confidence);
  // Newton's steps in ln t and ln p, in which the tail is nearly a line, held between bounds that close in.
  const double wanted = std::log1p(-confidence);
  double low = -745;
  double high = 709;
  double log_t = 0.5;
  constexpr int most = 200;
  for (int i = 0; i < most && high - low > 1e-15 * std::max(1.0, std::abs(log_t)); ++i) {
    const double t = std::exp(log_t);
    const double p = student_t_p(t, degrees);
    const double miss = std::log(p) - wanted;
    (miss > 0 ? low : high) = log_t;
    const double slope = -2 * std::exp(log_density(t, degrees) + log_t) / p;
    const double next = log_t - miss / slope;
    const bool is_usable = next > low && next < high;  // false for what is no number
    const double step = (is_usable ? next : (low + high) / 2) - log_t;
    log_t += step;
    if (is_usable && std::abs(step) < 1e-14) {
      break;
    }
  }
  return std::exp(log_t);
}

std::vector<double> false_discovery_rates(const std::vector<double>& p) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < p.size(); ++i) {
    if (!std::isnan(p[i])) {
      order.push_back(i);
    }
  }
  std::stable_sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) { return p[i] < p[j]; });
  std::vector<double> q(p.size(), none);
  double least = 1;
  for (std::size_t rank = order.size(); rank > 0; --rank) {
    const std::size_t i = order[rank - 1];
    least = std::min(least, p[i] * static_cast<double>(order.size()) / static_cast<double>(rank));
    q[i] = least;
  }
  return q;
}

std::vector<Difference> differences(const Scores& scores, std::int64_t against, Aggregate aggregate,
                                    double confidence) {
  require_confidence(confidence);
  if (aggregate != Aggregate::mean && aggregate != Aggregate::mean_abs) {
    throw ArgumentError("a difference of " + std::string(name_of(aggregate)) +
                        " has no interval, as its standard error is not known: choose mean or mean_abs");
  }
  std::map<Key, const Score*> others;
  std::set<std::string> clusters;
  for (const Score& score : scores.entries()) {
    clusters.insert(std::to_string(score.cluster));
    if (score.cluster == against) {
      others.emplace(key_of(score), &score);
    }
  }
  if (others.empty()) {
    throw ArgumentError("there is no cluster " + std::to_string(against) + " to compare with: the scores have " +
                        statistics::listed(clusters));
  }
  std::vector<Difference> result;
  using Family = std::tuple<std::string, std::int64_t, std::int64_t, Method>;
  std::map<Family, std::vector<std::size_t>> families;
  for (const Score& score : scores.entries()) {
    if (score.cluster == against) {
      continue;
    }
    const auto other = others.find(key_of(score));
    if (other == others.end()) {
      continue;
    }
    families[{score.layer, score.call, score.cluster, score.method}].push_back(result.size());
    result.push_back(difference_of(score, *other->second, aggregate, confidence));
  }
  for (const auto& [family, members] : families) {
    std::vector<double> all;
    for (const std::size_t member : members) {
      all.insert(all.end(), result[member].p.begin(), result[member].p.end());
    }
    const std::vector<double> rates = false_discovery_rates(all);
    auto next = rates.begin();
    for (const std::size_t member : members) {
      std::vector<double>& q = result[member].q;
      std::copy_n(next, q.size(), q.begin());
      next += static_cast<std::ptrdiff_t>(q.size());
    }
  }
  return result;
}

namespace {

/// Σ of the ranks of each cluster's values, from 1, ties by their average, in terms of places in `counts`.
std::vector<double> rank_sums(const std::vector<double>& values, const std::vector<std::size_t>& places,
                              std::size_t clusters, std::vector<std::size_t>& order) {
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) { return values[i] < values[j]; });
  std::vector<double> sums(clusters, 0);
  for (std::size_t first = 0; first < order.size();) {
    std::size_t last = first + 1;
    while (last < order.size() && values[order[last]] == values[order[first]]) {
      ++last;
    }
    for (std::size_t i = first; i < last; ++i) {
      sums[places[order[i]]] += static_cast<double>(first + 1 + last) / 2;
    }
    first = last;
  }
  return sums;
}

double entropy_of(const std::vector<double>& means) {
  const double total =
      std::accumulate(means.begin(), means.end(), 0.0, [](double sum, double mean) { return sum + std::abs(mean); });
  if (!(total > 0)) {
    return none;
  }
  double entropy = 0;
  for (const double mean : means) {
    const double share = std::abs(mean) / total;
    entropy -= share > 0 ? share * std::log(share) : 0;
  }
  return std::max(0.0, entropy);
}

}  // namespace

Selectivity selectivity(const std::vector<double>& values, std::int64_t neurons,
                        const std::vector<std::int64_t>& clusters) {
  const std::size_t samples = clusters.size();
  if (neurons < 1 || samples == 0 || values.size() != samples * static_cast<std::size_t>(neurons)) {
    throw ArgumentError("there are " + std::to_string(values.size()) + " values of " + std::to_string(samples) +
                        " samples and " + std::to_string(neurons) +
                        " neurons: give at least one sample, and a value for each neuron of each");
  }
  const auto wrong = std::find_if(values.begin(), values.end(), [](double value) { return !std::isfinite(value); });
  if (wrong != values.end()) {
    throw ArgumentError("the value of sample " + std::to_string((wrong - values.begin()) / neurons) + " and neuron " +
                        std::to_string((wrong - values.begin()) % neurons) +
                        " is NaN or infinity, which has no rank: leave that sample out");
  }
  std::map<std::int64_t, std::size_t> counts;
  for (const std::int64_t cluster : clusters) {
    ++counts[cluster];
  }
  Selectivity result;
  std::map<std::int64_t, std::size_t> place_of;
  for (const auto& [cluster, count] : counts) {
    place_of.emplace(cluster, result.clusters.size());
    result.clusters.push_back(cluster);
  }
  std::vector<std::size_t> places;
  places.reserve(samples);
  std::transform(clusters.begin(), clusters.end(), std::back_inserter(places),
                 [&](std::int64_t cluster) { return place_of.at(cluster); });
  const auto width = static_cast<std::size_t>(neurons);
  result.auroc.assign(result.clusters.size(), std::vector<double>(width, none));
  result.entropy.assign(width, none);
  std::vector<double> column(samples);
  std::vector<std::size_t> order(samples);
  for (std::size_t neuron = 0; neuron < width; ++neuron) {
    std::vector<double> means(result.clusters.size(), 0);
    for (std::size_t sample = 0; sample < samples; ++sample) {
      column[sample] = values[sample * width + neuron];
      means[places[sample]] += column[sample];
    }
    const std::vector<double> sums = rank_sums(column, places, result.clusters.size(), order);
    for (std::size_t place = 0; place < result.clusters.size(); ++place) {
      const auto inside = static_cast<double>(counts.at(result.clusters[place]));
      const double outside = static_cast<double>(samples) - inside;
      means[place] /= inside;
      // Mann and Whitney's U over the number of pairs.
      result.auroc[place][neuron] = outside > 0 ? (sums[place] - inside * (inside + 1) / 2) / (inside * outside) : none;
    }
    result.entropy[neuron] = entropy_of(means);
  }
  return result;
}

}  // namespace pregrad
