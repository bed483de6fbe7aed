// DeepLIFT's rescale rule, against multipliers by hand and against what they must sum up to.

#include <cmath>
#include <string>

#include <ATen/Functions.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fixtures.hpp"
#include "methods/per_sample.hpp"
#include "operator_counts.hpp"
#include "pregrad/pregrad.hpp"
#include "rounding.hpp"

namespace pregrad::test::deep_lift_test {

namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr std::int64_t samples = 8;
constexpr double promised_sum = 1e-5;

AttributionOptions options_at(const std::string& layer) {
  AttributionOptions options;
  options.layers = {layer};
  options.methods = {Method::deep_lift};
  options.target = Target::index(1);
  return options;
}

/// y = relu(x·σ(1.7x) behind a·w₂ ...)·w₃ behind the layer tanh, with a residual.
class RescaleTest : public testing::Test {
 protected:
  at::Tensor w1_ = spread({5, 6}, 1);
  at::Tensor w2_ = spread({6, 4}, 2);
  at::Tensor w3_ = spread({4, 4}, 3);
  at::Tensor w4_ = spread({4, 3}, 4);
  at::Tensor x_ = spread({samples, 5}, 5);
  Model model_ = model_of(R"(
def forward(self, x):
  a = torch.tanh(x @ self.w1)
  h = a @ self.w2
  g = h * torch.sigmoid(1.7 * h)
  r = torch.relu(g @ self.w3 + 0.1) + g
  return r @ self.w4
)",
                          {{"w1", w1_}, {"w2", w2_}, {"w3", w3_}, {"w4", w4_}});

  /// Multipliers from the output down, all by hand.
  at::Tensor truth(const at::Tensor& baseline) const {
    const auto parts = [&](const at::Tensor& a) {
      const at::Tensor h = at::matmul(a, w2_);
      const at::Tensor g = h * at::sigmoid(1.7 * h);
      const at::Tensor k = at::matmul(g, w3_) + 0.1;
      return std::array<at::Tensor, 4>{h, g, k, at::relu(k)};
    };
    const at::Tensor a = at::tanh(at::matmul(x_, w1_));
    const auto [h, g, k, r] = parts(a);
    const auto [h0, g0, k0, r0] = parts(baseline);
    const at::Tensor of_r = w4_.select(1, 1);
    const at::Tensor of_k = of_r * (r - r0) / (k - k0);
    const at::Tensor of_g = at::matmul(of_k, w3_.t()) + of_r;
    const at::Tensor of_h = of_g * (g - g0) / (h - h0);
    return ((a - baseline) * at::matmul(of_h, w2_.t())).to(at::kDouble);
  }
};

TEST_F(RescaleTest, MultipliersAreQuotientsOfDifferences) {
  EXPECT_TRUE(are_close(values_per_sample(model_, options_at("forward@0"), x_), truth(at::zeros({1, 6})), 2e-5));
}

TEST_F(RescaleTest, TheBaselineMayBeGivenOrTheMean) {
  const at::Tensor baseline = spread({6}, 7, at::kDouble);
  AttributionOptions options = options_at("forward@0");
  options.baselines = {{"forward", 0, {}, {baseline.const_data_ptr<double>(), baseline.const_data_ptr<double>() + 6}}};
  options.means = options.baselines;
  for (const Baseline kind : {Baseline::given, Baseline::mean}) {
    options.baseline = kind;
    const at::Tensor seen = values_per_sample(model_, options, x_);
    EXPECT_TRUE(are_close(seen, truth(baseline.to(at::kFloat).unsqueeze(0)), 2e-5));
  }
}

TEST_F(RescaleTest, WhereNothingDiffersTheGradientCounts) {
  // tanh(x·w₁) of the baseline itself: all differences are 0.
  const at::Tensor a = at::tanh(at::matmul(x_.slice(0, 0, 1), w1_)).to(at::kDouble).contiguous();
  AttributionOptions options = options_at("forward@0");
  options.baseline = Baseline::given;
  options.baselines = {{"forward", 0, {}, {a.const_data_ptr<double>(), a.const_data_ptr<double>() + 6}}};
  const at::Tensor seen = values_per_sample(model_, options, x_.slice(0, 0, 1));
  EXPECT_TRUE(at::isfinite(seen).all().item<bool>());
  EXPECT_LT(seen.abs().max().item<double>(), 1e-5);
}

TEST_F(RescaleTest, CostsTwoForwardsBehindTheLayerAndOneBackward) {
  const auto products = [&](Method method) {
    AttributionOptions options = options_at("forward@0");
    options.methods = {method};
    Attribution attribution = model_.attribution(options);
    attribution.add(x_);
    return operator_counts(at::RecordScope::FUNCTION, [&] { attribution.add(x_); }).at("aten::mm");
  };
  constexpr int forward = 4;
  constexpr int behind = 3;
  constexpr int backward = 3;
  EXPECT_EQ(products(Method::gradient), forward + backward);
  // The batch's own run, up to the layer once more, and from there twice.
  EXPECT_EQ(products(Method::deep_lift), forward + 1 + 2 * behind + backward);
  EXPECT_LE(products(Method::deep_lift), 2.2 * products(Method::gradient));
}

