// Patching and what approximates it, against the same done by hand with LibTorch.

#include <string>

#include <ATen/Functions.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "methods/per_sample.hpp"
#include "operator_counts.hpp"
#include "pregrad/pregrad.hpp"
#include "rounding.hpp"

namespace pregrad::test::patching_test {

namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr std::int64_t samples = 7;
constexpr std::int64_t neurons = 6;
/// Sums over weights of both layers, the difference of two outputs, and back.
const double tolerance = 4 * apart(at::kFloat, {5, neurons, 4, 5});

/// y = tanh(relu(x·w₁ + u·w₀)·w₂)·w₃ + x·s: the layer relu, with something nonlinear behind it, and a way past it.
class PatchingTest : public testing::Test {
 protected:
  AttributionOptions options(Method method) const {
    AttributionOptions options;
    options.layers = {"forward@0"};
    options.methods = {method};
    options.target = Target::difference(2, 0);
    return options;
  }

  at::Tensor activation(const at::Tensor& x, const at::Tensor& u) const {
    return at::relu(at::matmul(x, w1_) + at::matmul(u, w0_));
  }
  /// The logit difference.
  at::Tensor y(const at::Tensor& a, const at::Tensor& x) const {
    const at::Tensor outputs = at::matmul(at::tanh(at::matmul(a, w2_)), w3_) + at::matmul(x, skip_);
    return outputs.select(1, 2) - outputs.select(1, 0);
  }
  at::Tensor patched(const at::Tensor& corrupt) const {
    const at::Tensor clean = activation(x_, u_);
    std::vector<at::Tensor> columns;
    for (std::int64_t neuron = 0; neuron < neurons; ++neuron) {
      at::Tensor changed = clean.clone();
      changed.select(1, neuron).copy_(corrupt.select(1, neuron));
      columns.push_back(y(changed, x_) - y(clean, x_));
    }
    return at::stack(columns, 1).to(at::kDouble);
  }
  at::Tensor linearised(const at::Tensor& corrupt) const {
    const at::Tensor clean = activation(x_, u_).requires_grad_();
    const at::Tensor gradient = torch::autograd::grad({y(clean, x_).sum()}, {clean})[0];
    return ((corrupt - clean.detach()) * gradient).to(at::kDouble);
  }

  at::Tensor w0_ = spread({2, neurons}, 0.3);
  at::Tensor w1_ = spread({5, neurons}, 1);
  at::Tensor w2_ = spread({neurons, 4}, 2);
  at::Tensor w3_ = spread({4, 3}, 3);
  at::Tensor skip_ = spread({5, 3}, 4);
  at::Tensor x_ = spread({samples, 5}, 5);
  at::Tensor u_ = spread({samples, 2}, 6);
  at::Tensor other_x_ = spread({samples, 5}, 7.5);
  at::Tensor other_u_ = spread({samples, 2}, 8.5);
  Model model_ = model_of(R"(
def forward(self, x, u):
  return torch.tanh(torch.relu(x @ self.w1 + u @ self.w0) @ self.w2) @ self.w3 + x @ self.skip
)",
                          {{"w0", w0_}, {"w1", w1_}, {"w2", w2_}, {"w3", w3_}, {"skip", skip_}});
};

TEST_F(PatchingTest, IsWhatOneNeuronOfTheCorruptRunDoesToTheCleanOne) {
  const Inputs both = Inputs::of({{"x", x_}, {"u", u_}, {"corrupt.x", other_x_}, {"corrupt.u", other_u_}});
  EXPECT_TRUE(are_close(values_per_sample(model_, options(Method::patching), both),
                        patched(activation(other_x_, other_u_)), tolerance));
  EXPECT_TRUE(are_close(values_per_sample(model_, options(Method::gradient_x_difference), both),
                        linearised(activation(other_x_, other_u_)), tolerance));
}

TEST_F(PatchingTest, WhatHasNoCorruptInputIsTheSameInBothRuns) {
  AttributionOptions named = options(Method::patching);
  named.corrupt = "other";
  const Inputs inputs = Inputs::of({{"other.u", other_u_}, {"x", x_}, {"u", u_}});
  EXPECT_TRUE(are_close(values_per_sample(model_, named, inputs), patched(activation(x_, other_u_)), tolerance));
}

