#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <sstream>

#include <ATen/Functions.h>
#include <gtest/gtest.h>

#include "fixtures.hpp"
#include "pregrad/pregrad.hpp"
#include "rounding.hpp"

namespace pregrad::test::ablation_test {

namespace {

constexpr std::int64_t golden_samples = 128;

std::string fixture_name(const testing::TestParamInfo<Fixture>& fixture) { return test_name(fixture.param); }

std::string id_of(const RemovalOrder& order) {
  std::ostringstream id;
  id << order.layer << "@" << order.call << " cluster " << order.cluster;
  return id.str();
}

std::vector<NeuronConstants> means_of(const Model& model, const Data& data, const std::string& layer) {
  AttributionOptions options;
  options.layers = {layer};
  options.methods = {Method::activation};
  Attribution attribution = model.attribution(options);
  attribution.add(data.x, data.y, data.cluster);
  return mean_activations(attribution.scores());
}

class CurvesTest : public testing::TestWithParam<Fixture> {};

/// One curve of tests/fixtures/golden/MODEL.curves.csv.
struct GoldenCurve {
  std::string removal;
  RemovalOrder order;
  std::vector<std::map<std::string, std::string>> points;
};

std::vector<GoldenCurve> read_curves(const std::string& model) {
  std::vector<GoldenCurve> curves;
  for (auto& row : read_csv(fixture_path("golden/" + model + ".curves.csv"))) {
    const std::int64_t call = std::stoll(row["call"]);
    const std::int64_t cluster = std::stoll(row["cluster"]);
    if (row["removed"] == "0") {
      GoldenCurve curve;
      curve.removal = row["removal"];
      curve.order.layer = row["layer"];
      curve.order.call = call;
      curve.order.cluster = cluster;
      curves.push_back(std::move(curve));
    }
    curves.back().points.push_back(row);
  }
  for (GoldenCurve& curve : curves) {
    curve.order.neurons.resize(curve.points.size() - 1);
    std::iota(curve.order.neurons.begin(), curve.order.neurons.end(), 0);
    if (curve.points[0]["order"] == "reverse") {
      std::reverse(curve.order.neurons.begin(), curve.order.neurons.end());
    }
  }
  return curves;
}

void expect_equal(const RemovalCurve& seen, GoldenCurve& truth) {
  SCOPED_TRACE(testing::Message() << id_of(truth.order) << " removal " << truth.removal);
  ASSERT_EQ(seen.removed.size(), truth.points.size());
  double largest = 0;
  for (auto& point : truth.points) {
    largest = std::max(largest, std::abs(std::stod(point["mean_output"])));
  }
  for (std::size_t i = 0; i < truth.points.size(); ++i) {
    auto& point = truth.points[i];
    SCOPED_TRACE(testing::Message() << "removed " << point["removed"]);
    EXPECT_EQ(std::to_string(seen.removed[i]), point["removed"]);
    EXPECT_NEAR(seen.accuracy[i], std::stod(point["accuracy"]), 1e-8);
    EXPECT_NEAR(seen.mean_output[i], std::stod(point["mean_output"]), promised_of_golden_values * largest);
    EXPECT_NEAR(seen.cross_entropy[i], std::stod(point["cross_entropy"]),
                promised_of_golden_values * std::max(1.0, std::stod(point["cross_entropy"])));
    if (point["outside_accuracy"].empty()) {
      EXPECT_TRUE(std::isnan(seen.outside_accuracy[i]));
    } else {
      EXPECT_NEAR(seen.outside_accuracy[i], std::stod(point["outside_accuracy"]), 1e-8);
    }
  }
}

TEST_P(CurvesTest, PointsAreThoseOfEagerPyTorch) {
  const Data data = first_of(read_data(GetParam().data), golden_samples);
  const Model model = Model::load(GetParam().file);
  std::vector<GoldenCurve> curves = read_curves(GetParam().model);
  ASSERT_FALSE(curves.empty());
  for (const char* removal : {"zero", "zero-preactivation", "mean"}) {
    AblationOptions options;
    options.removal = removal_named(removal);
    std::vector<GoldenCurve*> wanted;
    std::set<std::string> layers;
    for (GoldenCurve& curve : curves) {
      if (curve.removal == removal) {
        options.orders.push_back(curve.order);
        wanted.push_back(&curve);
        if (layers.insert(curve.order.layer).second) {
          const auto means = means_of(model, data, curve.order.layer);
          options.means.insert(options.means.end(), means.begin(), means.end());
        }
      }
    }
    ASSERT_FALSE(wanted.empty()) << removal;
    Ablation whole = model.ablation(options);
    whole.add(data.x, data.y, data.cluster);
    Ablation parts = model.ablation(options);
    for (std::int64_t first = 0; first < data.x.size(0); first += 5) {
      const auto part = [&](const at::Tensor& all) { return all.slice(0, first, first + 5); };
      parts.add(part(data.x), part(data.y), part(data.cluster));
    }
    const std::vector<RemovalCurve> seen = whole.curves();
    const std::vector<RemovalCurve> seen_in_parts = parts.curves();
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      expect_equal(seen[i], *wanted[i]);
      expect_equal(seen_in_parts[i], *wanted[i]);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Fixtures, CurvesTest, testing::ValuesIn(fixtures_with("curves")), fixture_name);

class AblationTest : public testing::Test {
 protected:
  std::string message_of(const AblationOptions& options) const {
    try {
      Ablation ablation = model.ablation(options);
      ablation.add(data.x, data.y, data.cluster);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }

  RemovalOrder order(std::int64_t neurons) const {
    RemovalOrder result;
    result.layer = "act2";
    result.neurons.resize(static_cast<std::size_t>(neurons));
    std::iota(result.neurons.begin(), result.neurons.end(), 0);
    return result;
  }

  Model model = Model::load(fixture_path("digits-mlp.scripted.pt"));
  Data data = first_of(read_data(fixture_path("digits.npz")), golden_samples);
};

TEST_F(AblationTest, AllNeuronsGoneIsTheSameForEveryOrder) {
  AblationOptions options;
  options.orders = random_orders("act2", 0, 0, 64, 3, 5);
  Ablation ablation = model.ablation(options);
  ablation.add(data.x, data.y, data.cluster);
  const std::vector<RemovalCurve> curves = ablation.curves();
  ASSERT_EQ(curves.size(), 3U);
  EXPECT_EQ(curves[0].mean_output.front(), curves[1].mean_output.front());
  EXPECT_EQ(curves[0].mean_output.back(), curves[2].mean_output.back());
  EXPECT_NE(curves[0].mean_output[20], curves[1].mean_output[20]);
  EXPECT_EQ(curves[0].order.repeat, 0);
  EXPECT_EQ(curves[2].order.repeat, 2);
}

TEST_F(AblationTest, NegativeCountsOfRandomOrdersAreRefused) {
  EXPECT_TRUE(random_orders("act2", 0, 0, 64, 0, 5).empty());
  EXPECT_THROW(random_orders("act2", 0, 0, 64, -1, 5), ArgumentError);
  EXPECT_THROW(random_orders("act2", 0, 0, -64, 1, 5), ArgumentError);
}

TEST_F(AblationTest, WideLayersHaveEvenlySpacedPoints) {
  AblationOptions options;
  options.orders = random_orders("act1", 0, 0, 128, 1, 0);
  Ablation ablation = model.ablation(options);
  ablation.add(data.x, data.y);
  const RemovalCurve curve = ablation.curves().at(0);
  ASSERT_EQ(curve.removed.size(), 129U);
  EXPECT_EQ(curve.removed.front(), 0);
  EXPECT_EQ(curve.removed.back(), 128);
  EXPECT_EQ(curve.outside_count, 0);
  EXPECT_TRUE(std::isnan(curve.outside_accuracy.front()));
}

TEST_F(AblationTest, KeepingIsRemovingFromTheOtherEnd) {
  RemovalOrder kept = random_orders("act2", 0, 0, 64, 1, 5).at(0);
  RemovalOrder reversed = kept;
  std::reverse(reversed.neurons.begin(), reversed.neurons.end());
  kept.keep = true;
  AblationOptions options;
  options.orders = {kept, reversed};
  Ablation ablation = model.ablation(options);
  ablation.add(data.x, data.y, data.cluster);
  const std::vector<RemovalCurve> curves = ablation.curves();
  EXPECT_TRUE(curves[0].order.keep);
  EXPECT_EQ(curves[0].order.neurons, kept.neurons);
  EXPECT_EQ(curves[0].removed, curves[1].removed);
  EXPECT_EQ(curves[0].accuracy, curves[1].accuracy);
  EXPECT_NEAR(curves[0].area_error, curves[1].area_error, 1e-6);
  for (std::size_t i = 0; i < curves[0].removed.size(); ++i) {
    EXPECT_NEAR(curves[0].mean_output[i], curves[1].mean_output[i], 1e-4);
  }
}

TEST_F(AblationTest, KeepingAllIsRemovingNone) {
  RemovalOrder removed = random_orders("act2", 0, 1, 64, 1, 5).at(0);
  RemovalOrder kept = removed;
  kept.keep = true;
  AblationOptions options;
  options.orders = {removed, kept};
  Ablation ablation = model.ablation(options);
  ablation.add(data.x, data.y, data.cluster);
  const std::vector<RemovalCurve> curves = ablation.curves();
  // The same but for the rounding of copies of a batch that run together.
  EXPECT_NEAR(curves[0].mean_output.front(), curves[1].mean_output.front(), 1e-5);
  EXPECT_NEAR(curves[0].cross_entropy.front(), curves[1].cross_entropy.front(), 1e-5);
  EXPECT_NEAR(curves[0].mean_output.back(), curves[1].mean_output.back(), 1e-5);
  EXPECT_NE(curves[0].mean_output[20], curves[1].mean_output[20]);
  const at::Tensor inside = data.cluster.eq(1);
  const at::Tensor outputs = model.forward(data.x.index({inside})).to(at::kDouble);
  const at::Tensor labels = data.y.index({inside});
  EXPECT_NEAR(curves[1].mean_output.front(), outputs.gather(1, labels.unsqueeze(1)).mean().item<double>(), 1e-5);
}

TEST_F(AblationTest, AStateOfRemovedNeuronsIsNoneOfKeptOnes) {
  AblationOptions options;
  options.orders = random_orders("act2", 0, 0, 64, 1, 5);
  const std::string state = model.ablation(options).save();
  options.orders[0].keep = true;
  Ablation kept = model.ablation(options);
  EXPECT_THROW(kept.restore(state), ArgumentError);
}

/// tests/fixtures/certainty/areas.csv, whose errors are a formula's and those of 20,000 resamplings.
TEST(AreaErrorTest, IsThatOfResampledInputs) {
  const Model anchor = Model::load(fixture_path("anchor/relu-0.pt"));
  const Data test = read_data(fixture_path("certainty/test.npz"));
  for (auto& row : read_csv(fixture_path("certainty/areas.csv"))) {
    SCOPED_TRACE(testing::Message() << row["cluster"] << " " << row["order"] << " " << row["keep"]);
    RemovalOrder order;
    order.layer = "act2";
    order.cluster = row["cluster"] == "all" ? 0 : std::stoll(row["cluster"]);
    order.neurons.resize(64);
    std::iota(order.neurons.begin(), order.neurons.end(), 0);
    if (row["order"] == "reverse") {
      std::reverse(order.neurons.begin(), order.neurons.end());
    }
    order.keep = row["keep"] == "1";
    AblationOptions options;
    options.orders = {order};
    const at::Tensor clusters = row["cluster"] == "all" ? at::Tensor() : test.y;
    Ablation whole = anchor.ablation(options);
    whole.add(test.x, test.y, clusters);
    const RemovalCurve curve = whole.curves().at(0);
    EXPECT_EQ(curve.count, std::stoll(row["count"]));
    EXPECT_NEAR(curve.area(), std::stod(row["area"]), 3e-4);
    EXPECT_NEAR(curve.area_error, std::stod(row["standard_error"]), 0.01 * curve.area_error);
    EXPECT_NEAR(curve.area_error, std::stod(row["bootstrap"]), 0.03 * curve.area_error);

    Ablation front = anchor.ablation(options);
    Ablation back = anchor.ablation(options);
    const auto add = [&](Ablation& to, std::int64_t first, std::int64_t last) {
      const auto part = [&](const at::Tensor& all) { return all.defined() ? all.slice(0, first, last) : all; };
      to.add(part(test.x), part(test.y), part(clusters));
    };
    add(front, 0, 100);
    add(back, 100, 107);
    add(back, 107, test.x.size(0));
    front.merge(back.save());
    EXPECT_NEAR(front.curves().at(0).area_error, curve.area_error, 1e-9);
    Ablation again = anchor.ablation(options);
    again.restore(front.save());
    EXPECT_EQ(again.curves().at(0).area_error, front.curves().at(0).area_error);
  }
}

TEST(AreaErrorTest, NeedsTwoSamples) {
  const Model anchor = Model::load(fixture_path("anchor/relu-0.pt"));
  const Data test = first_of(read_data(fixture_path("certainty/test.npz")), 1);
  AblationOptions options;
  options.orders = random_orders("act2", 0, 0, 64, 1, 0);
  Ablation ablation = anchor.ablation(options);
  ablation.add(test.x, test.y);
  EXPECT_TRUE(std::isnan(ablation.curves().at(0).area_error));
}

TEST_F(AblationTest, AreaIsTheTrapezoidOverTheRemovedShare) {
  RemovalCurve curve;
  curve.order = order(4);
  curve.removed = {0, 1, 3, 4};
  curve.accuracy = {1, 0.5, 0.5, 0};
  EXPECT_DOUBLE_EQ(curve.area(), 0.25 * 0.75 + 0.5 * 0.5 + 0.25 * 0.25);
  curve.accuracy.assign(4, std::nan(""));
  curve.mean_output = {2, 2, 2, 2};
  EXPECT_DOUBLE_EQ(curve.area(), 2);
}

TEST_F(AblationTest, OrdersFollowScores) {
  AttributionOptions options;
  options.layers = {"act2"};
  options.methods = {Method::gradient, Method::random};
  options.seed = 3;
  Attribution attribution = model.attribution(options);
  attribution.add(data.x, data.y);
  const Scores scores = attribution.scores();
  const std::vector<RemovalOrder> orders = removal_orders(scores, {Aggregate::mean, Aggregate::mean_abs});
  ASSERT_EQ(orders.size(), 3U);
  EXPECT_EQ(orders[0].neurons, ranking(scores.of("act2", 0, Method::gradient).mean));
  EXPECT_EQ(orders[1].aggregate, Aggregate::mean_abs);
  EXPECT_EQ(orders[1].neurons, ranking(scores.of("act2", 0, Method::gradient).mean_abs));
  EXPECT_EQ(orders[2].neurons, random_orders("act2", 0, 0, 64, 1, 3).at(0).neurons);
}

TEST_F(AblationTest, ASavedStateGoesOnToTheLastBit) {
  AblationOptions options;
  options.orders = random_orders("act2", 0, 1, 64, 2, 5);
  Ablation straight = model.ablation(options);
  Ablation broken = model.ablation(options);
  Ablation resumed = model.ablation(options);
  const auto part = [&](const at::Tensor& all, std::int64_t first) { return all.slice(0, first, first + 64); };
  broken.add(part(data.x, 0), part(data.y, 0), part(data.cluster, 0));
  resumed.restore(broken.save());
  resumed.add(part(data.x, 64), part(data.y, 64), part(data.cluster, 64));
  for (const std::int64_t first : {0, 64}) {
    straight.add(part(data.x, first), part(data.y, first), part(data.cluster, first));
  }
  EXPECT_EQ(straight.save(), resumed.save());
  EXPECT_EQ(straight.curves().at(1).cross_entropy, resumed.curves().at(1).cross_entropy);
  options.orders[0].neurons = order(64).neurons;
  EXPECT_THROW(model.ablation(options).restore(broken.save()), ArgumentError);
  EXPECT_THROW(resumed.restore("nonsense"), ArgumentError);
}

TEST_F(AblationTest, OneOutputHasNoAccuracy) {
  const Data single = read_data(fixture_path("single-output.npz"));
  const Model model_of_one = Model::load(fixture_path("single-output.scripted.pt"));
  const Layer layer = model_of_one.layers(single.x).at(0);
  AblationOptions options;
  options.target = Target::index(0);
  options.orders = random_orders(layer.name, layer.call, 0, layer.neurons, 1, 0);
  Ablation ablation = model_of_one.ablation(options);
  ablation.add(single.x);
  const RemovalCurve curve = ablation.curves().at(0);
  EXPECT_TRUE(std::isnan(curve.accuracy.at(0)));
  EXPECT_TRUE(std::isfinite(curve.mean_output.at(0)));
  EXPECT_TRUE(std::isfinite(curve.area()));
}

TEST_F(AblationTest, WrongOptionsAreRefusedInOneLine) {
  AblationOptions options;
  EXPECT_NE(message_of(options).find("there is no removal order"), std::string::npos);
  options.orders = {order(64)};
  options.orders[0].neurons[3] = 2;
  EXPECT_EQ(message_of(options),
            "the removal order of layer 'act2@0', cluster 0 has 64 neurons, and among them neuron 2 twice or out of "
            "range: name every neuron once, from 0 to 63");
  options.orders = {order(63)};
  EXPECT_EQ(message_of(options),
            "the removal order of layer 'act2@0', cluster 0 has 63 neurons, the layer has 64: name every neuron once");
  options.orders = {order(64)};
  options.orders[0].layer = "act9";
  EXPECT_NE(message_of(options).find("the model has no layer 'act9@0'"), std::string::npos);
  options.orders[0].layer = "act2";
  options.orders[0].call = 1;
  EXPECT_NE(message_of(options).find("name act2@0"), std::string::npos);
  options.orders = {order(64)};
  options.removal = Removal::mean;
  EXPECT_NE(message_of(options).find("there are no mean activations"), std::string::npos);
  options.means = {{"act1", 0, {}, {}}};
  EXPECT_NE(message_of(options).find("there are no mean activations of layer 'act2@0'"), std::string::npos);
  options.removal = Removal::zero;
  Ablation without_labels = model.ablation(options);
  EXPECT_THROW(without_labels.add(data.x), InputError);
  EXPECT_THROW(without_labels.add(data.x, data.y + 10), InputError);
}

}  // namespace

}  // namespace pregrad::test::ablation_test
