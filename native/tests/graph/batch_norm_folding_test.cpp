// Batch normalisations that become part of the convolution before them, and those that must not.

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/script.h>
#include <torch/torch.h>

#include "fixtures.hpp"
#include "operator_counts.hpp"
#include "pregrad/pregrad.hpp"
#include "rounding.hpp"

namespace pregrad::test::batch_norm_folding_test {

namespace {

constexpr std::int64_t channels = 6;
constexpr std::int64_t size = 5;

/// How z comes from x [N, 6, 5, 5] or, where it is flat, [N, 6, 5].
struct FoldingCase {
  const char* name;
  const char* z;
  bool is_folded;
  bool is_flat = false;
  at::ScalarType type = at::kDouble;
};

void PrintTo(const FoldingCase& folding, std::ostream* stream) { *stream << folding.name; }

const char* const normalised =
    "torch.batch_norm(c, self.gamma, self.beta, self.running_mean, self.running_var, False, 0.1, 0.01, False)\n";

std::string text_of(const FoldingCase& folding) {
  std::string text = folding.z;
  const std::string mark = "NORM\n";
  for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark)) {
    text.replace(at, mark.size(), normalised);
  }
  return text;
}

torch::jit::Module with_weights(const FoldingCase& folding) {
  torch::manual_seed(3);
  const auto random = [&](at::IntArrayRef shape) { return torch::randn(shape, torch::kDouble).to(folding.type); };
  torch::jit::Module module("Folded");
  module.register_parameter("kernel", random({channels, channels, 3, 3}), false);
  module.register_parameter("grouped", random({channels, 2, 3, 3}), false);
  module.register_parameter("flat", random({channels, channels, 3}), false);
  module.register_parameter("bias", random({channels}), false);
  module.register_parameter("gamma", random({channels}), false);
  module.register_parameter("beta", random({channels}), false);
  module.register_parameter("head", random({channels, 4}), false);
  module.register_buffer("running_mean", random({channels}));
  module.register_buffer("running_var", random({channels}).square() + 0.1);
  return module;
}

at::Tensor inputs(const FoldingCase& folding) {
  torch::manual_seed(4);
  const at::Tensor x = torch::randn({9, channels, size, size}, torch::kDouble).to(folding.type);
  return folding.is_flat ? x.select(3, 0).contiguous() : x;
}

/// z as LibTorch's own interpreter computes it.
at::Tensor eager_z(const FoldingCase& folding, const at::Tensor& x) {
  torch::jit::Module module = with_weights(folding);
  module.define("def forward(self, x):\n" + text_of(folding) + "    return z\n");
  return module.forward({x}).toTensor();
}

Model model_of(const FoldingCase& folding) {
  torch::jit::Module module = with_weights(folding);
  module.define("def forward(self, x):\n" + text_of(folding) +
                "    a = torch.relu(z)\n"
                "    return torch.matmul(a.flatten(2).mean(2), self.head)\n");
  return Model::from(module);
}

class FoldingGraphTest : public testing::TestWithParam<FoldingCase> {};

TEST_P(FoldingGraphTest, PreActivationAndGradientAreThoseOfTheModelAsItIs) {
  const at::Tensor x = inputs(GetParam());
  AttributionOptions options;
  options.layers = {"forward"};
  options.methods = {Method::gradient, Method::preactivation};
  options.target = Target::index(1);
  Attribution attribution = model_of(GetParam()).attribution(options);
  attribution.add(x);
  const Scores scores = attribution.scores();

  const at::Tensor z = eager_z(GetParam(), x).to(at::kDouble).flatten(2);
  const at::Tensor head = with_weights(GetParam()).attr("head").toTensor().to(at::kDouble);
  // y = Σ_c head[c, 1]·mean_p relu(z[c, p])
  const at::Tensor gradient = (z > 0).to(at::kDouble).mean(2) * head.select(1, 1);
  // A convolution's sum is 3·3·6 products long, and the normalisation is two roundings more; in bfloat16, where sums
  // are float32's, only what is stored is rounded.
  const double tolerance =
      GetParam().type == at::kBFloat16 ? apart(at::kBFloat16, {1}) : apart(GetParam().type, {54, 2});
  const auto expect = [&](Method method, const at::Tensor& truth) {
    const std::vector<double>& seen = scores.of("forward@0", 0, method).mean;
    const at::Tensor means = torch::tensor(seen, torch::kDouble);
    EXPECT_LE((means - truth).norm().item<double>(), tolerance * truth.norm().item<double>());
  };
  expect(Method::preactivation, z.mean(2).mean(0));
  expect(Method::gradient, gradient.mean(0));
}

