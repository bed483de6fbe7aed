// A model with shuffled weights: what Ablation's sanity check ranks against.

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <ATen/Functions.h>
#include <gtest/gtest.h>

#include "fixtures.hpp"
#include "pregrad/pregrad.hpp"

namespace pregrad::test::randomised_test {

namespace {

/// The weights and biases of the first Linear, read off z = W·x + b at x = 0 and at the unit vectors.
std::vector<double> first_linear(const Model& model) {
  constexpr std::int64_t features = 64;
  const at::Tensor x = at::cat({at::zeros({1, features}), at::eye(features)});
  AttributionOptions options;
  options.layers = {"act1"};
  options.methods = {Method::preactivation};
  Attribution attribution = model.attribution(options);
  attribution.add(x, at::zeros({features + 1}, at::kLong), at::arange(features + 1));
  const Scores scores = attribution.scores();
  const std::vector<double> bias = scores.of("act1", 0, Method::preactivation).mean;
  std::vector<double> all = bias;
  for (std::int64_t feature = 1; feature <= features; ++feature) {
    std::vector<double> column = scores.of("act1", feature, Method::preactivation).mean;
    for (std::size_t i = 0; i < column.size(); ++i) {
      all.push_back(column[i] - bias[i]);
    }
  }
  return all;
}

TEST(RandomisedTest, TheSameValuesStandInAnotherOrder) {
  const Model model = Model::load(fixture_path("digits-mlp.scripted.pt"));
  std::vector<double> before = first_linear(model);
  std::vector<double> after = first_linear(model.randomised(3));
  ASSERT_EQ(before.size(), after.size());
  EXPECT_LT(std::abs(rank_correlation(before, after)), 0.05);
  std::sort(before.begin(), before.end());
  std::sort(after.begin(), after.end());
  for (std::size_t i = 0; i < before.size(); ++i) {
    EXPECT_NEAR(before[i], after[i], 1e-5);
  }
}

TEST(RandomisedTest, TheModelItselfStaysAndSeedsDecide) {
  const Data data = first_of(read_data(fixture_path("digits.npz")), 32);
  const Model model = Model::load(fixture_path("digits-mlp.scripted.pt"));
  const at::Tensor before = model.forward(data.x);
  const at::Tensor one = model.randomised(1).forward(data.x);
  EXPECT_TRUE(model.forward(data.x).equal(before));
  EXPECT_FALSE(at::allclose(one, before, 1e-2, 1e-2));
  EXPECT_TRUE(model.randomised(1).forward(data.x).equal(one));
  EXPECT_FALSE(at::allclose(model.randomised(2).forward(data.x), one, 1e-2, 1e-2));
}

TEST(RandomisedTest, EveryFormOfAModelIsShuffledAlike) {
  for (const char* name : {"digits-mlp", "digits-cnn"}) {
    const Data data =
        first_of(read_data(fixture_path(name == std::string("digits-cnn") ? "digits-images.npz" : "digits.npz")), 16);
    const at::Tensor scripted =
        Model::load(fixture_path(std::string(name) + ".scripted.pt")).randomised(5).forward(data.x);
    for (const char* form : {".traced.pt", ".exported.pt2"}) {
      const at::Tensor other = Model::load(fixture_path(name + std::string(form))).randomised(5).forward(data.x);
      EXPECT_TRUE(at::allclose(other, scripted, 1e-4, 1e-5)) << name << form;
    }
  }
}

TEST(RandomisedTest, RankingsByGradientsAreGoneAndThoseDrawnStay) {
  const Data data = first_of(read_data(fixture_path("digits.npz")), 400);
  const Model model = Model::load(fixture_path("anchor/relu-0.pt"));
  AttributionOptions options;
  options.layers = {"act1"};
  options.methods = {Method::gradient, Method::gradient_x_activation, Method::random};
  const auto scores_of = [&](const Model& which) {
    Attribution attribution = which.attribution(options);
    attribution.add(data.x, data.y);
    return attribution.scores();
  };
  const Scores own = scores_of(model);
  const Scores same = scores_of(Model::load(fixture_path("anchor/relu-0.pt")));
  const Scores others = scores_of(model.randomised(0));
  for (const Method method : options.methods) {
    const std::vector<double> score = own.of("act1", 0, method).mean;
    EXPECT_NEAR(rank_correlation(score, same.of("act1", 0, method).mean), 1, 1e-12);
    const double correlation = rank_correlation(score, others.of("act1", 0, method).mean);
    if (method == Method::random) {
      EXPECT_NEAR(correlation, 1, 1e-12);
    } else {
      // Three standard deviations of the correlation of 128 neurons by chance.
      EXPECT_LT(std::abs(correlation), 3 / std::sqrt(127.0)) << name_of(method);
    }
  }
}

class RandomisedFixtureTest : public testing::TestWithParam<Fixture> {};

std::string fixture_name(const testing::TestParamInfo<Fixture>& fixture) { return test_name(fixture.param); }

TEST_P(RandomisedFixtureTest, ItsGraphAndItsOwnForwardAgree) {
  const Model model = Model::load(GetParam().file).randomised(1);
  const Data data = first_of(read_data(GetParam().data), 4);
  AttributionOptions options;
  options.layers = {model.layers().empty() ? "*:out" : "all"};
  options.methods = {Method::gradient};
  Attribution attribution = model.attribution(options);
  // The first batch runs through the model's own forward too and is refused where outputs differ.
  EXPECT_NO_THROW(attribution.add(data.x, data.y, data.cluster));
}

INSTANTIATE_TEST_SUITE_P(Fixtures, RandomisedFixtureTest, testing::ValuesIn(attributable_fixtures()), fixture_name);

}  // namespace

}  // namespace pregrad::test::randomised_test
