// Shapley values, against the definition: every coalition is tried by hand.

#include <cmath>
#include <string>

#include <ATen/Functions.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "methods/per_sample.hpp"
#include "operator_counts.hpp"
#include "pregrad/pregrad.hpp"
#include "rounding.hpp"

namespace pregrad::test::shapley_test {

namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr std::int64_t samples = 6;

/// y = tanh(σ(x·w₁)·w₂)·w₃, whose neurons work in one direction, so that together they make a difference.
struct Network {
  explicit Network(std::int64_t count) : neurons(count), w1(spread({5, count}, 1)), w2(spread({count, 4}, 2).abs()) {}

  std::int64_t neurons;
  at::Tensor w1;
  at::Tensor w2;
  at::Tensor w3 = spread({4, 3}, 3).abs();
  at::Tensor x = spread({samples, 5}, 4);

  Model model() const {
    return model_of("def forward(self, x):\n  return torch.tanh(torch.sigmoid(x @ self.w1) @ self.w2) @ self.w3\n",
                    {{"w1", w1}, {"w2", w2}, {"w3", w3}});
  }
  AttributionOptions options() const {
    AttributionOptions options;
    options.layers = {"forward@0"};
    options.methods = {Method::shapley};
    options.target = Target::index(1);
    return options;
  }
  at::Tensor activation() const { return at::sigmoid(at::matmul(x, w1)); }
  at::Tensor y(const at::Tensor& a) const { return at::matmul(at::tanh(at::matmul(a, w2)), w3).select(1, 1); }

