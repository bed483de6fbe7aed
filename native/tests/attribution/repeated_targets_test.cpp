// Several targets per sample: the scores of as many batches, from one forward.

#include <algorithm>
#include <atomic>

#include <ATen/Functions.h>
#include <ATen/record_function.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fixtures.hpp"
#include "pregrad/pregrad.hpp"
#include "resnet.hpp"
#include "rounding.hpp"

namespace pregrad::test::repeated_targets_test {

namespace {

using testing::HasSubstr;

std::atomic<int> convolutions{0};

std::unique_ptr<at::ObserverContext> count_convolution(const at::RecordFunction& function) {
  convolutions += std::string_view(function.name()) == "aten::convolution" ? 1 : 0;
  return nullptr;
}

/// How often a convolution runs in one more batch.
int convolutions_of(Attribution& attribution, const at::Tensor& x, const at::Tensor& labels) {
  attribution.add(x, labels);  // the checks of a first batch run the model too
  convolutions = 0;
  const at::CallbackHandle handle =
      at::addGlobalCallback(at::RecordFunctionCallback(&count_convolution).scopes({at::RecordScope::FUNCTION}));
  attribution.add(x, labels);
  at::removeCallback(handle);
  return convolutions.load();
}

std::atomic<int> backwards{0};

/// The last layer runs once per backward.
std::unique_ptr<at::ObserverContext> count_product(const at::RecordFunction& function) {
  backwards += std::string_view(function.name()) == "MmBackward0" ? 1 : 0;
  return nullptr;
}

struct Case {
  const char* model;
  const char* data;
  std::int64_t samples;
};

class RepeatedTargetsTest : public testing::TestWithParam<Case> {
 protected:
  RepeatedTargetsTest() : model_(Model::load(fixture_path(GetParam().model))) {
    const Data data = first_of(read_data(fixture_path(GetParam().data)), GetParam().samples);
    x_ = data.x;
    targets_ = at::arange(10).repeat({x_.size(0), 1});
    clusters_ = targets_ + at::remainder(data.y, 2).unsqueeze(1) * 100;
    for (const Layer& layer : model_.layers(x_)) {
      options_.layers.push_back(layer.name);
    }
    options_.methods = unconditional_methods;
    options_.steps = 3;
  }

