#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "fixtures.hpp"
#include "pregrad/pregrad.hpp"

namespace pregrad::test::certainty_test {

namespace {

constexpr std::int64_t neurons = 8;

/// tests/fixtures/certainty/values.csv
struct Values {
  std::vector<double> values;  ///< [samples, neurons]
  std::vector<std::int64_t> clusters;
};

Values read_values() {
  Values result;
  for (auto& row : read_csv(fixture_path("certainty/values.csv"))) {
    result.clusters.push_back(std::stoll(row["cluster"]));
    for (std::int64_t neuron = 0; neuron < neurons; ++neuron) {
      std::string column = "v";
      column.append(std::to_string(neuron));
      result.values.push_back(std::stod(row[column]));
    }
  }
  return result;
}

/// What an attribution would say of the values of one cluster.
Score score_of(const Values& all, std::int64_t cluster, Method method = Method::gradient) {
  Score score;
  score.layer = "act";
  score.cluster = cluster;
  score.method = method;
  Statistics& statistics = score.statistics;
  const std::vector<double> zeros(neurons, 0);
  statistics.mean = statistics.mean_abs = statistics.rms = statistics.std = zeros;
  statistics.count = std::count(all.clusters.begin(), all.clusters.end(), cluster);
  const auto visit = [&](const auto& visitor) {
    for (std::size_t i = 0; i < all.values.size(); ++i) {
      if (all.clusters[i / neurons] == cluster) {
        visitor(i % neurons, all.values[i]);
      }
    }
  };
  const auto share = 1.0 / static_cast<double>(statistics.count);
  visit([&](std::size_t neuron, double value) {
    statistics.mean[neuron] += share * value;
    statistics.mean_abs[neuron] += share * std::abs(value);
    statistics.rms[neuron] += share * value * value;
  });
  visit([&](std::size_t neuron, double value) {
    statistics.std[neuron] += share * std::pow(value - statistics.mean[neuron], 2);
  });
  for (std::size_t neuron = 0; neuron < neurons; ++neuron) {
    statistics.rms[neuron] = std::sqrt(statistics.rms[neuron]);
    statistics.std[neuron] = std::sqrt(statistics.std[neuron]);
  }
  return score;
}

void expect_close(double seen, const std::string& truth, double tolerance) {
  if (truth.empty()) {
    EXPECT_TRUE(std::isnan(seen)) << seen;
  } else {
    const double expected = std::stod(truth);
    EXPECT_NEAR(seen, expected, tolerance * std::max(1e-300, std::abs(expected)));
  }
}

TEST(StudentTest, IsThatOfSciPy) {
  for (auto& row : read_csv(fixture_path("certainty/student.csv"))) {
    SCOPED_TRACE(testing::Message() << row["what"] << " " << row["degrees"] << " " << row["of"]);
    const double degrees = std::stod(row["degrees"]);
    const double of = std::stod(row["of"]);
    expect_close(row["what"] == "p" ? student_t_p(of, degrees) : student_t_bound(of, degrees), row["value"], 1e-9);
  }
}

TEST(StudentTest, EndsAreWhatTheyMustBe) {
  EXPECT_EQ(student_t_p(0, 5), 1);
  EXPECT_EQ(student_t_p(-2, 5), student_t_p(2, 5));
  EXPECT_EQ(student_t_p(std::numeric_limits<double>::infinity(), 5), 0);
  EXPECT_TRUE(std::isnan(student_t_p(std::nan(""), 5)));
  EXPECT_THROW(student_t_p(1, 0), ArgumentError);
  EXPECT_THROW(student_t_p(1, std::nan("")), ArgumentError);
  EXPECT_THROW(student_t_bound(1, 5), ArgumentError);
  EXPECT_THROW(student_t_bound(0, 5), ArgumentError);
}

TEST(DifferencesTest, AreThoseOfSciPy) {
  const Values all = read_values();
  const Scores scores({score_of(all, 3), score_of(all, 5), score_of(all, 11)}, {});
  for (const Aggregate aggregate : {Aggregate::mean, Aggregate::mean_abs}) {
    std::map<std::int64_t, Difference> by_cluster;
    for (const Difference& each : differences(scores, 5, aggregate, 0.9)) {
      EXPECT_EQ(each.against, 5);
      EXPECT_EQ(each.aggregate, aggregate);
      by_cluster[each.cluster] = each;
    }
    EXPECT_EQ(by_cluster.size(), 2U);
    for (auto& row : read_csv(fixture_path("certainty/welch.csv"))) {
      if (row["aggregate"] != name_of(aggregate)) {
        continue;
      }
      SCOPED_TRACE(testing::Message() << row["aggregate"] << " cluster " << row["cluster"] << " neuron "
                                      << row["neuron"]);
      const auto neuron = static_cast<std::size_t>(std::stoll(row["neuron"]));
      const Difference& seen = by_cluster.at(std::stoll(row["cluster"]));
      // Values near 1000 that spread by a thousandth leave ten digits of their difference.
      const double tolerance = neuron == 5 ? 1e-5 : 1e-9;
      expect_close(seen.difference[neuron], row["difference"], tolerance);
      expect_close(seen.standard_error[neuron], row["standard_error"], tolerance);
      expect_close(seen.degrees[neuron], row["degrees"], tolerance);
      expect_close(seen.low[neuron], row["low"], tolerance);
      expect_close(seen.high[neuron], row["high"], tolerance);
      expect_close(seen.p[neuron], row["p"], tolerance);
      // The q of one neuron may be made of the p of that one.
      expect_close(seen.q[neuron], row["q"], 1e-5);
    }
  }
}

TEST(DifferencesTest, WhatIsDrawnOrSeenOnceHasNoInterval) {
  const Values all = read_values();
  Score single = score_of(all, 3);
  single.statistics.count = 1;
  const Scores scores({single, score_of(all, 3, Method::random), score_of(all, 5), score_of(all, 5, Method::random)},
                      {});
  const std::vector<Difference> seen = differences(scores, 5);
  ASSERT_EQ(seen.size(), 2U);
  for (const Difference& each : seen) {
    EXPECT_FALSE(std::isnan(each.difference[0]));
    for (const auto* values : {&each.standard_error, &each.low, &each.high, &each.p, &each.q}) {
      EXPECT_TRUE(std::isnan((*values)[0]));
    }
  }
}

TEST(DifferencesTest, PositionsAreOneFamily) {
  const Values all = read_values();
  std::vector<Score> entries;
  for (const std::int64_t cluster : {3, 5}) {
    for (const std::int64_t position : {0, 1}) {
      entries.push_back(score_of(all, cluster));
      entries.back().position = position;
    }
  }
  const std::vector<Difference> seen = differences(Scores(entries, {}), 5);
  ASSERT_EQ(seen.size(), 2U);
  std::vector<double> p = seen[0].p;
  p.insert(p.end(), seen[1].p.begin(), seen[1].p.end());
  const std::vector<double> q = false_discovery_rates(p);
  EXPECT_EQ(seen[0].q, std::vector<double>(q.begin(), q.begin() + neurons));
  EXPECT_EQ(seen[1].q, std::vector<double>(q.begin() + neurons, q.end()));
}

TEST(DifferencesTest, WrongQuestionsAreRefusedByName) {
  const Values all = read_values();
  const Scores scores({score_of(all, 3), score_of(all, 5)}, {});
  const auto message_of = [&](std::int64_t against, Aggregate aggregate, double confidence) -> std::string {
    try {
      static_cast<void>(differences(scores, against, aggregate, confidence));
    } catch (const ArgumentError& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_EQ(message_of(4, Aggregate::mean, 0.95), "there is no cluster 4 to compare with: the scores have 3, 5");
  EXPECT_NE(message_of(3, Aggregate::rms, 0.95).find("rms"), std::string::npos);
  EXPECT_NE(message_of(3, Aggregate::mean, 95).find("between 0 and 1"), std::string::npos);
}

TEST(StandardErrorTest, IsThatOfTheMeanAndOfTheMagnitudes) {
  Statistics statistics;
  statistics.count = 4;  // -1, 1, 2, 2
  statistics.mean = {1};
  statistics.mean_abs = {1.5};
  statistics.rms = {std::sqrt(2.5)};
  statistics.std = {std::sqrt(1.5)};
  EXPECT_NEAR(statistics.standard_error(Aggregate::mean)[0], std::sqrt(2.0 / 4), 1e-15);
  EXPECT_NEAR(statistics.standard_error(Aggregate::mean_abs)[0], std::sqrt(1.0 / 3 / 4), 1e-15);
  for (const Aggregate other : {Aggregate::rms, Aggregate::std, Aggregate::cancellation}) {
    EXPECT_TRUE(std::isnan(statistics.standard_error(other)[0])) << name_of(other);
  }
  statistics.count = 1;
  EXPECT_TRUE(std::isnan(statistics.standard_error(Aggregate::mean)[0]));
}

TEST(SelectivityTest, IsThatOfScikitLearnAndSciPy) {
  const Values all = read_values();
  const Selectivity seen = selectivity(all.values, neurons, all.clusters);
  EXPECT_EQ(seen.clusters, (std::vector<std::int64_t>{3, 5, 11}));
  for (auto& row : read_csv(fixture_path("certainty/selectivity.csv"))) {
    SCOPED_TRACE(testing::Message() << "neuron " << row["neuron"] << " cluster " << row["cluster"]);
    const auto neuron = static_cast<std::size_t>(std::stoll(row["neuron"]));
    if (row["cluster"].empty()) {
      expect_close(seen.entropy[neuron], row["value"], 1e-12);
      continue;
    }
    const auto place = std::find(seen.clusters.begin(), seen.clusters.end(), std::stoll(row["cluster"]));
    expect_close(seen.auroc[static_cast<std::size_t>(place - seen.clusters.begin())][neuron], row["value"], 1e-12);
  }
}

TEST(SelectivityTest, OfOneClusterHasNoOthers) {
  const Selectivity seen = selectivity({1, 2, 3}, 1, {4, 4, 4});
  EXPECT_EQ(seen.entropy[0], 0);
  EXPECT_TRUE(std::isnan(seen.auroc.at(0)[0]));
}

TEST(SelectivityTest, WrongValuesAreRefused) {
  EXPECT_THROW(selectivity({}, 1, {}), ArgumentError);
  EXPECT_THROW(selectivity({1, 2, 3}, 2, {0, 0}), ArgumentError);
  EXPECT_THROW(selectivity({1, std::nan("")}, 1, {0, 1}), ArgumentError);
}

}  // namespace

}  // namespace pregrad::test::certainty_test