struct Window {
  const char* name;
  std::string forward;
  std::vector<std::int64_t> input;
};

class DeepLiftMaximaTest : public testing::TestWithParam<Window> {};

/// Each window's maximum contributes max(m, m′) − m′ at its own place and m − max(m, m′) at the baseline's.
at::Tensor pooled_by_hand(const at::Tensor& a, const at::Tensor& weights, std::int64_t width, std::int64_t stride) {
  at::Tensor values = at::zeros(a.sizes(), at::kDouble);
  const std::int64_t windows = (a.size(2) - width) / stride + 1;
  for (std::int64_t n = 0; n < a.size(0); ++n) {
    for (std::int64_t c = 0; c < a.size(1); ++c) {
      for (std::int64_t w = 0; w < windows; ++w) {
        const at::Tensor window = a[n][c].slice(0, w * stride, w * stride + width);
        const double maximum = window.max().item<double>();
        // The baseline is 0 everywhere, so that its maximum is 0, at the first place.
        const double larger = std::max(maximum, 0.0);
        const double weight = weights[c * windows + w].item<double>();
        values[n][c][w * stride + window.argmax().item<std::int64_t>()] += larger * weight;
        values[n][c][w * stride] += (maximum - larger) * weight;
      }
    }
  }
  return values.sum(2);
}

TEST(DeepLiftByHandTest, ThePlacesOfBothMaximaShareTheDifference) {
  const at::Tensor kernel = spread({4, 2, 2}, 1);
  for (const auto& [width, stride] : {std::pair<std::int64_t, std::int64_t>{2, 2}, {3, 1}}) {
    const std::int64_t windows = (7 - width) / stride + 1;
    const at::Tensor w = spread({4 * windows, 3}, 2);
    const Model model = model_of(
        "def forward(self, x):\n  a = torch.tanh(torch.conv1d(x, self.kernel))\n"
        "  return torch.max_pool1d(a, [" +
            std::to_string(width) + "], [" + std::to_string(stride) + "]).flatten(1) @ self.w\n",
        {{"kernel", kernel}, {"w", w}});
    const at::Tensor x = spread({samples, 2, 8}, 3);
    const at::Tensor expected = pooled_by_hand(at::tanh(at::conv1d(x, kernel)), w.select(1, 1), width, stride);
    EXPECT_TRUE(are_close(values_per_sample(model, options_at("forward@0"), x), expected, 1e-5)) << width;
  }
}

TEST_P(DeepLiftMaximaTest, SumUpToTheDifference) {
  const Model model = model_of(GetParam().forward, {{"kernel", spread({4, 2, 3, 3}, 1)}, {"w", spread({4, 3}, 2)}});
  AttributionOptions options = options_at("forward@0");
  options.baseline = Baseline::given;
  options.baselines = {{"forward", 0, {}, {0.1, -0.2, 0.3, -0.1}}};
  const Scores scores = scores_per_sample(model, options, spread(GetParam().input, 3));
  for (const Score& score : scores.entries()) {
    EXPECT_LT(score.completeness_error, promised_sum);
  }
}

INSTANTIATE_TEST_SUITE_P(Windows, DeepLiftMaximaTest,
                         testing::Values(Window{"overlapping",
                                                R"(
def forward(self, x):
  a = torch.tanh(torch.conv2d(x, self.kernel))
  return torch.relu(torch.max_pool2d(a, [3, 3], [1, 1], [1, 1])).mean(3).mean(2) @ self.w
)",
                                                {samples, 2, 8, 8}},
                                         Window{"adaptive",
                                                R"(
def forward(self, x):
  a = torch.tanh(torch.conv2d(x, self.kernel))
  return torch.adaptive_max_pool2d(a, [1, 1])[0].flatten(1) @ self.w
)",
                                                {samples, 2, 7, 7}},
                                         Window{"twice",
                                                R"(
def forward(self, x):
  a = torch.sigmoid(torch.conv2d(x, self.kernel))
  b = torch.max_pool2d(torch.max_pool2d(a, [2, 2]) * -1.5, [2, 2])
  return torch.relu(b + 0.8).mean(3).mean(2) @ self.w
)",
                                                {samples, 2, 10, 10}}),
                         [](const auto& window) { return std::string(window.param.name); });

struct Refused {
  const char* name;
  const char* behind;
  const char* says;
};

class DeepLiftRefusedTest : public testing::TestWithParam<Refused> {};

