// The comparison that the project started from: which score finds the neurons that a trained network needs?

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "fixtures.hpp"
#include "pregrad/pregrad.hpp"

namespace pregrad::test::anchor_test {

namespace {

/// A score and its aggregate, e.g. `gradient mean`.
using Ranked = std::pair<Method, Aggregate>;
using Areas = std::map<Ranked, double>;

struct Scope {
  std::string layer;
  std::string clusters;  ///< `all` is one cluster, `y` one per label
  Removal removal;
};

const std::vector<Ranked> rankings = {{Method::gradient, Aggregate::mean},
                                      {Method::gradient, Aggregate::mean_abs},
                                      {Method::gradient_x_activation, Aggregate::mean},
                                      {Method::gradient_x_activation, Aggregate::mean_abs},
                                      {Method::gradient_x_preactivation, Aggregate::mean},
                                      {Method::gradient_x_preactivation, Aggregate::mean_abs},
                                      {Method::gradient_x_centred_activation, Aggregate::mean},
                                      {Method::preactivation, Aggregate::mean},
                                      {Method::activation, Aggregate::mean},
                                      {Method::ablation, Aggregate::mean}};

/// The first 1200 digits train and score, the last 597 test, as in anchor/train.npz and anchor/test.npz.
Data split(const Scope& scope, bool is_test) {
  const Data digits = read_data(fixture_path("digits.npz"));
  constexpr std::int64_t training_samples = 1200;
  const auto part = [&](const at::Tensor& whole) {
    return is_test ? whole.slice(0, training_samples) : whole.slice(0, 0, training_samples);
  };
  return {part(digits.x), part(digits.y), scope.clusters == "all" ? at::Tensor() : part(digits.y)};
}

Scores scores_of(const Model& model, const Scope& scope, AttributionOptions options) {
  const Data train = split(scope, false);
  options.layers = {scope.layer};
  Attribution attribution = model.attribution(options);
  attribution.add(train.x, train.y, train.cluster);
  return attribution.scores();
}

/// Areas on the test data of orders by scores of the training data, averaged over the clusters.
Areas areas_of(const std::string& name, const Scope& scope) {
  const Model model = Model::load(fixture_path("anchor/" + name + ".pt"));
  AttributionOptions options;
  options.methods = {Method::activation};
  const std::vector<NeuronConstants> means = mean_activations(scores_of(model, scope, options));
  options.methods = {Method::gradient,      Method::gradient_x_preactivation,      Method::gradient_x_activation,
                     Method::preactivation, Method::gradient_x_centred_activation, Method::activation,
                     Method::ablation};
  options.removal = scope.removal;
  options.means = means;
  const Scores scores = scores_of(model, scope, options);

  AblationOptions ablation_options;
  ablation_options.removal = scope.removal;
  ablation_options.means = means;
  for (const RemovalOrder& order : removal_orders(scores, {Aggregate::mean, Aggregate::mean_abs})) {
    if (std::find(rankings.begin(), rankings.end(), Ranked(order.method, order.aggregate)) != rankings.end()) {
      ablation_options.orders.push_back(order);
    }
  }
  const auto clusters = static_cast<double>(ablation_options.orders.size() / rankings.size());
  if (scope.clusters == "all") {
    const auto neurons = static_cast<std::int64_t>(means.at(0).values.size());
    for (const RemovalOrder& order : random_orders(scope.layer, 0, 0, neurons, 20, 1)) {
      ablation_options.orders.push_back(order);
    }
  }
  const Data test = split(scope, true);
  Ablation ablation = model.ablation(ablation_options);
  ablation.add(test.x, test.y, test.cluster);
  Areas areas;
  for (const RemovalCurve& curve : ablation.curves()) {
    const double share = curve.order.method == Method::random ? 1.0 / 20 : 1 / clusters;
    areas[{curve.order.method, curve.order.aggregate}] += share * curve.area();
  }
  return areas;
}

struct Expected {
  double area = 0;
  double deviation = 0;  ///< of one random order
};

/// The rows of tests/fixtures/anchor/areas.csv for one model and scope, from eager PyTorch.
std::map<Ranked, Expected> expected_areas(const std::string& model, const Scope& scope) {
  std::map<Ranked, Expected> areas;
  for (auto& row : read_csv(fixture_path("anchor/areas.csv"))) {
    if (row["model"] == model && row["layer"] == scope.layer &&
        row["scope"] == (scope.clusters == "all" ? "all" : "class") && row["removal"] == name_of(scope.removal)) {
      const bool is_random = row["score"] == "random";
      areas[{method_named(row["score"]), is_random ? Aggregate::mean : aggregate_named(row["aggregate"])}] = {
          std::stod(row["area"]), is_random ? std::stod(row["area_std"]) : 0};
    }
  }
  return areas;
}

/// Ours, held against eager PyTorch's; random from there where ours has none.
Areas checked_areas(const std::string& model, const Scope& scope) {
  SCOPED_TRACE(testing::Message() << model << " " << scope.layer << " " << scope.clusters << " "
                                  << name_of(scope.removal));
  Areas areas = areas_of(model, scope);
  const auto expected = expected_areas(model, scope);
  EXPECT_GE(expected.size(), rankings.size());
  for (const auto& [ranked, truth] : expected) {
    if (ranked.first != Method::random) {
      EXPECT_NEAR(areas[ranked], truth.area, 3e-4) << name_of(ranked.first) << " " << name_of(ranked.second);
    } else if (scope.clusters == "all") {
      EXPECT_NEAR(areas[ranked], truth.area, 4 * truth.deviation * std::sqrt(2.0 / 20));
    } else {
      areas[ranked] = truth.area;
    }
  }
  return areas;
}

const Ranked signed_gradient = {Method::gradient, Aggregate::mean};
const Ranked absolute_gradient = {Method::gradient, Aggregate::mean_abs};
const Ranked gradient_x_activation = {Method::gradient_x_activation, Aggregate::mean};
const Ranked centred = {Method::gradient_x_centred_activation, Aggregate::mean};
const Ranked pre_activation = {Method::preactivation, Aggregate::mean};
const Ranked oracle = {Method::ablation, Aggregate::mean};
const Ranked by_chance = {Method::random, Aggregate::mean};

const std::vector<std::string> relu_models = {"relu-0", "relu-1", "relu-2"};
const std::vector<std::string> tanh_models = {"tanh-0", "tanh-1"};

TEST(AnchorTest, OverMixedClassesTheSignedGradientIsNoBetterThanChanceAndOthersAre) {
  Areas mean;
  double deviation = 0;
  for (const std::string& model : relu_models) {
    const Scope scope{"act2", "all", Removal::zero};
    for (const auto& [ranked, area] : checked_areas(model, scope)) {
      mean[ranked] += area / static_cast<double>(relu_models.size());
    }
    deviation += expected_areas(model, scope).at(by_chance).deviation / static_cast<double>(relu_models.size());
  }
  // Within one standard deviation of a random order; one network of the three is luckier.
  EXPECT_GT(mean[signed_gradient], mean[by_chance] - deviation);
  for (const Ranked& other : {absolute_gradient, gradient_x_activation, pre_activation, oracle}) {
    EXPECT_LT(mean[other], mean[by_chance] - 1.5 * deviation) << name_of(other.first);
  }
}

TEST(AnchorTest, InOneClassTheSignedGradientIsFarBetterThanChance) {
  for (const std::string& model : relu_models) {
    Areas areas = checked_areas(model, {"act2", "y", Removal::zero});
    EXPECT_LT(areas[signed_gradient], areas[by_chance] / 3) << model;
  }
}

TEST(AnchorTest, WithTanhTheActivationMustBeAFactor) {
  for (const std::string& model : tanh_models) {
    Areas areas = checked_areas(model, {"act2", "y", Removal::zero});
    EXPECT_GT(areas[signed_gradient], areas[by_chance] - 0.02) << model;
    EXPECT_LT(areas[gradient_x_activation], areas[by_chance] - 0.3) << model;
  }
}

TEST(AnchorTest, ForRemovalByTheMeanTheCentredScoreIsBest) {
  for (const std::vector<std::string>& models : {relu_models, tanh_models}) {
    for (const std::string& model : models) {
      Areas areas = checked_areas(model, {"act2", "y", Removal::mean});
      for (const Ranked& other : rankings) {
        if (other != centred && other != oracle) {
          EXPECT_LT(areas[centred], areas[other])
              << model << ": " << name_of(other.first) << " " << name_of(other.second);
        }
      }
      EXPECT_LT(areas[centred], areas[by_chance] - 0.3) << model;
    }
  }
}

}  // namespace

}  // namespace pregrad::test::anchor_test
