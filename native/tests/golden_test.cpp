#include <set>
#include <sstream>

#include <gtest/gtest.h>

#include "fixtures.hpp"
#include "pregrad/pregrad.hpp"
#include "rounding.hpp"

namespace pregrad::test::golden_test {

namespace {

std::string fixture_name(const testing::TestParamInfo<Fixture>& fixture) { return test_name(fixture.param); }

class GoldenTest : public testing::TestWithParam<Fixture> {};

std::vector<std::string> layer_names(const Golden& golden) {
  std::set<std::string> names;
  for (const auto& [key, statistics] : golden) {
    names.insert(key.layer);
  }
  return {names.begin(), names.end()};
}

void expect_equal(const Statistics& seen, const Statistics& truth, const GoldenKey& key) {
  SCOPED_TRACE(testing::Message() << key.layer << "@" << key.call << " cluster " << key.cluster << " "
                                  << name_of(key.method));
  EXPECT_EQ(seen.count, truth.count);
  EXPECT_LT(relative_error(seen.mean, truth.mean), promised_of_golden_values);
  EXPECT_LT(relative_error(seen.mean_abs, truth.mean_abs), promised_of_golden_values);
  EXPECT_LT(relative_error(seen.rms, truth.rms), promised_of_golden_values);
  EXPECT_LT(relative_error(seen.std, truth.std), promised_of_golden_values);
}

TEST_P(GoldenTest, ScoresAreThoseOfEagerPyTorch) {
  const Golden golden = read_golden(GetParam().model);
  const Data data = read_data(GetParam().data);
  const Model model = Model::load(GetParam().file);
  if (golden.empty()) {
    EXPECT_TRUE(model.layers(data.x).empty());
    return;
  }
  AttributionOptions options;
  options.layers = layer_names(golden);
  options.methods = plain_methods;
  Attribution attribution = model.attribution(options);
  attribution.add(data.x, data.y, data.cluster);

  const Scores scores = attribution.scores();
  EXPECT_EQ(scores.entries().size(), golden.size());
  for (const Score& score : scores.entries()) {
    const GoldenKey key{score.layer, score.call, score.cluster, score.method};
    const auto truth = golden.find(key);
    ASSERT_NE(truth, golden.end()) << "no such scores: " << key.layer << "@" << key.call;
    expect_equal(score.statistics, truth->second, key);
  }
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::ostringstream text;
  const char* separator = "";
  for (const std::int64_t size : shape) {
    text << separator << size;
    separator = "x";
  }
  return text.str();
}

TEST_P(GoldenTest, LayersAreThoseOfEagerPyTorch) {
  const Model model = Model::load(GetParam().file);
  const std::vector<Layer> layers = model.layers(read_data(GetParam().data).x);
  const auto truth = read_csv(fixture_path("golden/" + GetParam().model + ".layers.csv"));
  ASSERT_EQ(layers.size(), truth.size());
  for (std::size_t i = 0; i < layers.size(); ++i) {
    auto row = truth[i];
    SCOPED_TRACE(testing::Message() << row["name"] << "@" << row["call"]);
    EXPECT_EQ(layers[i].name, row["name"]);
    EXPECT_EQ(std::to_string(layers[i].call), row["call"]);
    EXPECT_EQ(layers[i].op, row["op"]);
    EXPECT_EQ(layers[i].in_place ? "true" : "false", row["in_place"]);
    EXPECT_EQ(std::to_string(layers[i].neurons), row["neurons"]);
    EXPECT_EQ(std::to_string(layers[i].neuron_axis), row["neuron_axis"]);
    EXPECT_EQ(shape_text(layers[i].shape), row["shape"]);
    EXPECT_EQ(layers[i].pre_activation, row["pre_activation"]);
  }
}

INSTANTIATE_TEST_SUITE_P(Fixtures, GoldenTest, testing::ValuesIn(attributable_fixtures()), fixture_name);

class RefusedTest : public testing::TestWithParam<Fixture> {};

TEST_P(RefusedTest, IsRefusedInOneLine) {
  const Fixture& fixture = GetParam();
  try {
    const Model model = Model::load(fixture.file);
    const Data data = read_data(fixture.data);
    AttributionOptions options;
    options.layers = {model.layers().at(0).name};
    model.attribution(options).add(data.x, data.y, data.cluster);
    FAIL() << "was attributed, though " << fixture.refused;
  } catch (const UnsupportedModelError& error) {
    const std::string message = error.what();
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    EXPECT_NE(message.find(": "), std::string::npos) << "names no mend: " << message;
  }
}

/// Without those that only ask for more than one input and outputs [N, C]; several_test has them.
std::vector<Fixture> unattributable_fixtures() {
  std::vector<Fixture> fixtures = refused_fixtures();
  std::erase_if(fixtures, [](const Fixture& fixture) {
    return fixture.model == "refused-two-inputs" || fixture.model == "refused-sequence-output" ||
           fixture.model == "refused-dict-output";
  });
  return fixtures;
}

INSTANTIATE_TEST_SUITE_P(Fixtures, RefusedTest, testing::ValuesIn(unattributable_fixtures()), fixture_name);

}  // namespace

}  // namespace pregrad::test::golden_test
