// Expected gradients and paths of pre-activations, against the same integrals by hand.

#include <cmath>
#include <string>

#include <ATen/Functions.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "methods/per_sample.hpp"
#include "pregrad/pregrad.hpp"
#include "rounding.hpp"

namespace pregrad::test::expected_gradients_test {

namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr std::int64_t samples = 6;
constexpr std::int64_t neurons = 7;

/// y = tanh(σ(x·w₁)·w₂)·w₃ in float64.
class PathsTest : public testing::Test {
 protected:
  at::Tensor w1_ = spread({5, neurons}, 1, at::kDouble);
  at::Tensor w2_ = spread({neurons, 4}, 2, at::kDouble);
  at::Tensor w3_ = spread({4, 3}, 3, at::kDouble);
  at::Tensor x_ = spread({samples, 5}, 4, at::kDouble);
  at::Tensor references_ = spread({4, 5}, 5, at::kDouble);
  Model model_ = model_of(R"(
def forward(self, x):
  return torch.tanh(torch.sigmoid(x @ self.w1) @ self.w2) @ self.w3
)",
                          {{"w1", w1_}, {"w2", w2_}, {"w3", w3_}});

  AttributionOptions options(Method method) const {
    AttributionOptions options;
    options.layers = {"forward@0"};
    options.methods = {method};
    options.target = Target::index(1);
    options.references = {{"x", references_}};
    return options;
  }
  at::Tensor z(const at::Tensor& x) const { return at::matmul(x, w1_); }
  at::Tensor y_of_a(const at::Tensor& a) const { return at::matmul(at::tanh(at::matmul(a, w2_)), w3_).select(1, 1); }

  /// ∂y/∂t by autograd, y(t) being that of activations or pre-activations.
  at::Tensor gradient(const at::Tensor& t, bool is_z) const {
    const at::Tensor leaf = t.detach().clone().requires_grad_();
    const at::Tensor y = y_of_a(is_z ? at::sigmoid(leaf) : leaf);
    return torch::autograd::grad({y.sum()}, {leaf})[0];
  }
  /// The midpoints of so many equal parts.
  at::Tensor along(const at::Tensor& from, const at::Tensor& to, bool is_z, std::int64_t parts) const {
    at::Tensor mean = at::zeros_like(to);
    for (std::int64_t i = 0; i < parts; ++i) {
      const double place = (static_cast<double>(i) + 0.5) / static_cast<double>(parts);
      mean += gradient(from + place * (to - from), is_z) / static_cast<double>(parts);
    }
    return mean;
  }
  at::Tensor integrated(const at::Tensor& from, const at::Tensor& to, bool is_z, std::int64_t parts = 400) const {
    return (to - from) * along(from, to, is_z, parts);
  }
};

TEST_F(PathsTest, ExpectedGradientsAreTheMeanOverReferencesAndPaths) {
  for (const bool is_z : {false, true}) {
    const auto layer = [&](const at::Tensor& x) { return is_z ? z(x) : at::sigmoid(z(x)); };
    at::Tensor truth = at::zeros({samples, neurons}, at::kDouble);
    for (std::int64_t r = 0; r < references_.size(0); ++r) {
      const at::Tensor from = layer(references_.slice(0, r, r + 1)).expand({samples, neurons});
      truth += integrated(from, layer(x_), is_z) / static_cast<double>(references_.size(0));
    }
    // As many draws as tell how far one of them spreads.
    AttributionOptions drawn = options(Method::expected_gradients);
    drawn.of_z = is_z;
    drawn.steps = 40;
    std::vector<at::Tensor> all;
    for (drawn.seed = 0; drawn.seed < 20; ++drawn.seed) {
      all.push_back(values_per_sample(model_, drawn, x_));
    }
    const at::Tensor values = at::stack(all);
    const at::Tensor error = at::std(values, at::IntArrayRef({0}), true) / std::sqrt(20.0);
    EXPECT_GT(error.max().item<double>(), 0) << "the seed must count";
    EXPECT_TRUE((values.mean(0) - truth).abs().le(5 * error + 1e-9).all().item<bool>());
    EXPECT_LT((values.mean(0) - truth).norm().item<double>(), 0.01 * truth.norm().item<double>());
  }
}