  Model model_;
  at::Tensor x_;
  at::Tensor targets_;
  at::Tensor clusters_;
  AttributionOptions options_;
};

TEST_P(RepeatedTargetsTest, GiveTheScoresOfAsManyBatches) {
  Attribution together = model_.attribution(options_);
  together.add(x_, targets_, clusters_);
  Attribution apart = model_.attribution(options_);
  for (std::int64_t i = 0; i < targets_.size(1); ++i) {
    apart.add(x_, targets_.select(1, i), clusters_.select(1, i));
  }
  const std::vector<Score> seen = together.scores().entries();
  const std::vector<Score> expected = apart.scores().entries();
  ASSERT_EQ(seen.size(), expected.size());
  ASSERT_GE(seen.size(), 10 * unconditional_methods.size());
  // Copies of the samples are another shape: of both networks the digits, the two layers behind them, and a way back.
  const double tolerance = test::apart(at::kFloat, {64, 128, 64, 10, 64});
  for (std::size_t i = 0; i < seen.size(); ++i) {
    SCOPED_TRACE(testing::Message() << name_of(expected[i].method) << " of " << expected[i].layer << " in cluster "
                                    << expected[i].cluster);
    ASSERT_EQ(seen[i].cluster, expected[i].cluster);
    ASSERT_EQ(seen[i].method, expected[i].method);
    EXPECT_EQ(seen[i].statistics.count, expected[i].statistics.count);
    EXPECT_LE(relative_error(seen[i].statistics.mean, expected[i].statistics.mean), tolerance);
    EXPECT_LE(relative_error(seen[i].statistics.rms, expected[i].statistics.rms), tolerance);
  }
}

TEST_P(RepeatedTargetsTest, AClusterPerSampleHoldsAllItsTargets) {
  options_.methods = {Method::gradient};
  Attribution attribution = model_.attribution(options_);
  attribution.add(x_, targets_, at::arange(x_.size(0)));
  for (const Score& score : attribution.scores().entries()) {
    EXPECT_EQ(score.statistics.count, 10);
  }
}

INSTANTIATE_TEST_SUITE_P(CopiesAndBackwards, RepeatedTargetsTest,
                         // The last has too many samples for a copy per target.
                         testing::Values(Case{"digits-mlp.scripted.pt", "digits.npz", 7},
                                         Case{"digits-cnn.exported.pt2", "digits-images.npz", 1},
                                         Case{"digits-cnn.scripted.pt", "digits-images.npz", 120}),
                         [](const auto& each) { return "With" + std::to_string(each.param.samples) + "Samples"; });

TEST(RepeatedTargets, RunTheModelOnce) {
  const Data data = first_of(read_data(fixture_path("digits-images.npz")), 120);
  AttributionOptions options;
  options.layers = {"relu@0"};
  Attribution attribution = Model::load(fixture_path("digits-cnn.scripted.pt")).attribution(options);
  EXPECT_EQ(convolutions_of(attribution, data.x, data.y), 2);
  EXPECT_EQ(convolutions_of(attribution, data.x, at::arange(10).repeat({120, 1})), 2);
  EXPECT_EQ(convolutions_of(attribution, data.x.slice(0, 0, 1), at::arange(10).view({1, 10})), 2);
}

TEST(RepeatedTargets, OfALateLayerNeedNoCopies) {
  const Model model = Model::from(make_resnet18());
  const at::Tensor x = at::randn({1, 3, 32, 32});
  const at::Tensor labels = at::arange(20).view({1, 20});
  const auto backwards_of = [&](const char* layer) {
    AttributionOptions options;
    options.layers = {layer};
    Attribution attribution = model.attribution(options);
    attribution.add(x, labels, labels);
    backwards = 0;
    const at::CallbackHandle handle =
        at::addGlobalCallback(at::RecordFunctionCallback(&count_product).scopes({at::RecordScope::BACKWARD_FUNCTION}));
    attribution.add(x, labels, labels);
    at::removeCallback(handle);
    return backwards.load();
  };
  EXPECT_EQ(backwards_of("block8.relu@1"), 20);
  EXPECT_EQ(backwards_of("block3.relu@0"), 1);
}

TEST(RepeatedTargets, RefuseWhatDoesNotFit) {
  const Data data = first_of(read_data(fixture_path("digits.npz")), 4);
  const Model model = Model::load(fixture_path("digits-mlp.scripted.pt"));
  const auto refused = [&](const at::Tensor& labels, const at::Tensor& clusters, Target target = Target::label()) {
    AttributionOptions options;
    options.layers = {"act1"};
    options.target = target;
    Attribution attribution = model.attribution(options);
    try {
      attribution.add(data.x, labels, clusters);
    } catch (const Error& error) {
      EXPECT_TRUE(attribution.scores().entries().empty());
      return std::string(error.what());
    }
    return std::string("nothing");
  };
  const at::Tensor pairs = at::zeros({4, 2}, at::kLong);
  EXPECT_THAT(refused(at::zeros({3, 2}, at::kLong), {}), HasSubstr("labels have shape [3, 2] for 4 samples"));
  EXPECT_THAT(refused(pairs, at::zeros({4, 3}, at::kLong)),
              HasSubstr("clusters have shape [4, 3] for 4 samples with 2"));
  EXPECT_THAT(refused(pairs + 5, at::zeros({5}, at::kLong)), HasSubstr("there are 5 clusters for 4 samples"));
  EXPECT_THAT(refused(pairs + 10, {}), HasSubstr("label 10 of sample 0"));
  EXPECT_THAT(refused(pairs, {}, Target::predicted()), HasSubstr("the target is not the label"));
  EXPECT_THAT(refused(at::zeros({4, 2}), {}), HasSubstr("give integers"));
}

}  // namespace

}  // namespace pregrad::test::repeated_targets_test
