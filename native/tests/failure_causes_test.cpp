// Each cause of a failure has a type and words of its own, and advice that works when it is followed.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/library.h>
#include <torch/script.h>
#include <torch/torch.h>

#include "fixtures.hpp"
#include "pregrad/pregrad.hpp"

namespace pregrad::test::failure_causes_test {

namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::ThrowsMessage;

auto one_line(const char* what) { return AllOf(HasSubstr(what), Not(HasSubstr("\n"))); }
auto one_line(const char* what, const char* mend) { return AllOf(one_line(what), HasSubstr(mend)); }

torch::jit::Module module_of(const std::string& body) {
  torch::manual_seed(41);
  torch::jit::Module module("Failing");
  module.register_parameter("w1", torch::randn({6, 5}), false);
  module.register_parameter("w2", torch::randn({5, 3}), false);
  module.define("def forward(self, x):\n" + body);
  return module;
}

at::Tensor inputs() {
  torch::manual_seed(42);
  return torch::randn({8, 6});
}

AttributionOptions options_of(const std::string& layer, const std::vector<Method>& methods = {Method::gradient}) {
  AttributionOptions options;
  options.layers = {layer};
  options.methods = methods;
  options.target = Target::index(0);
  return options;
}

void add(const std::string& body, const at::Tensor& x) {
  Model::from(module_of(body)).attribution(options_of("forward")).add(x);
}

/// More bytes than a process has addresses for.
constexpr const char* no_memory = "torch.zeros([70368744177664])";

TEST(FailureCauses, TooLittleMemoryIsNoFaultOfTheInputs) {
  const std::string body = std::string("  h = torch.relu(torch.mm(x, self.w1)) + ") + no_memory +
                           "[0]\n"
                           "  return torch.mm(h, self.w2)\n";
  EXPECT_THAT([&] { add(body, inputs()); },
              ThrowsMessage<DeviceError>(one_line("the memory of device cpu is too small for a single sample")));
}

TEST(FailureCauses, WhatDoesNotFitIntoMemoryIsDoneInHalves) {
  const std::string plain = "  return torch.mm(torch.relu(torch.mm(x, self.w1)), self.w2)\n";
  const std::string greedy = std::string("  h = torch.relu(torch.mm(x, self.w1))\n") +
                             "  if x.size(0) > 4:\n"
                             "    h = h + " +
                             no_memory + "[0]\n  return torch.mm(h, self.w2)\n";
  std::vector<std::vector<double>> means;
  for (const std::string& body : {plain, greedy}) {
    Attribution attribution = Model::from(module_of(body)).attribution(options_of("forward"));
    attribution.add(inputs());
    means.push_back(attribution.scores().of("forward", 0, Method::gradient).mean);
    EXPECT_EQ(attribution.batches_split(), body == plain ? 0 : 1);
  }
  EXPECT_LT(relative_error(means[1], means[0]), 1e-6);
}

TEST(FailureCauses, AnExceptionOfTheModelsOwnIsQuoted) {
  const char* body = R"(
  assert x.size(1) == 6, "this network wants six columns"
  return torch.mm(torch.relu(torch.mm(x, self.w1)), self.w2)
)";
  EXPECT_THAT([&] { add(body, torch::randn({8, 7})); },
              ThrowsMessage<InputError>(one_line("the model's own code refuses inputs [8, 7]", "wants six columns")));
}

TEST(FailureCauses, ATypeThatTheModelMixesIsNoMatterOfItsShape) {
  const char* body = R"(
  h = torch.relu(torch.mm(x, self.w1)).to(7)
  return torch.mm(h, self.w2)
)";
  EXPECT_THAT([&] { add(body, inputs()); },
              ThrowsMessage<InputError>(AllOf(one_line("mixes types"), Not(HasSubstr("give [samples")))));
}

TEST(FailureCauses, WrongShapesGetTheAdviceForShapes) {
  const char* body = "  return torch.mm(torch.relu(torch.mm(x, self.w1)), self.w2)\n";
  EXPECT_THAT([&] { add(body, torch::randn({8, 7})); },
              ThrowsMessage<InputError>(one_line("cannot take inputs [8, 7]", "give [samples, ...]")));
}

TEST(FailureCauses, AnUnknownOperatorIsNamedAndLoadingItHelps) {
  for (const char* file : {"special/custom-operator.scripted.pt", "special/custom-operator.pt2"}) {
    SCOPED_TRACE(file);
    EXPECT_THAT([&] { Model::load(fixture_path(file)); },
                ThrowsMessage<UnsupportedModelError>(
                    one_line("pregrad_fixtures::twice", "load the library that registers it into this process")));
    torch::Library library(torch::Library::DEF, "pregrad_fixtures", std::nullopt, __FILE__, __LINE__);
    library.def("twice(Tensor x) -> Tensor", [](const at::Tensor& x) { return x * 2; });
    Attribution attribution = Model::load(fixture_path(file)).attribution(options_of("act"));
    EXPECT_NO_THROW(attribution.add(inputs()));
  }
}

/// `forward@0` leads to the first output, `forward@1` to the second alone.
constexpr const char* two_heads = R"(
  first = torch.mm(x, self.w1)
  second = torch.mm(x * 2.0, self.w1)
  return torch.mm(torch.tanh(first), self.w2), torch.mm(torch.relu(second), self.w2)
)";

TEST(FailureCauses, ALayerThatLeadsElsewhereHasNoInfluence) {
  const Model model = Model::from(module_of(two_heads));
  for (const Method method : {Method::gradient, Method::gradient_x_activation, Method::integrated_gradients,
                              Method::conductance, Method::internal_influence}) {
    SCOPED_TRACE(name_of(method));
    Attribution attribution = model.attribution(options_of("forward@1", {method}));
    EXPECT_THAT([&] { attribution.add(inputs()); },
                ThrowsMessage<LayerError>(one_line("layer 'forward@1' has no influence", "the first one counts")));
    EXPECT_TRUE(attribution.scores().entries().empty());
    EXPECT_NO_THROW(model.attribution(options_of("forward@0", {method})).add(inputs()));
  }
  CheckOptions compared;
  compared.layers = {"forward@1"};
  compared.target = Target::index(0);
  EXPECT_THROW(model.check(compared).add(inputs()), LayerError);
}

TEST(FailureCauses, ALayerWithoutInfluenceHasValuesAllTheSame) {
  Attribution attribution =
      Model::from(module_of(two_heads)).attribution(options_of("forward@1", {Method::activation, Method::ablation}));
  attribution.add(inputs());
  EXPECT_GT(attribution.scores().of("forward@1", 0, Method::activation).mean[0], 0);
  EXPECT_EQ(attribution.scores().of("forward@1", 0, Method::ablation).mean, std::vector<double>(5, 0));
}

TEST(FailureCauses, ANeuronThatIsOffIsNotWithoutInfluence) {
  torch::jit::Module module = module_of("  return torch.mm(torch.relu(torch.mm(x, self.w1)), self.w2)\n");
  module.attr("w1").toTensor().zero_();
  Attribution attribution = Model::from(module).attribution(options_of("forward"));
  attribution.add(inputs());
  EXPECT_EQ(attribution.scores().of("forward", 0, Method::gradient).mean, std::vector<double>(5, 0));
}

}  // namespace

}  // namespace pregrad::test::failure_causes_test
