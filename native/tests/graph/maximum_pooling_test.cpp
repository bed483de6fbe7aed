// Maxima of images, taken channels last where that is faster: the same bits as LibTorch's, and the same gradient.

#include <string>

#include <gtest/gtest.h>
#include <torch/script.h>
#include <torch/torch.h>

#include "operator_counts.hpp"
#include "pregrad/pregrad.hpp"
#include "rounding.hpp"

namespace pregrad::test::maximum_pooling_test {

namespace {

struct PoolingCase {
  const char* name;
  const char* arguments;
  std::vector<std::int64_t> shape;
  bool changes_layout;
  at::ScalarType type = at::kFloat;
};

void PrintTo(const PoolingCase& pooling, std::ostream* stream) { *stream << pooling.name; }

torch::jit::Module module_of(const PoolingCase& pooling) {
  torch::jit::Module module("Pooled");
  module.define(std::string("def forward(self, x):\n    a = torch.tanh(torch.max_pool2d(x, ") + pooling.arguments +
                "))\n    b = torch.relu(torch.max_pool2d(a, [2, 2]))\n    return b.flatten(1)\n");
  return module;
}

/// Whole numbers, so that many maxima tie.
at::Tensor inputs(const PoolingCase& pooling) {
  torch::manual_seed(8);
  return torch::randint(-3, 4, pooling.shape).to(pooling.type);
}

class MaximumPoolingTest : public testing::TestWithParam<PoolingCase> {};

TEST_P(MaximumPoolingTest, MaximaAreThoseOfLibTorch) {
  torch::jit::Module module = module_of(GetParam());
  const at::Tensor x = inputs(GetParam());
  const Model model = Model::from(module);
  EXPECT_TRUE(torch::equal(model.forward(x), module.forward({x}).toTensor()));
  const OperatorCounts seen = operator_counts(at::RecordScope::FUNCTION, [&] { model.forward(x); });
  EXPECT_EQ(seen.count("aten::copy_") != 0, GetParam().changes_layout) << testing::PrintToString(seen);
}

TEST_P(MaximumPoolingTest, MaximaAreTheSameInInferenceMode) {
  torch::jit::Module module = module_of(GetParam());
  const at::Tensor x = inputs(GetParam());
  const at::Tensor truth = module.forward({x}).toTensor();
  const Model model = Model::from(module);
  const c10::InferenceMode inference;
  EXPECT_TRUE(torch::equal(model.forward(x), truth));
}

TEST_P(MaximumPoolingTest, GradientsBehindALayerAreThoseOfAutograd) {
  const at::Tensor x = inputs(GetParam());
  AttributionOptions options;
  options.layers = {"forward@0"};  // tanh, between the two poolings
  options.target = Target::index(1);
  Attribution attribution = Model::from(module_of(GetParam())).attribution(options);
  attribution.add(x);

  torch::jit::Module first("First");
  first.define(std::string("def forward(self, x):\n    return torch.max_pool2d(x, ") + GetParam().arguments + ")\n");
  const at::Tensor z = first.forward({x}).toTensor().requires_grad_();
  torch::relu(torch::max_pool2d(torch::tanh(z), {2, 2})).flatten(1).select(1, 1).sum().backward();
  const at::Tensor truth = z.grad().to(at::kDouble).sum({2, 3}).mean(0);
  const at::Tensor seen = torch::tensor(attribution.scores().of("forward@0", 0, Method::gradient).mean, torch::kDouble);
  EXPECT_LE((seen - truth).norm().item<double>(), apart(at::kFloat, {3}) * truth.norm().item<double>());
}

/// The factor lets a layer's gradient depend on which of several equal values is taken for the maximum.
TEST_P(MaximumPoolingTest, GradientsThroughMaximaAreThoseOfAutograd) {
  torch::jit::Module module("Through");
  module.define(std::string("def forward(self, x):\n    factor = torch.arange(x.size(3)).remainder(2) + 1\n"
                            "    a = torch.max_pool2d(torch.relu(x) * factor, ") +
                GetParam().arguments + ")\n    return (a * torch.cumsum(a, 3)).flatten(1)\n");
  const at::Tensor x = inputs(GetParam());
  AttributionOptions options;
  options.layers = {"forward@0"};
  options.target = Target::index(5);
  Attribution attribution = Model::from(module).attribution(options);
  attribution.add(x, {}, torch::arange(x.size(0)));  // a cluster per sample

  const at::Tensor z = x.clone().requires_grad_();
  module.forward({z}).toTensor().select(1, 5).sum().backward();
  const at::Tensor truth = z.grad().to(at::kDouble).sum({2, 3});
  ASSERT_GT(truth.abs().max().item<double>(), 0);
  const Scores scores = attribution.scores();
  for (std::int64_t sample = 0; sample < x.size(0); ++sample) {
    const std::vector<double> mean = scores.of("forward@0", sample, Method::gradient).mean;
    EXPECT_TRUE(torch::equal(torch::tensor(mean, torch::kDouble), truth[sample])) << sample;
  }
}

const PoolingCase cases[] = {
    {"large", "[3, 3], [2, 2], [1, 1]", {32, 16, 32, 32}, true},
    {"one_stride_of_the_window", "[2, 2]", {32, 16, 32, 32}, true},
    {"dilated_and_rounded_up", "[3, 2], [2, 1], [1, 0], [1, 2], True", {32, 16, 32, 33}, true},
    {"float64", "[3, 3], [2, 2], [1, 1]", {32, 16, 32, 32}, true, at::kDouble},
    {"few_channels", "[3, 3], [2, 2], [1, 1]", {64, 8, 32, 32}, false},
    {"few_values", "[3, 3], [2, 2], [1, 1]", {4, 16, 32, 32}, false},
};

INSTANTIATE_TEST_SUITE_P(Graphs, MaximumPoolingTest, testing::ValuesIn(cases),
                         [](const auto& each) { return std::string(each.param.name); });

}  // namespace

}  // namespace pregrad::test::maximum_pooling_test
