// Models that cannot run in float64: right gradients pass, wrong ones fail, however much rounding there is.

#include <functional>

#include <gtest/gtest.h>
#include <torch/script.h>
#include <torch/torch.h>

#include "check/layer_comparison.hpp"
#include "fixtures.hpp"
#include "methods/layer_rerun.hpp"
#include "pregrad/pregrad.hpp"

namespace pregrad::test::noisy_check_test {

namespace {

/// Residual blocks of a transformer whose normalisation and residual stream are float32 by name.
struct NoisyModel {
  const char* name;
  const char* activation;
  double stream = 0;  ///< size of the residual stream, beside which a block is small
  double offset = 0;  ///< of the output
  std::int64_t positions = 12;
};

void PrintTo(const NoisyModel& model, std::ostream* stream) { *stream << model.name; }

/// @param factor what the first block's activation is multiplied by on its way back, and nowhere else
torch::jit::Module module_of(const NoisyModel& model, double factor = 1) {
  torch::manual_seed(51);
  torch::jit::Module module("Noisy");
  constexpr std::int64_t width = 16;
  constexpr std::int64_t hidden = 48;
  const auto weight = [&](const char* name, std::int64_t rows, std::int64_t columns) {
    module.register_parameter(name, torch::randn({rows, columns}) / std::sqrt(static_cast<double>(rows)), false);
  };
  weight("embed", 6, width);
  weight("wi", width, hidden);
  weight("wo", hidden, width);
  weight("wi2", width, hidden);
  weight("wo2", hidden, width);
  weight("head", width, 3);
  const std::string act = model.activation;
  // 6 is float32.
  module.define(
      "def norm(self, x):\n"
      "  return x * torch.rsqrt(x.to(6).pow(2.0).mean(-1, keepdim=True) + 0.000001)\n"
      "def forward(self, x):\n"
      "  h = torch.matmul(x.to(6), self.embed)\n"
      "  z = torch.matmul(self.norm(h), self.wi)\n"
      "  a = " +
      act + "(z)\n" +
      (factor == 1 ? std::string()
                   : "  a = a * " + std::to_string(factor) + " + (a * " + std::to_string(1 - factor) + ").detach()\n") +
      "  h = h + " + std::to_string(model.stream) +
      "\n"
      "  h = (h + torch.matmul(a, self.wo)) - " +
      std::to_string(model.stream) +
      "\n"
      "  h = h + torch.matmul(" +
      act +
      "(torch.matmul(self.norm(h), self.wi2)), self.wo2)\n"
      "  return torch.matmul(self.norm(h).mean(1), self.head) + " +
      std::to_string(model.offset) + "\n");
  return module;
}

LayerCheck check_of(const NoisyModel& model, double factor = 1) {
  CheckOptions options;
  options.layers = {"forward@0"};
  options.target = Target::index(0);
  Check check = Model::from(module_of(model, factor)).check(options);
  torch::manual_seed(52);
  check.add(torch::randn({6, model.positions, 6}));
  return check.results().at(0);
}

class NoisyCheckTest : public testing::TestWithParam<NoisyModel> {};

TEST_P(NoisyCheckTest, ARightGradientPasses) {
  const LayerCheck result = check_of(GetParam());
  EXPECT_FALSE(result.in_double_precision);
  EXPECT_TRUE(result.passed) << result.gradient_error << " of " << result.tolerance << ", " << result.at_kink;
  EXPECT_GT(result.compared, result.at_kink * 4) << "most units can be compared";
  EXPECT_LT(result.tolerance, 0.04) << "or a gradient that is a twentieth too large would pass";
}

TEST_P(NoisyCheckTest, AGradientThatIsATwentiethTooLargeFails) {
  const LayerCheck result = check_of(GetParam(), 1.05);
  EXPECT_FALSE(result.passed) << result.gradient_error << " of " << result.tolerance;
  EXPECT_NEAR(result.gradient_error, 0.05, 0.02);
}

TEST_P(NoisyCheckTest, TheGradientByTheActivationFails) {
  const LayerCheck result = check_of(GetParam());
  // What a hook gives: the check would have to fail it, and says by how much it is off.
  EXPECT_GT(result.hook_error, 10 * result.tolerance);
}

std::string model_name(const testing::TestParamInfo<NoisyModel>& model) { return model.param.name; }

INSTANTIATE_TEST_SUITE_P(Models, NoisyCheckTest,
                         testing::Values(NoisyModel{"ReluOfOnePosition", "torch.relu", 0, 0, 1},
                                         NoisyModel{"Relu", "torch.relu"},
                                         NoisyModel{"ReluOfManyPositions", "torch.relu", 0, 0, 40},
                                         NoisyModel{"ReluUnderALargeOutput", "torch.relu", 0, 30},
                                         NoisyModel{"Gelu", "torch.gelu"},
                                         NoisyModel{"GeluUnderALargeOutput", "torch.gelu", 0, 300},
                                         NoisyModel{"GeluInALargeStream", "torch.gelu", 300, 0},
                                         NoisyModel{"TanhInALargeStream", "torch.tanh", 100, 10}),
                         model_name);

/// A smooth y of one unit, rounded to float32 at an offset.
std::array<double, 5> rounded(double step, double offset, const std::function<double(double)>& y) {
  std::array<double, 5> values{};
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double at = (static_cast<double>(i) - 2) * step / 2;
    values.at(i) = static_cast<double>(static_cast<float>(y(at) + offset));
  }
  return values;
}

TEST(LayerComparison, ABendIsNoKinkAndAKinkIsOneWhereverItLies) {
  constexpr double step = 0.1;
  const auto at_kink = [&](const std::function<double(double)>& y) {
    check::LayerComparison comparison("layer", 0, "op", false);
    comparison.add_gradients({1}, {1}, 1);
    comparison.add_noisy_unit(rounded(step, 0, y), step, 1e-8, 1);
    return comparison.result().at_kink == 1;
  };
  EXPECT_FALSE(at_kink([](double z) { return std::sin(z) + 5 * z * z; })) << "its slope doubles within the step";
  for (const double place : {0.0, 0.1, 0.25, 1.0 / 3, 0.5, 0.7}) {
    for (const double sign : {-1.0, 1.0}) {
      EXPECT_TRUE(at_kink([&](double z) { return z + std::max(0.0, sign * z - place * step); })) << place;
    }
  }
  EXPECT_FALSE(at_kink([](double z) { return z + std::max(0.0, z - 1.01 * step); })) << "outside";
}

TEST(LayerComparison, RoundingIsNoKink) {
  constexpr double step = 0.1;
  check::LayerComparison comparison("layer", 0, "op", false);
  comparison.add_gradients(std::vector<double>(64, 1e-3), std::vector<double>(64, 1e-3), 64);
  for (int i = 0; i < 64; ++i) {
    const auto values = rounded(step, 100 + 0.37 * i, [](double z) { return 1e-3 * z; });
    comparison.add_noisy_unit(values, step, 100 * 1.2e-7 / 4, 1e-3);
  }
  EXPECT_EQ(comparison.result().at_kink, 0);
}

class CastInTheMidstTest : public testing::TestWithParam<at::ScalarType> {};

TEST_P(CastInTheMidstTest, OfAModelThatRunsInFloat64IsNoticed) {
  torch::manual_seed(53);
  torch::jit::Module module("Cast");
  module.register_parameter("fc", torch::randn({6, 30}, GetParam()), false);
  module.register_parameter("w", torch::randn({30}, GetParam()), false);
  module.register_parameter("out", torch::randn({30, 3}, GetParam()), false);
  // 6 is float32, and the product with float64 is float64 again.
  module.define(
      "def forward(self, x):\n"
      "  h = torch.relu(torch.matmul(x, self.fc)).to(6)\n"
      "  h = self.w * h * torch.rsqrt(h.pow(2.0).mean(-1, keepdim=True) + 0.000001)\n"
      "  return torch.matmul(h, self.out)\n");
  CheckOptions options;
  options.layers = {"forward"};
  options.target = Target::index(1);
  Check check = Model::from(module).check(options);
  check.add(torch::randn({6, 6}, GetParam()));
  const LayerCheck result = check.results().at(0);
  EXPECT_FALSE(result.in_double_precision);
  EXPECT_TRUE(result.passed) << result.gradient_error;
}

INSTANTIATE_TEST_SUITE_P(Weights, CastInTheMidstTest, testing::Values(at::kFloat, at::kDouble));

}  // namespace

}  // namespace pregrad::test::noisy_check_test
