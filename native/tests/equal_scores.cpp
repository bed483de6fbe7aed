#include "equal_scores.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace pregrad::test {

void expect_equal_scores(const Scores& seen, const Scores& expected, double tolerance) {
  ASSERT_EQ(seen.entries().size(), expected.entries().size());
  for (std::size_t i = 0; i < expected.entries().size(); ++i) {
    const Score& score = seen.entries()[i];
    const Score& truth = expected.entries()[i];
    SCOPED_TRACE(testing::Message() << name_of(truth.method) << " of " << truth.layer << "@" << truth.call
                                    << " in cluster " << truth.cluster);
    ASSERT_EQ(score.layer, truth.layer);
    ASSERT_EQ(score.call, truth.call);
    ASSERT_EQ(score.cluster, truth.cluster);
    ASSERT_EQ(score.method, truth.method);
    EXPECT_EQ(score.statistics.count, truth.statistics.count);
    double scale = 0;
    for (const double value : truth.statistics.rms) {
      scale = std::max(scale, value);
    }
    const auto expect_close = [&](const std::vector<double>& left, const std::vector<double>& right) {
      ASSERT_EQ(left.size(), right.size());
      for (std::size_t j = 0; j < left.size(); ++j) {
        EXPECT_NEAR(left[j], right[j], tolerance * scale) << "neuron " << j;
      }
    };
    expect_close(score.statistics.mean, truth.statistics.mean);
    expect_close(score.statistics.mean_abs, truth.statistics.mean_abs);
    expect_close(score.statistics.rms, truth.statistics.rms);
  }
}

}  // namespace pregrad::test
