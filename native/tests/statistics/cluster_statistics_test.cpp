// Sums over samples and positions, against LibTorch's own in float64.

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "rounding.hpp"
#include "statistics/batch_moments.hpp"
#include "statistics/cluster_accumulator.hpp"
#include "statistics/sample_values.hpp"
#include "support/cluster_rows.hpp"
#include "support/tensors.hpp"

namespace pregrad::test::cluster_statistics_test {

namespace {

using statistics::BatchMoments;
using statistics::ClusterAccumulator;
using statistics::NeuronValues;
using statistics::PositionSums;
using statistics::SampleValues;
using support::ClusterRows;

at::Tensor as_tensor(const std::vector<double>& values, at::IntArrayRef shape) {
  return at::tensor(values, at::kDouble).view(shape);
}

TEST(ClusterRowsTest, GroupSamplesInTheirOrder) {
  const std::vector<std::vector<std::int64_t>> batches = {
      {5}, {0, 0, 0}, {1, 2, 2, 9}, {3, 1, 3, 1, 2}, {1LL << 62, -(1LL << 62), 0, 1LL << 62}, {-2, -1, -2, -1}};
  for (const std::vector<std::int64_t>& clusters : batches) {
    const ClusterRows rows(clusters);
    std::size_t samples = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (i > 0) {
        EXPECT_LT(rows.cluster(i - 1), rows.cluster(i));
      }
      EXPECT_FALSE(rows.rows(i).empty());
      EXPECT_TRUE(std::is_sorted(rows.rows(i).begin(), rows.rows(i).end()));
      for (const std::int64_t row : rows.rows(i)) {
        EXPECT_EQ(clusters[static_cast<std::size_t>(row)], rows.cluster(i));
      }
      samples += rows.rows(i).size();
    }
    EXPECT_EQ(samples, clusters.size());
    EXPECT_EQ(rows.samples(), clusters.size());
  }
}

class BatchMomentsTest : public testing::TestWithParam<std::int64_t> {};

TEST_P(BatchMomentsTest, AreThoseOfEachCluster) {
  const std::int64_t neurons = GetParam();
  for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
    const at::Tensor values = at::randn({157, neurons}, type) * 3 + 1000;
    const at::Tensor clusters = at::arange(157).remainder(4);
    const ClusterRows rows(std::span(clusters.const_data_ptr<std::int64_t>(), 157));
    const BatchMoments moments(NeuronValues(values), rows);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const at::Tensor members = values.to(at::kDouble).index({clusters == rows.cluster(i)});
      const BatchMoments::Moments of = moments.of(i);
      ASSERT_EQ(of.count, members.size(0));
      const auto tensor = [&](const double* data) { return as_tensor({data, data + of.neurons}, {neurons}); };
      const double tolerance = apart(at::kDouble, {of.count});
      EXPECT_TRUE(are_close(tensor(of.sum), members.sum(0), tolerance));
      EXPECT_TRUE(are_close(tensor(of.absolute), members.abs().sum(0), tolerance));
      EXPECT_TRUE(at::allclose(tensor(of.spread), (members - members.mean(0)).square().sum(0), 1e-11));
    }
  }
}

// One neuron, fewer and more than a vector register's, and enough for several threads.
INSTANTIATE_TEST_SUITE_P(Neurons, BatchMomentsTest, testing::Values(1, 7, 64, 1003));

TEST(BatchMomentsOutlier, AFirstSampleFarOffCostsNoDigits) {
  at::Tensor values = at::randn({1000, 5}, at::kDouble);
  values[0] = 1e8;
  const std::vector<std::int64_t> one_cluster(1000, 0);
  const ClusterRows rows(one_cluster);
  const BatchMoments moments(NeuronValues(values), rows);
  const at::Tensor spread = (values - values.mean(0)).square().sum(0);
  EXPECT_TRUE(at::allclose(as_tensor({moments.of(0).spread, moments.of(0).spread + 5}, {5}), spread, 1e-9));
}

TEST(BatchMomentsThreads, DecideNoBit) {
  const at::Tensor values = at::randn({4096, 300});
  const at::Tensor clusters = at::randint(0, 3, {4096}, at::kLong);
  const ClusterRows rows(std::span(clusters.const_data_ptr<std::int64_t>(), 4096));
  const int before = at::get_num_threads();
  std::vector<std::vector<double>> seen;
  for (const int threads : {1, 3}) {
    at::set_num_threads(threads);
    const BatchMoments moments(NeuronValues(values), rows);
    seen.emplace_back(moments.of(1).spread, moments.of(1).spread + 300);
  }
  at::set_num_threads(before);
  EXPECT_EQ(seen[0], seen[1]);
}