TEST_F(PatchingTest, AnIdenticalPairIsZero) {
  const Inputs twice = Inputs::of({{"x", x_}, {"u", u_}, {"corrupt.x", x_.clone()}, {"corrupt.u", u_.clone()}});
  for (const Method method : {Method::patching, Method::gradient_x_difference}) {
    const at::Tensor values = values_per_sample(model_, options(method), twice);
    EXPECT_TRUE(at::equal(values, at::zeros_like(values))) << values;
    EXPECT_FALSE(values.signbit().any().item<bool>()) << "a table would show -0";
  }
}

TEST_F(PatchingTest, BatchesDoNotShow) {
  AttributionOptions all = options(Method::patching);
  all.methods = {Method::patching, Method::gradient_x_difference};
  Attribution whole = model_.attribution(all);
  Attribution parts = model_.attribution(all);
  const auto inputs = [&](std::int64_t begin, std::int64_t end) {
    return Inputs::of({{"x", x_}, {"u", u_}, {"corrupt.x", other_x_}}).slice(begin, end);
  };
  whole.add(inputs(0, samples));
  for (std::int64_t i = 0; i < samples; ++i) {
    parts.add(inputs(i, i + 1));
  }
  for (const Method method : all.methods) {
    EXPECT_TRUE(are_close(at::tensor(parts.scores().of("forward@0", 0, method).mean, at::kDouble),
                          at::tensor(whole.scores().of("forward@0", 0, method).mean, at::kDouble), tolerance));
  }
}

TEST_F(PatchingTest, WrongCorruptInputsAreRefusedByName) {
  const auto adding = [&](std::vector<NamedTensor> tensors, Method method = Method::patching) {
    return [this, tensors, method] { model_.attribution(options(method)).add(Inputs::of(tensors)); };
  };
  EXPECT_THAT(adding({{"x", x_}, {"u", u_}}),
              ThrowsMessage<InputError>(AllOf(HasSubstr("no corrupt ones"), HasSubstr("'corrupt.x'"))));
  EXPECT_THAT(adding({{"x", x_}, {"u", u_}, {"corrupt.v", x_}}),
              ThrowsMessage<InputError>(AllOf(HasSubstr("'corrupt.v'"), HasSubstr("'x', 'u'"))));
  EXPECT_THAT(adding({{"x", x_}, {"u", u_}, {"corrupt", x_}}),
              ThrowsMessage<InputError>(HasSubstr("'corrupt' stands against none")));
  EXPECT_THAT(adding({{"x", x_}, {"u", u_}, {"corrupt.x", other_x_.slice(0, 0, 3)}}),
              ThrowsMessage<InputError>(HasSubstr("3 samples")));
  EXPECT_THAT(adding({{"x", x_}, {"u", u_}, {"corrupt.x", other_x_}}, Method::gradient),
              ThrowsMessage<InputError>(HasSubstr("'corrupt.x' was given too")));
}

/// Conv over steps, then the mean over them.
class PatchedPositionsTest : public testing::Test {
 protected:
  at::Tensor x_ = spread({samples, 2, 6}, 1);
  at::Tensor other_ = spread({samples, 2, 6}, 2.5);
  at::Tensor kernel_ = spread({neurons, 2, 3}, 3);
  at::Tensor places_ = spread({4}, 4);
  at::Tensor w_ = spread({neurons, 3}, 5);

  Model model(bool takes_any_length) const {
    return model_of(std::string(R"(
def forward(self, x):
  a = torch.relu(torch.conv1d(x, self.kernel))
)") + (takes_any_length ? "  return torch.tanh(a.mean(2)) @ self.w\n"
                        : "  return torch.tanh((a * self.places).sum(2)) @ self.w\n"),
                    {{"kernel", kernel_}, {"places", places_}, {"w", w_}});
  }
  AttributionOptions options(Method method) const {
    AttributionOptions options;
    options.layers = {"forward@0"};
    options.methods = {method};
    options.target = Target::index(1);
    return options;
  }
  at::Tensor y(const at::Tensor& a) const { return at::matmul(at::tanh((a * places_).sum(2)), w_).select(1, 1); }
};