TEST_P(FoldingGraphTest, ANormalisationRunsOnlyWhereItCannotBeFolded) {
  const Model model = model_of(GetParam());
  const at::Tensor x = inputs(GetParam());
  const OperatorCounts seen = operator_counts(at::RecordScope::FUNCTION, [&] { model.forward(x); });
  EXPECT_EQ(seen.count("aten::batch_norm") == 0, GetParam().is_folded) << testing::PrintToString(seen);
}

TEST(FoldingTest, AConvolutionWhoseOutputIsALayerStaysAsItIs) {
  const torch::jit::Module module = torch::jit::load(fixture_path("digits-cnn.scripted.pt").string());
  const Data data = first_of(read_data(fixture_path("digits-images.npz")), 40);
  AttributionOptions options;
  options.layers = {"conv1", "relu@0"};
  Attribution attribution = Model::from(module).attribution(options);
  attribution.add(data.x, data.y, data.cluster);
  const Scores scores = attribution.scores();
  const auto norm = [&](const char* name) { return module.attr("bn1").toModule().attr(name).toTensor(); };
  const at::Tensor scale = (norm("weight") / (norm("running_var") + 1e-5).sqrt()).to(at::kDouble);
  for (std::int64_t cluster = 0; cluster < 10; ++cluster) {
    const auto means = [&](const char* layer) {
      return torch::tensor(scores.of(layer, cluster, Method::gradient).mean, torch::kDouble);
    };
    const at::Tensor truth = means("relu@0") * scale;
    EXPECT_LE((means("conv1") - truth).norm().item<double>(), apart(at::kFloat, {2}) * truth.norm().item<double>());
  }
}

const FoldingCase cases[] = {
    {"conv2d", "    c = torch.conv2d(x, self.kernel, self.bias)\n    z = NORM\n", true},
    {"conv2d_float32", "    c = torch.conv2d(x, self.kernel, self.bias)\n    z = NORM\n", true, false, at::kFloat},
    {"without_bias", "    c = torch.conv2d(x, self.kernel)\n    z = NORM\n", true},
    {"strided_and_padded", "    c = torch.conv2d(x, self.kernel, self.bias, [2, 2], [1, 1])\n    z = NORM\n", true},
    {"grouped", "    c = torch.conv2d(x, self.grouped, self.bias, [1, 1], [0, 0], [1, 1], 3)\n    z = NORM\n", true},
    {"conv1d", "    c = torch.conv1d(x, self.flat, self.bias)\n    z = NORM\n", true, true},
    {"conv3d", "    c = torch.conv3d(x.unsqueeze(2), self.kernel.unsqueeze(2), self.bias)\n    z = NORM\n", true},
    {"as_traced",
     "    c = torch._convolution(x, self.kernel, self.bias, [1, 1], [0, 0], [1, 1], False, [0, 0], 1, False, False, "
     "True, True)\n    z = NORM\n",
     true},
    {"shape_is_read",
     "    c = torch.conv2d(x, self.kernel, self.bias)\n    assert c.dim() == 4, 'images'\n    z = NORM\n", true},
    {"plain_normalisation",
     "    c = torch.conv2d(x, self.kernel, self.bias)\n"
     "    z = torch.batch_norm(c, None, None, self.running_mean, self.running_var, False, 0.1, 0.01, False)\n",
     true},
    {"decomposed",
     "    c = torch.conv2d(x, self.kernel, self.bias)\n"
     "    z = torch._native_batch_norm_legit_no_training(c, self.gamma, self.beta, self.running_mean, "
     "self.running_var, "
     "0.1, 0.01)[0]\n",
     true},
    {"input_is_changed_in_between",
     "    b = x + 0\n    c = torch.conv2d(b, self.kernel, self.bias)\n    b.mul_(3)\n    z = NORM\n", true},
    {"transposed", "    c = torch.conv_transpose2d(x, self.kernel, self.bias)\n    z = NORM\n", false},
    {"transposed_as_traced",
     "    c = torch._convolution(x, self.kernel, self.bias, [1, 1], [0, 0], [1, 1], True, [0, 0], 1, False, False, "
     "True, True)\n    z = NORM\n",
     false},
    {"values_are_read", "    c = torch.conv2d(x, self.kernel, self.bias)\n    z = torch.sin(c) + NORM\n", false},
    {"is_written_into", "    c = torch.conv2d(x, self.kernel, self.bias)\n    c.mul_(2)\n    z = NORM\n", false},
    {"kernel_is_computed", "    c = torch.conv2d(x, self.kernel * x.size(1), self.bias)\n    z = NORM\n", false},
    {"bfloat16", "    c = torch.conv2d(x, self.kernel, self.bias)\n    z = NORM\n", false, false, at::kBFloat16},
};

INSTANTIATE_TEST_SUITE_P(Graphs, FoldingGraphTest, testing::ValuesIn(cases),
                         [](const auto& each) { return std::string(each.param.name); });

}  // namespace

}  // namespace pregrad::test::batch_norm_folding_test