TEST_F(PathsTest, BehindALinearLayerTheyAreExact) {
  const Model linear =
      model_of("def forward(self, x):\n  return torch.sigmoid(x @ self.w1) @ self.w2\n", {{"w1", w1_}, {"w2", w2_}});
  const at::Tensor mean = at::sigmoid(z(references_)).mean(0);
  const at::Tensor truth = (at::sigmoid(z(x_)) - mean) * w2_.select(1, 1);
  for (const std::int64_t steps : {4, 10}) {
    AttributionOptions drawn = options(Method::expected_gradients);
    drawn.steps = steps;
    EXPECT_TRUE(are_close(values_per_sample(linear, drawn, x_), truth, 1e-12));
    EXPECT_LT(scores_per_sample(linear, drawn, x_).entries().at(0).completeness_error, 1e-12);
    drawn.references = {{"", references_}};
    EXPECT_TRUE(are_close(values_per_sample(linear, drawn, x_), truth, 1e-12));
  }
}

TEST_F(PathsTest, WhatASampleMeetsIsItsOwn) {
  AttributionOptions drawn = options(Method::expected_gradients);
  drawn.steps = 9;
  const at::Tensor whole = values_per_sample(model_, drawn, x_);
  EXPECT_TRUE(are_close(values_per_sample(model_, drawn, x_.flip({0})).flip({0}), whole, promised_between_batches));
  EXPECT_TRUE(
      are_close(values_per_sample(model_, drawn, x_.slice(0, 2, 3)), whole.slice(0, 2, 3), promised_between_batches));
}

TEST_F(PathsTest, WrongReferencesAreRefused) {
  AttributionOptions wrong = options(Method::expected_gradients);
  wrong.references = {};
  EXPECT_THAT([&] { model_.attribution(wrong); }, ThrowsMessage<ArgumentError>(HasSubstr("has no references")));
  wrong.references = {{"u", references_}};
  EXPECT_THAT([&] { model_.attribution(wrong); }, ThrowsMessage<InputError>(HasSubstr("'u'")));
}

TEST_F(PathsTest, IntegratedGradientsOfPreactivations) {
  AttributionOptions of_z = options(Method::integrated_gradients);
  of_z.of_z = true;
  EXPECT_TRUE(
      are_close(values_per_sample(model_, of_z, x_), integrated(at::zeros_like(z(x_)), z(x_), true, 4000), 1e-6));
  EXPECT_LT(scores_per_sample(model_, of_z, x_).entries().at(0).completeness_error, 1e-9);
  of_z.baseline = Baseline::mean;
  EXPECT_THAT([&] { model_.attribution(of_z); }, ThrowsMessage<ArgumentError>(HasSubstr("with of_z")));
}

TEST_F(PathsTest, PathsOfInputsReadPreactivations) {
  constexpr std::int64_t steps = 20;
  AttributionOptions of_z = options(Method::internal_influence);
  of_z.of_z = true;
  of_z.steps = steps;
  of_z.quadrature = Quadrature::midpoint;
  // z is linear in the input, so that the straight path between inputs is one between pre-activations.
  const at::Tensor mean = along(at::zeros_like(z(x_)), z(x_), true, steps);
  EXPECT_TRUE(are_close(values_per_sample(model_, of_z, x_), mean, 1e-12));
  of_z.methods = {Method::conductance};
  of_z.steps = 400;
  EXPECT_TRUE(
      are_close(values_per_sample(model_, of_z, x_), z(x_) * along(at::zeros_like(z(x_)), z(x_), true, 4000), 1e-4));
  // By the chain rule what flows through a neuron is the same at its activation.
  of_z.of_z = false;
  EXPECT_TRUE(
      are_close(values_per_sample(model_, of_z, x_), z(x_) * along(at::zeros_like(z(x_)), z(x_), true, 4000), 1e-3));
}

TEST_F(PathsTest, StatesOfOtherOptionsDoNotMix) {
  const auto state = [&](const AttributionOptions& of) {
    Attribution attribution = model_.attribution(of);
    attribution.add(x_);
    return attribution.save();
  };
  AttributionOptions drawn = options(Method::expected_gradients);
  drawn.methods = {Method::expected_gradients, Method::shapley};
  drawn.permutations = 4;
  const std::string known = state(drawn);
  const auto refused = [&](auto change) {
    AttributionOptions other = drawn;
    change(other);
    EXPECT_THROW(model_.attribution(other).restore(known), ArgumentError);
  };
  refused([](AttributionOptions& other) { other.of_z = true; });
  refused([](AttributionOptions& other) { other.seed = 3; });
  refused([](AttributionOptions& other) { other.steps = 3; });
  refused([](AttributionOptions& other) { other.permutations = 6; });
  refused([](AttributionOptions& other) { other.shapley_error = 0.5; });
  refused([](AttributionOptions& other) { other.references[0].tensor = other.references[0].tensor + 1; });
  EXPECT_NO_THROW(model_.attribution(drawn).restore(known));
}

}  // namespace

}  // namespace pregrad::test::expected_gradients_test
