// Rewriting a model must lose nothing: what regions do is kept, and outputs are held against the model's own.

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/script.h>
#include <torch/torch.h>

#include "attribution/attribution_implementation.hpp"
#include "check/check_implementation.hpp"
#include "fixtures.hpp"
#include "model/output_differences.hpp"
#include "pregrad/pregrad.hpp"
#include "readers/model_loader.hpp"

namespace pregrad::test::untouched_model_test {

namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

std::vector<double> mean_gradient(const Model& model, const at::Tensor& x, const std::string& layer) {
  AttributionOptions options;
  options.layers = {layer};
  options.target = Target::index(0);
  Attribution attribution = model.attribution(options);
  attribution.add(x);
  return attribution.scores().entries().at(0).statistics.mean;
}

class AutocastTest : public testing::TestWithParam<const char*> {};

TEST_P(AutocastTest, DerivativesAreThoseInItsType) {
  // In bfloat16 256 + 1/4 − 256.4 is positive, in float32 it is not: without its casts the first neuron is off.
  const Model model = Model::load(fixture_path(std::string("special/") + GetParam()));
  const at::Tensor x = at::tensor({1.0F, 0.25F, 1.0F, 0.125F}).view({2, 2});
  // Decomposing forgets the names of modules under autocast.
  EXPECT_EQ(mean_gradient(model, x, model.layers().at(0).name), (std::vector<double>{2, 1}));
  const at::Tensor outputs = model.forward(x);
  EXPECT_EQ(outputs.scalar_type(), at::kFloat);
  EXPECT_TRUE(outputs.equal(at::tensor({1.5F, 1.25F}).view({2, 1}))) << outputs;
}

INSTANTIATE_TEST_SUITE_P(Files, AutocastTest,
                         testing::Values("autocast.scripted.pt", "autocast.traced.pt", "autocast.decomposed.pt2"),
                         [](const auto& file) {
                           const std::string name = file.param;
                           return name.substr(9, name.rfind('.') - 9);
                         });

TEST(Autocast, OfAPartOfTheModelActsThereOnly) {
  const auto file = fixture_path("special/half-autocast.scripted.pt");
  torch::manual_seed(31);
  const at::Tensor x = torch::randn({6, 6});
  const Model model = Model::load(file);
  // A neuron's ∂y/∂z is the derivative by the bias of the module that makes z, which LibTorch takes of the file itself.
  torch::jit::Module module = torch::jit::load(file.string());
  module.eval();
  std::map<std::string, at::Tensor> biases;
  for (const auto& parameter : module.named_parameters()) {
    biases[parameter.name] = parameter.value;
  }
  const at::Tensor y = module.forward({x}).toTensor().select(1, 0).sum();
  for (const auto& [layer, bias] :
       std::map<std::string, std::string>{{"act1", "before.bias"}, {"act2", "norm.bias"}, {"forward", "exact.bias"}}) {
    SCOPED_TRACE(layer);
    // Divided last: in 16 bits a sixth of a gradient is not a sixth of its rounding.
    const at::Tensor gradient = torch::autograd::grad({y}, {biases.at(bias)}, {}, true)[0].to(at::kDouble) / x.size(0);
    const std::vector<double> expected(gradient.const_data_ptr<double>(),
                                       gradient.const_data_ptr<double>() + gradient.numel());
    EXPECT_LT(relative_error(mean_gradient(model, x, layer), expected), 1e-4);
  }
}

TEST(Autocast, InAnArchiveIsRefusedWithAWayThatWorks) {
  EXPECT_THAT(
      [] { Model::load(fixture_path("special/autocast.pt2")); },
      ThrowsMessage<UnsupportedModelError>(AllOf(HasSubstr("torch.autocast"), HasSubstr("run_decompositions()"))));
  EXPECT_NO_THROW(Model::load(fixture_path("special/autocast.decomposed.pt2")));
}

class WithoutGradientTest : public testing::TestWithParam<const char*> {
 protected:
  Model model_ = Model::load(fixture_path(std::string("special/layer-without-gradient.") + GetParam()));
  at::Tensor x_ = (torch::manual_seed(32), torch::randn({5, 6}));
};

TEST_P(WithoutGradientTest, ALayerInsideHasNoGradientAndSaysSo) {
  EXPECT_THAT([&] { mean_gradient(model_, x_, "act2"); },
              ThrowsMessage<LayerError>(AllOf(HasSubstr("act2"), HasSubstr("torch.no_grad"))));
  EXPECT_THAT([&] { mean_gradient(model_, x_, "act1"); }, testing::Not(testing::Throws<Error>()));
}

TEST_P(WithoutGradientTest, ALayerInsideCanBeRemovedAndRead) {
  AttributionOptions options;
  options.layers = {"act2"};
  options.target = Target::index(0);
  options.methods = {Method::activation, Method::ablation};
  Attribution attribution = model_.attribution(options);
  attribution.add(x_);
  // `level` is the mean of four activations: y falls by a quarter of the one that is removed.
  const std::vector<double> activation = attribution.scores().of("act2", 0, Method::activation).mean;
  std::vector<double> removal = attribution.scores().of("act2", 0, Method::ablation).mean;
  for (double& each : removal) {
    each *= 4;
  }
  EXPECT_LT(relative_error(removal, activation), 1e-5);
}

INSTANTIATE_TEST_SUITE_P(Files, WithoutGradientTest, testing::Values("scripted.pt", "pt2"),
                         [](const auto& file) { return std::string(file.param) == "pt2" ? "Exported" : "Scripted"; });

torch::jit::Module mlp_module() {
  torch::manual_seed(33);
  torch::jit::Module module("Mlp");
  module.register_parameter("w1", torch::randn({6, 5}), false);
  module.register_parameter("w2", torch::randn({5, 3}), false);
  module.define(R"(
    def forward(self, x):
        return torch.mm(torch.relu(torch.mm(x, self.w1)), self.w2)
  )");
  return module;
}

/// A model whose graph is not quite that of the module that it was made of.
std::shared_ptr<const Model::Implementation> unlike_its_module(double change) {
  graph::ReadModel read = readers::read_module(mlp_module(), c10::kCPU);
  torch::jit::Module other = mlp_module();
  other.attr("w2").toTensor().mul_(1 + change);
  read.module = std::move(other);
  return std::make_shared<const Model::Implementation>(graph::ModelGraph(std::move(read), c10::kCPU));
}

AttributionOptions hidden_layer() {
  AttributionOptions options;
  options.layers = {"forward"};
  options.target = Target::predicted();
  return options;
}

TEST(UntouchedModel, OutputsThatDifferAreRefusedWithTheirDifference) {
  const at::Tensor x = torch::randn({4, 6});
  for (const double change : {0.01, -0.5}) {
    Attribution attribution(std::make_shared<Attribution::Implementation>(unlike_its_module(change), hidden_layer()));
    EXPECT_THAT([&] { attribution.add(x); },
                ThrowsMessage<UnsupportedModelError>(
                    AllOf(HasSubstr("gives other outputs"), HasSubstr(change == 0.01 ? "0.0099 of" : "0.5 of"))));
    EXPECT_TRUE(attribution.scores().entries().empty());
  }
  // By as little as rounding makes of a long sum.
  Attribution attribution(std::make_shared<Attribution::Implementation>(unlike_its_module(1e-5), hidden_layer()));
  EXPECT_NO_THROW(attribution.add(x));
}

TEST(UntouchedModel, CheckMeasuresAgainstItToo) {
  CheckOptions options;
  options.layers = {"forward"};
  options.target = Target::predicted();
  const auto model = unlike_its_module(0.01);
  Check check(std::make_shared<Check::Implementation>(model, options));
  EXPECT_THAT([&] { check.add(torch::randn({4, 6})); },
              ThrowsMessage<UnsupportedModelError>(HasSubstr("gives other outputs")));
  EXPECT_TRUE(check.results().empty());
}

TEST(UntouchedModel, SharesTheTensorsOfTheGraph) {
  const graph::ReadModel read = readers::read_module(mlp_module(), c10::kCPU);
  std::set<const void*> constants;
  for (torch::jit::Node* node : read.model.graph->nodes()) {
    const auto value = node->kind() == torch::jit::prim::Constant ? torch::jit::toIValue(node->output()) : std::nullopt;
    if (value && value->isTensor()) {
      constants.insert(value->toTensor().const_data_ptr());
    }
  }
  ASSERT_TRUE(read.module);
  for (const at::Tensor& parameter : read.module->parameters()) {
    EXPECT_EQ(constants.count(parameter.const_data_ptr()), 1U);
  }
}

TEST(UntouchedModel, IsNotChangedByAForwardThatWritesIntoItsInput) {
  torch::jit::Module module = mlp_module();
  torch::jit::Module writing("Writing");
  writing.register_parameter("w1", module.attr("w1").toTensor(), false);
  writing.register_parameter("w2", module.attr("w2").toTensor(), false);
  writing.define(R"(
    def forward(self, x):
        x.mul_(2.0)
        return torch.mm(torch.relu(torch.mm(x, self.w1)), self.w2)
  )");
  const at::Tensor x = torch::randn({4, 6});
  const at::Tensor before = x.clone();
  Model::from(writing).attribution(hidden_layer()).add(x);
  EXPECT_TRUE(x.equal(before));
}

TEST(OutputDifferences, AreRelativeToTheLargestOutput) {
  const at::Tensor expected = at::tensor({1.0, -4.0, 0.0});
  EXPECT_EQ(model::relative_difference(expected, expected), 0);
  EXPECT_NEAR(model::relative_difference(at::tensor({1.0, -4.0, 0.2}), expected), 0.05, 1e-12);
  EXPECT_NEAR(model::relative_difference(at::tensor({1.0, -4.0, 0.2}), expected, 20), 0.01, 1e-12);
  EXPECT_EQ(model::relative_difference(at::zeros({3}), at::zeros({3})), 0);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(model::relative_difference(at::tensor({nan, 1.0}), at::tensor({nan, 1.0})), 0);
  EXPECT_TRUE(std::isinf(model::relative_difference(at::tensor({nan, 1.0}), at::tensor({1.0, 1.0}))));
  EXPECT_TRUE(std::isinf(model::relative_difference(at::zeros({2}), at::zeros({3}))));
}

TEST(OutputDifferences, AModelThatMagnifiesRoundingIsNoOtherModel) {
  // Two sums of the same numbers in another order, less each other: nothing but rounding is left of them.
  torch::jit::Module module("Cancelling");
  module.register_parameter("w1", torch::randn({6, 5}), false);
  module.register_parameter("w2", torch::randn({5, 3}), false);
  module.define(R"(
    def forward(self, x):
        h = torch.mm(torch.relu(torch.mm(x, self.w1)), self.w2)
        return (h + 10000.0) - 10000.0 + 0.000001 * h
  )");
  EXPECT_NO_THROW(Model::from(module).attribution(hidden_layer()).add(torch::randn({4, 6}) * 1e-3));
}

}  // namespace

}  // namespace pregrad::test::untouched_model_test