TEST_F(PatchedPositionsTest, AllPositionsOfANeuronArePatched) {
  const at::Tensor clean = at::relu(at::conv1d(x_, kernel_));
  const at::Tensor corrupt = at::relu(at::conv1d(other_, kernel_));
  const at::Tensor seen =
      values_per_sample(model(false), options(Method::patching), Inputs::of({{"x", x_}, {"corrupt", other_}}));
  for (std::int64_t neuron = 0; neuron < neurons; ++neuron) {
    at::Tensor changed = clean.clone();
    changed.select(1, neuron).copy_(corrupt.select(1, neuron));
    EXPECT_TRUE(are_close(seen.select(1, neuron), (y(changed) - y(clean)).to(at::kDouble), 1e-5)) << neuron;
  }
}

TEST_F(PatchedPositionsTest, EachPositionHasADifferenceOfItsOwn) {
  const at::Tensor clean = at::relu(at::conv1d(x_, kernel_)).requires_grad_();
  const at::Tensor corrupt = at::relu(at::conv1d(other_, kernel_));
  const at::Tensor gradient = torch::autograd::grad({y(clean).sum()}, {clean})[0];
  const at::Tensor expected = ((corrupt - clean.detach()) * gradient).to(at::kDouble);
  AttributionOptions each = options(Method::gradient_x_difference);
  each.positions = Positions::each;
  const Scores scores = scores_per_sample(model(false), each, Inputs::of({{"x", x_}, {"corrupt", other_}}));
  std::int64_t seen = 0;
  for (const Score& score : scores.entries()) {
    const at::Tensor of_sample = expected[score.cluster];
    EXPECT_TRUE(are_close(at::tensor(score.statistics.mean, at::kDouble),
                          score.position ? of_sample.select(1, *score.position) : of_sample.sum(1), 1e-5));
    seen += score.position ? 1 : 0;
  }
  EXPECT_EQ(seen, samples * 4);
}

TEST_F(PatchedPositionsTest, OtherPositionsAreRefused) {
  const Inputs longer = Inputs::of({{"x", x_}, {"corrupt", spread({samples, 2, 9}, 2)}});
  for (const Method method : {Method::patching, Method::gradient_x_difference}) {
    EXPECT_THAT([&] { model(true).attribution(options(method)).add(longer); },
                ThrowsMessage<UnsupportedModelError>(
                    AllOf(HasSubstr("[6, 7] for the corrupt inputs"), HasSubstr("with as many positions"))));
  }
}

TEST(PatchedTokensTest, TokensAreHeldAgainstTokens) {
  const at::Tensor table = spread({9, 5}, 1);
  const at::Tensor w = spread({5, 3}, 2);
  const Model model = model_of(R"(
def forward(self, ids):
  return torch.tanh(torch.embedding(self.table, ids).mean(1)) @ self.w
)",
                               {{"table", table}, {"w", w}});
  const at::Tensor ids = at::arange(12).remainder(9).reshape({4, 3});
  const at::Tensor other = ids.add(4).remainder(9);
  AttributionOptions options;
  options.layers = {"forward"};
  options.methods = {Method::patching};
  options.target = Target::index(2);
  const auto activation = [&](const at::Tensor& of) { return at::tanh(at::embedding(table, of).mean(1)); };
  // What is behind the layer is linear, so that patching a neuron is its own difference.
  const at::Tensor expected = (activation(other) - activation(ids)) * w.select(1, 2);
  EXPECT_TRUE(
      are_close(values_per_sample(model, options, Inputs::of({{"ids", ids}, {"corrupt.ids", other.to(at::kInt)}})),
                expected.to(at::kDouble), 1e-5));
}

TEST_F(PatchingTest, TheDifferenceCostsOneForwardMoreThanTheGradient) {
  const auto products = [&](Method method, bool has_corrupt) {
    Attribution attribution = model_.attribution(options(method));
    std::vector<NamedTensor> tensors = {{"x", x_}, {"u", u_}};
    if (has_corrupt) {
      tensors.push_back({"corrupt.x", other_x_});
    }
    const Inputs inputs = Inputs::of(tensors);
    attribution.add(inputs);
    const OperatorCounts seen = operator_counts(at::RecordScope::FUNCTION, [&] { attribution.add(inputs); });
    return seen.at("aten::mm");
  };
  constexpr int forward = 5;
  EXPECT_EQ(products(Method::gradient_x_difference, true), products(Method::gradient, false) + forward);
}

}  // namespace

}  // namespace pregrad::test::patching_test
