#include <string>

#include "pregrad/ablation.hpp"
#include "pregrad/error.hpp"
#include "statistics/random_values.hpp"

namespace pregrad {

std::vector<RemovalOrder> removal_orders(const Scores& scores, const std::vector<Aggregate>& aggregates) {
  std::vector<RemovalOrder> orders;
  for (const Score& score : scores.entries()) {
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
