// What users may call a layer, and what they are told when it fits nothing.

#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fixtures.hpp"
#include "pregrad/pregrad.hpp"
#include "readers/model_loader.hpp"
#include "rounding.hpp"

namespace pregrad::test::layer_names_test {

namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

struct Asked {
  Model model;
  Data data;

  explicit Asked(const std::string& name, const std::string& data_name = "")
      : model(Model::load(fixture_path(name + ".scripted.pt"))),
        data(read_data(fixture_path((data_name.empty() ? name : data_name) + ".npz"))) {}

  Scores scores(const std::vector<std::string>& layers) const {
    AttributionOptions options;
    options.layers = layers;
    Attribution attribution = model.attribution(options);
    attribution.add(data.x, data.y);
    return attribution.scores();
  }
};

TEST(LayerNames, ProducersAndContainersStandForTheirActivation) {
  const Asked digits("digits-mlp", "digits");
  const Scores by_producer = digits.scores({"fc1"});
  ASSERT_EQ(by_producer.entries().size(), 1U);
  EXPECT_EQ(by_producer.entries()[0].layer, "act1");
  EXPECT_EQ(by_producer.of("fc1", 0, Method::gradient).mean, by_producer.of("act1@0", 0, Method::gradient).mean);

  const Asked nested("nested-sequential");
  EXPECT_EQ(nested.scores({"0"}).entries().size(), 1U);
}

TEST(LayerNames, ANameAloneMeansAllCallsAndANumberOne) {
  const Asked cnn("digits-cnn", "digits-images");
  EXPECT_EQ(cnn.scores({"relu"}).entries().size(), 2U);
  const Scores second = cnn.scores({"relu@1"});
  ASSERT_EQ(second.entries().size(), 1U);
  EXPECT_EQ(second.entries()[0].call, 1);
  EXPECT_EQ(cnn.scores({"relu", "relu@1", "bn2"}).entries().size(), 2U) << "named twice, computed once";
}

TEST(LayerNames, CallsInLoopsAreNumberedAsTheyRun) {
  const Asked loops("loops");
  const auto layers = loops.model.layers(loops.data.x);
  ASSERT_GT(layers.size(), 1U);
  const Layer& last = layers.back();
  const Scores one = loops.scores({last.name + "@" + std::to_string(last.call)});
  ASSERT_EQ(one.entries().size(), 1U);
  EXPECT_EQ(one.entries()[0].call, last.call);
  const Scores every = loops.scores({last.name});
  EXPECT_EQ(one.entries()[0].statistics.mean,
            every.of(last.name + "@" + std::to_string(last.call), 0, Method::gradient).mean);
}

TEST(LayerNames, AModuleWithoutAnActivationIsItsOwnOutput) {
  std::map<std::string, std::map<GoldenKey, Statistics>> truth;
  for (auto& row : read_csv(fixture_path("golden/identity.csv"))) {
    truth[row["model"]]
         [{row["layer"], std::stoll(row["call"]), std::stoll(row["cluster"]), method_named(row["method"])}]
             .mean.push_back(std::stod(row["mean"]));
  }
  ASSERT_FALSE(truth.empty());
  for (const auto& [name, golden] : truth) {
    const Asked asked(name);
    AttributionOptions options;
    options.methods = unconditional_methods;
    std::set<std::string> layers;
    for (const auto& [key, statistics] : golden) {
      layers.insert(key.layer);
    }
    options.layers = {layers.begin(), layers.end()};
    Attribution attribution = asked.model.attribution(options);
    attribution.add(asked.data.x, asked.data.y, asked.data.cluster);
    const Scores scores = attribution.scores();
    for (const auto& [key, statistics] : golden) {
      EXPECT_LT(relative_error(scores.of(key.layer, key.cluster, key.method).mean, statistics.mean),
                promised_of_golden_values)
          << name << " " << key.layer << " " << name_of(key.method);
    }
  }
}

/// What each other name of a layer stands for; nothing for those whose calls only a run can number.
std::map<std::string, std::string> aliases_of(const graph::LayerSites& sites) {
  std::map<std::string, std::string> found;
  for (const graph::LayerAlias& alias : sites.aliases) {
    std::string text = alias.ambiguous ? "one of " : "";
    bool is_static = true;
    for (const std::size_t site : alias.sites) {
      const auto& call = sites.activations[site].call;
      is_static = is_static && call.has_value();
      text += sites.activations[site].name + "@" + std::to_string(call.value_or(-1)) + " ";
    }
    if (is_static) {
      found[alias.name] = text;
    }
  }
  return found;
}

TEST(LayerNames, ExportedModelsKnowTheNamesOfTheirTorchScriptTwins) {
  std::map<std::string, std::map<std::string, Fixture>> forms;
  for (const Fixture& fixture : attributable_fixtures()) {
    forms[fixture.model][fixture.form] = fixture;
  }
  std::size_t compared = 0;
  for (const auto& [model, by_form] : forms) {
    const auto exported = by_form.find("exported");
    if (exported == by_form.end() || by_form.size() == 1) {
      continue;
    }
    SCOPED_TRACE(model);
    const auto names = aliases_of(readers::load_model(exported->second.file, c10::kCPU).sites());
    for (const auto& [form, twin] : by_form) {
      for (const auto& [name, layers] : aliases_of(readers::load_model(twin.file, c10::kCPU).sites())) {
        const auto same = names.find(name);
        EXPECT_TRUE(same != names.end() && same->second == layers) << form << " has " << name << " for " << layers;
        ++compared;
      }
    }
  }
  EXPECT_GT(compared, 300U);
}

TEST(LayerNames, WhatFitsNothingListsTheCandidates) {
  const Asked digits("digits-mlp", "digits");
  EXPECT_THAT([&] { digits.scores({"relu"}); },
              ThrowsMessage<LayerError>(AllOf(HasSubstr("no layer 'relu'"), HasSubstr("act1@0"), HasSubstr("fc3"))));
  // Wrapped in a module a model has a name more in front.
  EXPECT_THAT([&] { digits.scores({"model.act1"}); },
              ThrowsMessage<LayerError>(HasSubstr("no layer 'model.act1', but 'act1': there are")));
  EXPECT_THAT([&] { digits.scores({"act1@3"}); }, ThrowsMessage<LayerError>(HasSubstr("name act1@0")));
  EXPECT_THAT([&] { digits.scores({}); }, ThrowsMessage<ArgumentError>(HasSubstr("no layer was named")));
}

TEST(LayerNames, WhatFitsSeveralThingsListsThem) {
  const Asked cnn("digits-cnn", "digits-images");
  const Scores scores = cnn.scores({"relu"});
  EXPECT_THAT([&] { scores.of("relu", 0, Method::gradient); },
              ThrowsMessage<LayerError>(AllOf(HasSubstr("relu@0"), HasSubstr("relu@1"))));
  EXPECT_THAT([&] { scores.of("relu@0", 9, Method::gradient); }, ThrowsMessage<ArgumentError>(HasSubstr("cluster 9")));
}

}  // namespace

}  // namespace pregrad::test::layer_names_test
