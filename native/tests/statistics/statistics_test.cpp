#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include <gtest/gtest.h>

#include "methods/quadrature.hpp"
#include "pregrad/pregrad.hpp"
#include "statistics/random_values.hpp"

namespace pregrad::test::statistics_test {

namespace {

using methods::quadrature_rule;
using methods::QuadratureRule;

double integral(const QuadratureRule& rule, double power) {
  double sum = 0;
  for (std::size_t i = 0; i < rule.points.size(); ++i) {
    sum += rule.weights[i] * std::pow(rule.points[i], power);
  }
  return sum;
}

TEST(QuadratureTest, WeightsSumToOne) {
  for (const Quadrature quadrature : {Quadrature::gauss_legendre, Quadrature::trapezoid, Quadrature::midpoint}) {
    for (const std::int64_t steps : {2, 3, 7, 50, 333}) {
      const QuadratureRule rule = quadrature_rule(quadrature, steps);
      ASSERT_EQ(rule.points.size(), static_cast<std::size_t>(steps));
      EXPECT_NEAR(std::accumulate(rule.weights.begin(), rule.weights.end(), 0.0), 1, 1e-13);
      EXPECT_TRUE(std::is_sorted(rule.points.begin(), rule.points.end()));
      EXPECT_GE(rule.points.front(), 0);
      EXPECT_LE(rule.points.back(), 1);
    }
  }
}

TEST(QuadratureTest, GaussLegendreIsExactForPolynomials) {
  for (const std::int64_t steps : {1, 2, 5, 50}) {
    const QuadratureRule rule = quadrature_rule(Quadrature::gauss_legendre, steps);
    for (std::int64_t power = 0; power < 2 * steps; ++power) {
      const auto n = static_cast<double>(power);
      EXPECT_NEAR(integral(rule, n), 1 / (n + 1), 1e-14) << steps << " steps, power " << power;
    }
  }
  // Abramowitz and Stegun, table 25.4, n = 3.
  const QuadratureRule three = quadrature_rule(Quadrature::gauss_legendre, 3);
  EXPECT_NEAR(three.points[0], (1 - 0.774596669241483) / 2, 1e-15);
  EXPECT_NEAR(three.weights[1], 0.888888888888889 / 2, 1e-15);
}

TEST(QuadratureTest, EndsJoinWithoutWeight) {
  const QuadratureRule rule = methods::with_ends(quadrature_rule(Quadrature::gauss_legendre, 4));
  ASSERT_EQ(rule.points.size(), 6U);
  EXPECT_EQ(rule.points.front(), 0);
  EXPECT_EQ(rule.points.back(), 1);
  EXPECT_EQ(rule.weights.front() + rule.weights.back(), 0);
  EXPECT_EQ(methods::with_ends(quadrature_rule(Quadrature::trapezoid, 4)).points.size(), 4U);
}

TEST(RankCorrelationTest, IsSpearmansWithAverageRanks) {
  EXPECT_DOUBLE_EQ(rank_correlation({1, 2, 3, 4}, {10, 20, 30, 40}), 1);
  EXPECT_DOUBLE_EQ(rank_correlation({1, 2, 3, 4}, {4, 3, 2, 1}), -1);
  // scipy.stats.spearmanr([0, 0, 0, 1, 5, 2], [3, 1, 1, 1, 9, 4]).statistic
  EXPECT_NEAR(rank_correlation({0, 0, 0, 1, 5, 2}, {3, 1, 1, 1, 9, 4}), 0.7419354838709679, 1e-14);
  EXPECT_TRUE(std::isnan(rank_correlation({1, 1, 1}, {1, 2, 3})));
  EXPECT_TRUE(std::isnan(rank_correlation({1, NAN, 1}, {1, 2, 3})));
  EXPECT_THROW(rank_correlation({1}, {1, 2}), ArgumentError);
}

TEST(RankingTest, FallsWithTiesByIndexAndNaNLast) {
  EXPECT_EQ(ranking({1, 3, NAN, 3, -1, 0.0, -0.0}), (std::vector<std::int64_t>{1, 3, 0, 5, 6, 4, 2}));
}

TEST(RandomValuesTest, AreTheSameOnEveryMachine) {
  // mt19937_64 seeded by seed_seq {7, 0, 2, 0, 1, 0, 3, 0, 'a'}, first two outputs over 2^64.
  const std::vector<double> values = statistics::random_values("a", 1, 3, 2, 2, 7);
  std::seed_seq sequence{7U, 0U, 2U, 0U, 1U, 0U, 3U, 0U, static_cast<unsigned>('a')};
  std::mt19937_64 engine(sequence);
  for (const double value : values) {
    EXPECT_NEAR(value, static_cast<double>(engine()) / 18446744073709551616.0, 1e-15);
  }
}

}  // namespace

}  // namespace pregrad::test::statistics_test