TEST_P(DeepLiftRefusedTest, WhatHasNoRuleIsNamed) {
  const Model model =
      model_of(std::string("def forward(self, x):\n  a = torch.tanh(x @ self.w1)\n") + GetParam().behind,
               {{"w1", spread({5, 6}, 1)}, {"w2", spread({6, 6}, 2)}});
  EXPECT_THAT([&] { model.attribution(options_at("forward@0")).add(spread({samples, 5}, 3)); },
              ThrowsMessage<UnsupportedModelError>(
                  AllOf(HasSubstr("'forward@0'"), HasSubstr(GetParam().says), HasSubstr("use integrated-gradients"))));
}

INSTANTIATE_TEST_SUITE_P(
    Operators, DeepLiftRefusedTest,
    testing::Values(Refused{"softmax", "  return torch.softmax(a @ self.w2, 1)\n", "'softmax'"},
                    Refused{"normalisation", "  return torch.layer_norm(a @ self.w2, [6])\n", "layer_norm'"},
                    Refused{"product", "  return (a @ self.w2) * torch.sigmoid(a)\n", "'mul' multiplies two tensors"},
                    Refused{"matrices", "  return (a.unsqueeze(2) @ a.unsqueeze(1)).sum(2)\n", "'bmm' multiplies"},
                    Refused{"quotient", "  return a / (a @ self.w2 + 9)\n", "'div'"},
                    Refused{"instances",
                            "  return torch.instance_norm((a @ self.w2).unsqueeze(1), None, None, None, None, True, "
                            "0.1, 1e-5, False).squeeze(1)\n",
                            "normalises or chooses"},
                    Refused{"sorted", "  return torch.sort(a @ self.w2 * 3, 1)[0]\n", "'sort'"}),
    [](const auto& refused) { return std::string(refused.param.name); });

TEST_F(RescaleTest, ProbabilitiesAreRefused) {
  AttributionOptions options = options_at("forward@0");
  options.output = Output::probability;
  EXPECT_THAT([&] { model_.attribution(options); },
              ThrowsMessage<ArgumentError>(
                  AllOf(HasSubstr("deep-lift"), HasSubstr("probability"), HasSubstr("integrated-gradients"))));
}

TEST_F(RescaleTest, WhatDependsOnTheInputAloneIsAFactor) {
  const at::Tensor gate = spread({5, 4}, 8);
  const Model gated = model_of(R"(
def forward(self, x):
  return (torch.relu(torch.tanh(x @ self.w1) @ self.w2) * torch.sigmoid(x @ self.gate)) @ self.w4
)",
                               {{"w1", w1_}, {"w2", w2_}, {"gate", gate}, {"w4", w4_}});
  const at::Tensor a = at::tanh(at::matmul(x_, w1_));
  const at::Tensor h = at::matmul(a, w2_);
  const at::Tensor of_h = w4_.select(1, 1) * at::sigmoid(at::matmul(x_, gate)) * at::relu(h) / h;
  EXPECT_TRUE(are_close(values_per_sample(gated, options_at("forward@0"), x_),
                        (a * at::matmul(of_h, w2_.t())).to(at::kDouble), 2e-5));
}

std::string fixture_name(const testing::TestParamInfo<Fixture>& fixture) { return test_name(fixture.param); }

class DeepLiftModelTest : public testing::TestWithParam<Fixture> {
 protected:
  int summed_ = 0;
  int refused_ = 0;
};

TEST_P(DeepLiftModelTest, SumsUpToTheDifferenceOrIsRefusedByName) {
  const Data data = first_of(read_data(GetParam().data), 6);
  const Model model = Model::load(GetParam().file);
  for (const Layer& layer : model.layers(data.x)) {
    SCOPED_TRACE(testing::Message() << layer.name << "@" << layer.call);
    AttributionOptions options;
    options.methods = {Method::deep_lift};
    options.layers = {layer.name + "@" + std::to_string(layer.call)};
    try {
      Attribution attribution = model.attribution(options);
      attribution.add(data.x, data.y);
      const double error = attribution.scores().entries().at(0).completeness_error;
      EXPECT_TRUE(std::isnan(error) || error < 10 * promised_sum) << error;
      ++summed_;
    } catch (const UnsupportedModelError& error) {
      EXPECT_THAT(error.what(), HasSubstr("use integrated-gradients"));
      ++refused_;
    } catch (const LayerError&) {
      // no influence on the output
    }
  }
  const std::string name = GetParam().model;
  if (name.starts_with("digits") || name.starts_with("act-") || name.starts_with("residual")) {
    EXPECT_GT(summed_, 0) << "nothing behind its last layer has no rule";
  }
  RecordProperty("summed", summed_);
  RecordProperty("refused", refused_);
}

INSTANTIATE_TEST_SUITE_P(Fixtures, DeepLiftModelTest, testing::ValuesIn(attributable_fixtures()), fixture_name);

}  // namespace

}  // namespace pregrad::test::deep_lift_test