  /// @param removed what a neuron is that does not play, [neurons]
  at::Tensor y_of(std::int64_t coalition, const at::Tensor& removed) const {
    at::Tensor plays = at::empty({neurons}, at::kBool);
    for (std::int64_t neuron = 0; neuron < neurons; ++neuron) {
      plays[neuron] = (coalition >> neuron) % 2 == 1;
    }
    return y(at::where(plays, activation(), removed)).to(at::kDouble);
  }
  /// Σ over coalitions without the neuron of |S|! (n − |S| − 1)! / n! · (y(S + neuron) − y(S)), [samples, neurons].
  at::Tensor truth(const at::Tensor& removed) const {
    std::vector<at::Tensor> ys;
    for (std::int64_t coalition = 0; coalition < std::int64_t{1} << neurons; ++coalition) {
      ys.push_back(y_of(coalition, removed));
    }
    const auto factorial = [](std::int64_t n) { return std::tgamma(static_cast<double>(n) + 1); };
    at::Tensor values = at::zeros({samples, neurons}, at::kDouble);
    for (std::size_t coalition = 0; coalition < ys.size(); ++coalition) {
      std::int64_t size = 0;
      for (std::int64_t neuron = 0; neuron < neurons; ++neuron) {
        size += static_cast<std::int64_t>(coalition >> neuron) % 2;
      }
      for (std::int64_t neuron = 0; neuron < neurons; ++neuron) {
        if ((coalition >> neuron) % 2 == 0) {
          const double share = factorial(size) * factorial(neurons - size - 1) / factorial(neurons);
          values.select(1, neuron).add_(ys[coalition | (std::size_t{1} << neuron)] - ys[coalition], share);
        }
      }
    }
    return values;
  }
  at::Tensor difference(const at::Tensor& removed) const {
    return y_of((std::int64_t{1} << neurons) - 1, removed) - y_of(0, removed);
  }
};

TEST(ShapleyTest, FewNeuronsAreEnumerated) {
  const Network ten(10);
  const at::Tensor seen = values_per_sample(ten.model(), ten.options(), ten.x);
  EXPECT_TRUE(are_close(seen, ten.truth(at::zeros({10})), 1e-5));
  const Network one(1);
  EXPECT_TRUE(are_close(values_per_sample(one.model(), one.options(), one.x), one.truth(at::zeros({1})), 1e-5));
}

TEST(ShapleyTest, RemovalIsThatOfTheOptions) {
  const Network ten(10);
  AttributionOptions options = ten.options();
  options.removal = Removal::zero_preactivation;
  EXPECT_TRUE(are_close(values_per_sample(ten.model(), options, ten.x), ten.truth(at::full({10}, 0.5)), 1e-5));
  const at::Tensor means = spread({10}, 9, at::kDouble);
  options.removal = Removal::mean;
  options.means = {{"forward", 0, {}, {means.const_data_ptr<double>(), means.const_data_ptr<double>() + 10}}};
  EXPECT_TRUE(are_close(values_per_sample(ten.model(), options, ten.x), ten.truth(means.to(at::kFloat)), 1e-5));
}

TEST(ShapleyTest, PermutationsComeAsNearAsTheirStandardError) {
  const Network twelve(12);
  const at::Tensor truth = twelve.truth(at::zeros({12}));
  const at::Tensor difference = twelve.difference(at::zeros({12})).abs();
  AttributionOptions options = twelve.options();
  options.permutations = 1000;
  for (const double error : {0.05, 0.01}) {
    options.shapley_error = error;
    const at::Tensor seen = values_per_sample(twelve.model(), options, twelve.x);
    // Of few draws the standard error itself is known roughly; the seed is fixed.
    const at::Tensor off = (seen - truth).abs() / difference.unsqueeze(1) / error;
    EXPECT_LT(off.max().item<double>(), 6);
    EXPECT_LT(off.gt(2.5).to(at::kDouble).mean().item<double>(), 0.1);
    EXPECT_TRUE(are_close(seen.sum(1), twelve.difference(at::zeros({12})), 1e-5)) << "the sum is exact";
  }
}

TEST(ShapleyTest, TheSumIsExactHoweverFewPermutationsThereAre) {
  const Network twelve(12);
  AttributionOptions options = twelve.options();
  options.permutations = 2;
  const Scores scores = scores_per_sample(twelve.model(), options, twelve.x);
  for (const Score& score : scores.entries()) {
    EXPECT_LT(score.completeness_error, 1e-5);
  }
  options.permutations = 1;
  EXPECT_THAT([&] { twelve.model().attribution(options); },
              ThrowsMessage<ArgumentError>("there are 1 permutations for shapley: give 2 to 1000000"));
}

TEST(ShapleyTest, ASmallerErrorCostsMoreAndSettledSamplesRunNoMore) {
  const Network twelve(12);
  const Model model = twelve.model();
  const auto multiply_adds = [&](double error) {
    AttributionOptions options = twelve.options();
    options.shapley_error = error;
    options.permutations = 400;
    Attribution attribution = model.attribution(options);
    attribution.add(twelve.x);
    return multiply_adds_of([&] { attribution.add(twelve.x); });
  };
  const std::int64_t all = multiply_adds(0);
  EXPECT_LT(multiply_adds(0.02), all);
  EXPECT_LT(multiply_adds(0.1), all / 8);
}

TEST(ShapleyTest, NeitherBatchNorOrderShowsAndTheSeedDoes) {
  const Network twelve(12);
  const Model model = twelve.model();
  AttributionOptions options = twelve.options();
  options.permutations = 40;
  const at::Tensor whole = values_per_sample(model, options, twelve.x);
  const at::Tensor backwards = values_per_sample(model, options, twelve.x.flip({0})).flip({0});
  EXPECT_TRUE(are_close(backwards, whole, promised_between_batches));
  for (std::int64_t i = 0; i < samples; ++i) {
    const at::Tensor alone = values_per_sample(model, options, twelve.x.slice(0, i, i + 1));
    EXPECT_TRUE(are_close(alone[0], whole[i], promised_between_batches));
  }
  options.seed = 1;
  EXPECT_FALSE(are_close(values_per_sample(model, options, twelve.x), whole, promised_between_batches));
}

TEST(ShapleyTest, WhatTheMaskLeavesOutPlaysAlways) {
  const at::Tensor w1 = spread({3, 4}, 1);
  const at::Tensor w2 = spread({4, 2}, 2);
  const Model model = model_of(R"(
def forward(self, x):
  return torch.tanh(torch.relu(x @ self.w1).sum(1) @ self.w2)
)",
                               {{"w1", w1}, {"w2", w2}});
  const at::Tensor x = spread({2, 5, 3}, 3);
  const at::Tensor mask = at::tensor(std::vector<std::int64_t>{1, 1, 0, 1, 0, 1, 1, 1, 0, 0}).reshape({2, 5});
  AttributionOptions options;
  options.layers = {"forward@0"};
  options.methods = {Method::shapley};
  options.target = Target::index(0);
  options.reading.mask = "mask";
  const at::Tensor seen = values_per_sample(model, options, Inputs::of({{"x", x}, {"mask", mask}}));
  const at::Tensor a = at::relu(at::matmul(x, w1));
  const at::Tensor left = a * (1 - mask).unsqueeze(2);
  const auto y = [&](const at::Tensor& of) { return at::tanh(at::matmul(of.sum(1), w2)).select(1, 0); };
  EXPECT_TRUE(are_close(seen.sum(1), (y(a) - y(left)).to(at::kDouble), 1e-5));
}

}  // namespace

}  // namespace pregrad::test::shapley_test
