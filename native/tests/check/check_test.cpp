#include <cmath>

#include <gtest/gtest.h>
#include <torch/script.h>

#include "fixtures.hpp"
#include "pregrad/pregrad.hpp"

namespace pregrad::test::check_test {

namespace {

std::string fixture_name(const testing::TestParamInfo<Fixture>& fixture) { return test_name(fixture.param); }

class CheckFixtureTest : public testing::TestWithParam<Fixture> {};

TEST_P(CheckFixtureTest, GradientsAgreeWithFiniteDifferences) {
  // One of its two ways to the output is detached: autograd follows the other alone, differences follow both.
  const bool is_detached = GetParam().model == "without-gradient";
  const Data data = first_of(read_data(GetParam().data), 12);
  const Model model = Model::load(GetParam().file);
  CheckOptions options;
  options.most_neurons = 8;
  for (const Layer& layer : model.layers(data.x)) {
    if (std::find(options.layers.begin(), options.layers.end(), layer.name) == options.layers.end()) {
      options.layers.push_back(layer.name);
    }
  }
  if (options.layers.empty()) {
    return;  // nothing to check in this model
  }
  Check check = model.check(options);
  check.add(data.x, data.y);
  for (const LayerCheck& result : check.results()) {
    SCOPED_TRACE(testing::Message() << result.layer << "@" << result.call << " " << result.op);
    EXPECT_EQ(result.passed, !is_detached)
        << "error " << result.gradient_error << " of " << result.compared << " units, " << result.at_kink
        << " at a kink, in " << (result.in_double_precision ? "float64" : "float32") << ", tolerance "
        << result.tolerance;
  }
}

INSTANTIATE_TEST_SUITE_P(Fixtures, CheckFixtureTest, testing::ValuesIn(attributable_fixtures()), fixture_name);

LayerCheck check_of(const Model& model, const Data& data, const std::string& layer) {
  CheckOptions options;
  options.layers = {layer};
  Check check = model.check(options);
  check.add(data.x, data.y);
  return check.results().at(0);
}

TEST(CheckTest, TellsWhatAHookWouldGive) {
  const Data data = first_of(read_data(fixture_path("digits.npz")), 64);
  const LayerCheck relu = check_of(Model::load(fixture_path("digits-mlp.scripted.pt")), data, "act1");
  EXPECT_TRUE(relu.in_double_precision);
  EXPECT_LT(relu.gradient_error, 1e-7);
  EXPECT_EQ(relu.samples, 64);
  EXPECT_EQ(relu.neurons, 128);
  EXPECT_EQ(relu.compared + relu.at_kink, 64 * 128);
  // By ∂y/∂a instead of ∂y/∂z: every sample in which a neuron with an effect is inactive.
  EXPECT_GT(relu.hook_differs, 0.2);
  EXPECT_GT(relu.hook_error, 0.2);
  EXPECT_GT(relu.cancellation, 0);
  EXPECT_LT(relu.cancellation, 1);
}

TEST(CheckTest, SmoothModelsHaveNoKinks) {
  const Data data = read_data(fixture_path("act-gelu.npz"));
  const LayerCheck gelu = check_of(Model::load(fixture_path("act-gelu.scripted.pt")), data, "act");
  EXPECT_EQ(gelu.at_kink, 0);
  EXPECT_EQ(gelu.compared, gelu.samples * gelu.neurons);
  EXPECT_TRUE(gelu.passed);
}

TEST(CheckTest, AHookOnALayerWithoutActivationIsRight) {
  const Data data = first_of(read_data(fixture_path("digits.npz")), 16);
  const LayerCheck logits = check_of(Model::load(fixture_path("digits-mlp.scripted.pt")), data, "fc3");
  EXPECT_EQ(logits.op, "output");
  EXPECT_EQ(logits.hook_error, 0);
  EXPECT_EQ(logits.hook_differs, 0);
  EXPECT_TRUE(logits.passed);
}

/// y = Σ scale·relu(z): with the wrong derivative by a custom backward there is no such model in TorchScript, so the
/// wrong one is a model whose forward detaches, which autograd cannot follow and differences can.
TEST(CheckTest, FindsAGradientThatIsWrong) {
  torch::jit::Module module("wrong");
  module.register_parameter("weight", at::ones({4, 4}) * 0.5, false);
  module.define(R"(
    def forward(self, x):
        z = torch.matmul(x, self.weight)
        a = torch.tanh(z)
        return a + 2.0 * a.detach()
  )");
  const Model model = Model::from(module);
  const Data data{at::rand({6, 4}), at::zeros({6}, at::kLong), {}};
  const LayerCheck result = check_of(model, data, "forward");
  EXPECT_FALSE(result.passed);
  EXPECT_NEAR(result.gradient_error, 2.0 / 3, 1e-4);
}

TEST(CheckTest, UnitsAtAKinkAreLeftOut) {
  torch::jit::Module module("kink");
  module.register_parameter("weight", at::zeros({4, 3}), false);
  module.define(R"(
    def forward(self, x):
        return torch.relu(torch.matmul(x, self.weight))
  )");
  const LayerCheck result = check_of(Model::from(module), {at::rand({5, 4}), at::zeros({5}, at::kLong), {}}, "forward");
  EXPECT_EQ(result.at_kink, 5);  // of the three outputs, y is the first
  EXPECT_EQ(result.compared, 10);
}

TEST(CheckTest, ModelsThatNameATypeAreComparedInSinglePrecision) {
  torch::jit::Module module("named_type");
  module.register_parameter("weight", at::rand({4, 3}) - 0.5, false);
  module.define(R"(
    def forward(self, x):
        # 6 is float32
        z = torch.matmul(x.to(6), self.weight.to(6))
        return torch.tanh(z)
  )");
  const LayerCheck result = check_of(Model::from(module), {at::rand({5, 4}), at::zeros({5}, at::kLong), {}}, "forward");
  EXPECT_FALSE(result.in_double_precision);
  EXPECT_TRUE(result.passed) << result.gradient_error;
}

TEST(CheckTest, WrongOptionsAreRefused) {
  const Model model = Model::load(fixture_path("digits-mlp.scripted.pt"));
  CheckOptions options;
  EXPECT_THROW(static_cast<void>(model.check(options)), ArgumentError);
  options.layers = {"act7"};
  EXPECT_THROW(static_cast<void>(model.check(options)), LayerError);
  options.layers = {"act1"};
  options.most_neurons = 0;
  EXPECT_THROW(static_cast<void>(model.check(options)), ArgumentError);
  options.most_neurons = 4;
  Check check = model.check(options);
  EXPECT_THROW(check.add(at::rand({3, 64})), InputError);
}

}  // namespace

}  // namespace pregrad::test::check_test
