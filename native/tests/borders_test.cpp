// What enters and leaves modules, recurrent cells, patterns, and modules that compute a part of an activation.

#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/script.h>

#include "fixtures.hpp"
#include "pregrad/pregrad.hpp"

namespace pregrad::test::borders_test {

namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

Scores scores_of(const Model& model, const Data& data, const std::vector<std::string>& layers,
                 const std::vector<Method>& methods = {Method::gradient}) {
  AttributionOptions options;
  options.layers = layers;
  options.methods = methods;
  Attribution attribution = model.attribution(options);
  attribution.add(data.x, data.y);
  return attribution.scores();
}

class BordersTest : public testing::TestWithParam<std::tuple<const char*, const char*>> {};

TEST_P(BordersTest, HaveTheGradientsOfEagerPyTorch) {
  const auto& [name, form] = GetParam();
  std::map<std::pair<std::string, std::int64_t>, std::vector<double>> truth;
  std::set<std::string> layers;
  for (auto& row : read_csv(fixture_path("golden/borders.csv"))) {
    if (row["model"] == name) {
      truth[{row["layer"], std::stoll(row["call"])}].push_back(std::stod(row["gradient"]));
      layers.insert(row["layer"]);
    }
  }
  ASSERT_FALSE(truth.empty());
  const std::string file = std::string("borders/") + name + "." + form;
  const bool is_torchscript = std::string(form) == "scripted" || std::string(form) == "traced";
  const Model model = Model::load(fixture_path(file + (is_torchscript ? ".pt" : ".pt2")));
  const Data data = read_data(fixture_path(std::string("borders/") + name + ".npz"));
  if (std::string(form) == "scripted") {
    // A branch hands the cell's second state on, which the first one is made of.
    EXPECT_EQ(layers.erase("lstm:out.1"), std::string(name) == "cells" ? 1U : 0U);
    if (std::string(name) == "cells") {
      EXPECT_THAT([&] { scores_of(model, data, {"lstm:out.1"}); }, testing::Throws<LayerError>());
    }
  }
  for (const std::string& layer : layers) {
    const Scores scores = scores_of(model, data, {layer});
    for (const auto& [call, gradient] : truth) {
      if (call.first == layer) {
        const std::string id = layer + "@" + std::to_string(call.second);
        EXPECT_LT(relative_error(scores.of(id, 0, Method::gradient).mean, gradient), 1e-5) << id;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Fixtures, BordersTest,
                         testing::Combine(testing::Values("cells", "recurrent", "resized"),
                                          testing::Values("scripted", "traced", "exported")));
INSTANTIATE_TEST_SUITE_P(Decomposed, BordersTest,
                         testing::Combine(testing::Values("cells"), testing::Values("decomposed")));

TEST(Borders, WhatAnArchiveDoesNotTellOfAModulesResultsHasNoName) {
  const auto refused = [](const std::string& file, const std::string& data, const std::string& layer) {
    const Model model = Model::load(fixture_path("borders/" + file));
    const Data given = read_data(fixture_path("borders/" + data));
    EXPECT_THAT([&] { scores_of(model, given, {layer}); },
                ThrowsMessage<LayerError>(AllOf(HasSubstr("what module '" + layer.substr(0, layer.find_first_of(":@"))),
                                                HasSubstr("torch.jit.script"))))
        << layer;
  };
  for (const char* layer : {"step", "step@0", "step:out", "step:out@0", "step:out@1", "step:out.1"}) {
    refused("pairs.exported.pt2", "pairs.npz", layer);
  }
  for (const char* layer : {"gru", "gru:out"}) {
    refused("last-state.decomposed.pt2", "last-state.npz", layer);
  }
}

TEST(Borders, WhatEntersAModuleIsToldWhereItsResultsAreNot) {
  const Model model = Model::load(fixture_path("borders/pairs.exported.pt2"));
  const Data data = read_data(fixture_path("borders/pairs.npz"));
  EXPECT_EQ(scores_of(model, data, {"step:in"}).entries().size(), 3U);
  EXPECT_EQ(scores_of(model, data, {"step.fc:out"}).entries().size(), 6U);
}

TEST(Borders, GatesOfACellHaveANameOfTheirOwnInEveryForm) {
  const Data data = read_data(fixture_path("borders/cells.npz"));
  for (const char* file : {"borders/cells.scripted.pt", "borders/cells.traced.pt", "borders/cells.exported.pt2"}) {
    const Model model = Model::load(fixture_path(file));
    std::map<std::string, std::vector<std::string>> ops;
    for (const Layer& layer : model.layers(data.x)) {
      ops[layer.name].push_back(layer.op);
    }
    ASSERT_EQ(ops["gru:gates"].size(), 9U) << file;
    EXPECT_THAT(std::vector(ops["gru:gates"].begin(), ops["gru:gates"].begin() + 3),
                ElementsAre("sigmoid", "sigmoid", "tanh"))
        << file;
    EXPECT_EQ(ops["lstm:gates"].size(), 15U) << file;
    EXPECT_THAT(ops["glu"], ElementsAre("sigmoid")) << file;
    EXPECT_EQ(ops.count("gru"), 0U) << file;
  }
}

TEST(Borders, WhatTheLastLayerReadsAndPutsOutFollowsFromItsWeights) {
  torch::jit::Module module = torch::jit::load(fixture_path("digits-mlp.scripted.pt").string());
  const Model model = Model::from(module);
  const Data data = read_data(fixture_path("digits.npz"));
  const Scores scores = scores_of(model, data, {"fc3:in", "fc3:out"});
  const at::Tensor weight = module.attr("fc3").toModule().attr("weight").toTensor().detach().to(at::kDouble);
  const at::Tensor chosen = torch::one_hot(data.y, weight.size(0)).to(at::kDouble);
  const auto vector = [](const at::Tensor& values) {
    return std::vector<double>(values.const_data_ptr<double>(), values.const_data_ptr<double>() + values.numel());
  };
  EXPECT_LT(relative_error(scores.of("fc3:in", 0, Method::gradient).mean, vector(chosen.matmul(weight).mean(0))), 1e-5);
  EXPECT_LT(relative_error(scores.of("fc3:out", 0, Method::gradient).mean, vector(chosen.mean(0))), 1e-5);
}

TEST(Borders, PatternsStandForNames) {
  const Model model = Model::load(fixture_path("digits-mlp.scripted.pt"));
  const Data data = read_data(fixture_path("digits.npz"));
  const auto names = [&](const std::vector<std::string>& asked) {
    std::set<std::string> found;
    for (const Layer& layer : model.layers(data.x, asked)) {
      found.insert(layer.name);
    }
    return found;
  };
  EXPECT_THAT(names({"all"}), ElementsAre("act1", "act2"));
  EXPECT_THAT(names({"a*2"}), ElementsAre("act2"));
  EXPECT_THAT(names({"fc*:in"}), ElementsAre("fc1:in", "fc2:in", "fc3:in"));
  EXPECT_THAT(names({"*:out", "act1"}), ElementsAre("act1", "act1:out", "act2:out", "fc1:out", "fc2:out", "fc3:out"));
  EXPECT_THAT([&] { names({"b*"}); }, ThrowsMessage<LayerError>(HasSubstr("no layer 'b*'")));
  EXPECT_THAT([&] { names({"fc3:out.1"}); }, ThrowsMessage<LayerError>(HasSubstr("fc3:in, fc3:out")));
}

TEST(Borders, AModuleThatComputesAPartOfAnActivationIsRefusedWithTheNameOfTheWhole) {
  const Data data = read_data(fixture_path("composite-modules.npz"));
  for (const char* form : {"scripted.pt", "traced.pt", "exported.pt2"}) {
    const Model model = Model::load(fixture_path(std::string("composite-modules.") + form));
    EXPECT_THAT([&] { scores_of(model, data, {"acts.inner.sigmoid"}); },
                ThrowsMessage<LayerError>(
                    AllOf(HasSubstr("a part of the activation 'acts.inner'"), HasSubstr("acts.inner.sigmoid:out"))))
        << form;
    EXPECT_EQ(scores_of(model, data, {"acts.inner.sigmoid:out"}).entries().size(), 1U) << form;
  }
}

TEST(Borders, ATensorThatNothingReadsHasNoGradient) {
  const Data data = read_data(fixture_path("borders/recurrent.npz"));
  const Model model = Model::load(fixture_path("borders/recurrent.scripted.pt"));
  EXPECT_THAT([&] { scores_of(model, data, {"lstm:out.2"}); }, testing::Throws<LayerError>());
}

}  // namespace

}  // namespace pregrad::test::borders_test
