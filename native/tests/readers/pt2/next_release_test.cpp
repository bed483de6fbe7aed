#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "fixtures.hpp"
#include "npz.hpp"
#include "pregrad/pregrad.hpp"
#include "rounding.hpp"

/// Archives of the PyTorch release after the one that the library is built with.
namespace pregrad::test::next_release_test {

namespace {

class NextReleaseTest : public testing::TestWithParam<std::string> {};

TEST_P(NextReleaseTest, ScoresAreThoseOfThatPyTorch) {
  const std::string name = "next/" + GetParam();
  std::ifstream file(fixture_path(name + ".truth.json"));
  const nlohmann::json truth = nlohmann::json::parse(file);
  const auto arrays = read_npz(fixture_path(name + ".npz"));
  AttributionOptions options;
  options.layers = {"all"};
  Attribution attribution = Model::load(fixture_path(name + ".pt2")).attribution(options);
  const char* const input = GetParam() == "mlp" ? "x" : "image";
  attribution.add(Inputs::of({{input, arrays.at(input)}}), arrays.at("y"), arrays.at("cluster"));
  const Scores scores = attribution.scores();
  ASSERT_EQ(scores.entries().size(), truth["scores"].size());
  for (const nlohmann::json& row : truth["scores"]) {
    const Statistics& seen = scores.of(row["layer"].get<std::string>(), row["cluster"].get<std::int64_t>(),
                                       method_named(row["method"].get<std::string>()));
    EXPECT_LT(relative_error(seen.mean, row["mean"].get<std::vector<double>>()), promised_of_golden_values);
  }
}

INSTANTIATE_TEST_SUITE_P(Models, NextReleaseTest, testing::Values("mlp", "picture"),
                         [](const auto& model) { return model.param; });

}  // namespace

}  // namespace pregrad::test::next_release_test