TEST(ClusterAccumulatorTest, MergesAsIfAllCameAtOnce) {
  const at::Tensor values = at::randn({60, 9}, at::kDouble) + 50;
  const auto added = [&](std::int64_t first, std::int64_t last, ClusterAccumulator& to) {
    const std::vector<std::int64_t> one_cluster(static_cast<std::size_t>(last - first), 0);
    const ClusterRows rows(one_cluster);
    to.add(BatchMoments(NeuronValues(values.slice(0, first, last).contiguous()), rows).of(0));
  };
  ClusterAccumulator left(9);
  ClusterAccumulator right(9);
  added(0, 20, left);
  added(20, 23, right);
  added(23, 60, right);
  ClusterAccumulator merged(9);
  merged.add(right);
  merged.add(left);
  const Statistics statistics = merged.statistics();
  EXPECT_EQ(statistics.count, 60);
  const double tolerance = apart(at::kDouble, {60});
  EXPECT_TRUE(are_close(as_tensor(statistics.mean, {9}), values.mean(0), tolerance));
  EXPECT_TRUE(are_close(as_tensor(statistics.mean_abs, {9}), values.abs().mean(0), tolerance));
  EXPECT_TRUE(are_close(as_tensor(statistics.rms, {9}), values.square().mean(0).sqrt(), tolerance));
  EXPECT_TRUE(at::allclose(as_tensor(statistics.std, {9}), values.std(0, false), 1e-11));
}

struct Shape {
  std::vector<std::int64_t> sizes;
  std::int64_t axis;
};

class SampleValuesTest : public testing::TestWithParam<Shape> {};

TEST_P(SampleValuesTest, AllSumsInOnePassAreThoseOfLibTorch) {
  const auto& [sizes, axis] = GetParam();
  for (const at::ScalarType type : {at::kFloat, at::kDouble, at::kBFloat16}) {
    const at::Tensor x = at::randn(sizes, at::kDouble).to(type);
    const at::Tensor y = at::randn(sizes, at::kDouble).to(type);
    const SampleValues reduction(sizes, axis);
    const double tolerance = apart(at::kDouble, {reduction.positions()});
    const std::vector<std::int64_t> rows = {reduction.samples(), reduction.neurons()};
    const auto reduced = [&](const at::Tensor& terms) {
      return terms.unsqueeze(-1).movedim(axis, 1).flatten(2).sum(2);
    };
    const at::Tensor wide_x = x.to(at::kDouble);
    const at::Tensor wide_y = y.to(at::kDouble);
    const auto expect = [&](const std::vector<double>& seen, const at::Tensor& terms, bool wanted) {
      if (!wanted) {
        EXPECT_TRUE(seen.empty());
        return;
      }
      EXPECT_TRUE(are_close(as_tensor(seen, rows), reduced(terms), tolerance));
    };
    for (int bits = 0; bits < 16; ++bits) {
      SCOPED_TRACE(testing::Message() << "sums " << bits << " of " << c10::toString(type));
      const statistics::WantedSums wanted = {(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, (bits & 8) != 0};
      const PositionSums sums = reduction.sums(x, y, wanted);
      expect(sums.x, wide_x, wanted.x);
      expect(sums.y, wide_y, wanted.y);
      expect(sums.products, wide_x * wide_y, wanted.products);
      expect(sums.positive, (wide_x > 0).to(at::kDouble), wanted.positive);
    }
    reduction.values(y).visit([&](const auto& values) {
      const at::Tensor seen = as_tensor({values.begin(), values.end()}, rows);
      EXPECT_TRUE(are_close(seen, reduced(wide_y), tolerance));
    });
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, SampleValuesTest,
                         testing::Values(Shape{{6, 13}, 1}, Shape{{3, 5, 9}, 2}, Shape{{3, 5, 9}, 1},
                                         Shape{{2, 19, 5, 7}, 1}, Shape{{2, 3, 5, 19}, 3}, Shape{{2, 3, 4, 5, 2}, 2}));

TEST(SampleValuesUndefined, CountAsZeros) {
  const SampleValues reduction({2, 3}, 1);
  const at::Tensor x = at::ones({2, 3});
  const PositionSums sums = reduction.sums(x, {}, {.x = true, .y = true, .products = true, .positive = true});
  EXPECT_EQ(sums.x, std::vector<double>(6, 1));
  EXPECT_EQ(sums.y, std::vector<double>(6, 0));
  EXPECT_EQ(sums.products, std::vector<double>(6, 0));
  EXPECT_EQ(sums.positive, std::vector<double>(6, 1));
  reduction.values({}).visit([](const auto& values) { EXPECT_EQ(values.size(), 6U); });
}

TEST(FiniteValues, FindTheFirstSampleThatIsNot) {
  for (const at::ScalarType type : {at::kFloat, at::kDouble, at::kHalf}) {
    SCOPED_TRACE(c10::toString(type));
    at::Tensor values = at::randn({5, 3, 4}).to(type);
    values[1][1][1] = type == at::kDouble ? std::numeric_limits<double>::max() : 6e4;
    EXPECT_EQ(support::first_sample_not_finite(values), std::nullopt);
    for (const double bad : {NAN, INFINITY, -INFINITY}) {
      at::Tensor spoilt = values.clone();
      spoilt[4][0][0] = bad;
      spoilt[2][2][3] = bad;
      EXPECT_EQ(support::first_sample_not_finite(spoilt), 2);
      EXPECT_EQ(support::first_sample_not_finite(spoilt.transpose(1, 2)), 2);
    }
  }
}

}  // namespace

}  // namespace pregrad::test::cluster_statistics_test
