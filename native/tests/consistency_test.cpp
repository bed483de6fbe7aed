// The same scores whatever the batches and the threads.

#include <algorithm>
#include <cmath>
#include <thread>

#include <gtest/gtest.h>

#include "fixtures.hpp"
#include "pregrad/pregrad.hpp"
#include "rounding.hpp"

namespace pregrad::test::consistency_test {

namespace {

struct Case {
  const char* model;
  const char* data;
  std::vector<std::string> layers;
};

class ConsistencyTest : public testing::TestWithParam<Case> {
 protected:
  ConsistencyTest()
      : data_(read_data(fixture_path(GetParam().data))), model_(Model::load(fixture_path(GetParam().model))) {
    options_.layers = GetParam().layers;
    options_.methods = unconditional_methods;
    options_.steps = 8;
  }

  Scores in_batches(std::int64_t size, int threads) {
    Attribution attribution = model_.attribution(options_);
    std::vector<std::thread> workers;
    for (int worker = 0; worker < threads; ++worker) {
      workers.emplace_back([&, worker] {
        for (std::int64_t first = worker * size; first < data_.x.size(0); first += threads * size) {
          attribution.add(data_.x.slice(0, first, first + size), data_.y.slice(0, first, first + size),
                          data_.cluster.slice(0, first, first + size));
        }
      });
    }
    for (std::thread& worker : workers) {
      worker.join();
    }
    return attribution.scores();
  }

  static double distance(const std::vector<double>& left, const std::vector<double>& right) {
    double squares = 0;
    for (std::size_t i = 0; i < left.size(); ++i) {
      const double difference = left[i] - (right.empty() ? 0 : right[i]);
      squares += difference * difference;
    }
    return std::sqrt(squares);
  }

  static void expect_close(const Scores& seen, const Scores& expected, double tolerance) {
    ASSERT_EQ(seen.entries().size(), expected.entries().size());
    for (std::size_t i = 0; i < seen.entries().size(); ++i) {
      const Statistics& left = seen.entries()[i].statistics;
      const Statistics& right = expected.entries()[i].statistics;
      SCOPED_TRACE(testing::Message() << name_of(seen.entries()[i].method) << " of " << seen.entries()[i].layer);
      EXPECT_EQ(left.count, right.count);
      EXPECT_LE(relative_error(left.mean, right.mean), tolerance);
      EXPECT_LE(relative_error(left.mean_abs, right.mean_abs), tolerance);
      EXPECT_LE(relative_error(left.rms, right.rms), tolerance);
      // Where all samples have one value the spread is nothing but rounding.
      EXPECT_LE(distance(left.std, right.std), tolerance * distance(right.rms, {}));
    }
  }

  Data data_;
  Model model_;
  AttributionOptions options_;
};

constexpr std::int64_t all = 1 << 20;

TEST_P(ConsistencyTest, AnyBatchSizeGivesTheSameScores) {
  const Scores expected = in_batches(all, 1);
  for (const std::int64_t size : {1, 7, 256}) {
    SCOPED_TRACE(size);
    expect_close(in_batches(size, 1), expected, promised_between_batches);
  }
}

TEST_P(ConsistencyTest, AnyNumberOfThreadsGivesTheSameScores) {
  const Scores expected = in_batches(all, 1);
  for (const int threads : {1, 2, 8}) {
    SCOPED_TRACE(threads);
    expect_close(in_batches(7, threads), expected, promised_between_batches);
  }
}

TEST_P(ConsistencyTest, RepetitionGivesTheSameBits) {
  expect_close(in_batches(32, 1), in_batches(32, 1), 0);
  expect_close(in_batches(32, 4), in_batches(32, 1), 0);
}

TEST_P(ConsistencyTest, AnyBatchSizeRemovesByTheMean) {
  options_.methods = {Method::activation};
  options_.means = mean_activations(in_batches(all, 1));
  options_.methods = {Method::ablation};
  options_.removal = Removal::mean;
  // A large batch removes one neuron per run, a small one many.
  const Scores expected = in_batches(all, 1);
  expect_close(in_batches(7, 1), expected, promised_between_batches);
  options_.removal = Removal::zero;
  EXPECT_GT(relative_error(in_batches(all, 1).entries()[0].statistics.mean, expected.entries()[0].statistics.mean),
            0.1);
}

INSTANTIATE_TEST_SUITE_P(Digits, ConsistencyTest,
                         testing::Values(Case{"digits-mlp.scripted.pt", "digits.npz", {"act1", "act2"}},
                                         Case{"digits-cnn.traced.pt", "digits-images.npz", {"relu"}}));

TEST(Consistency, ScoresAreListedByFirstExecutionThenCall) {
  const Data data = read_data(fixture_path("lstm-cell.npz"));
  const Model model = Model::load(fixture_path("lstm-cell.scripted.pt"));
  std::vector<std::string> order;
  AttributionOptions options;
  for (const Layer& layer : model.layers(data.x)) {
    if (std::find(order.begin(), order.end(), layer.name) == order.end()) {
      order.push_back(layer.name);
    }
  }
  options.layers = order;
  Attribution attribution = model.attribution(options);
  attribution.add(data.x, data.y);
  std::vector<std::pair<std::ptrdiff_t, std::int64_t>> seen;
  for (const Score& score : attribution.scores().entries()) {
    seen.emplace_back(std::find(order.begin(), order.end(), score.layer) - order.begin(), score.call);
  }
  EXPECT_GT(seen.size(), 4U);
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
}

TEST(Consistency, SpreadSurvivesAMeanAMillionTimesAsLarge) {
  AttributionOptions options;
  options.methods = {Method::preactivation};
  options.target = Target::index(0);
  Probe probe(options);
  const at::Tensor noise = at::arange(1000, at::kDouble).remainder(7) - 3;
  for (const at::Tensor& part : noise.unsqueeze(1).split(10)) {
    const at::Tensor z = probe.tap("layer", part + 1e9);
    probe.add(z);
  }
  const Scores scores = probe.scores();
  EXPECT_NEAR(scores.of("layer", 0, Method::preactivation).std.at(0), noise.std(false).item<double>(), 1e-9);
}

}  // namespace

}  // namespace pregrad::test::consistency_test
