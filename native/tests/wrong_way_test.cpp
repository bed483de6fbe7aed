// Each way in which pre-activation gradients are commonly got wrong, next to ours.

#include <algorithm>
#include <set>

#include <gtest/gtest.h>
#include <torch/script.h>
#include <torch/torch.h>

#include "fixtures.hpp"
#include "operator_counts.hpp"
#include "pregrad/pregrad.hpp"
#include "rounding.hpp"

namespace pregrad::test::wrong_way_test {

namespace {

Data data_of(const std::string& model) {
  const std::string name = model == "digits-cnn" ? "digits-images" : model == "digits-mlp" ? "digits" : model;
  return read_data(fixture_path(name + ".npz"));
}

Scores gradients(const std::string& model, const std::vector<std::string>& layers) {
  const Data data = data_of(model);
  AttributionOptions options;
  options.layers = layers;
  Attribution attribution = Model::load(fixture_path(model + ".scripted.pt")).attribution(options);
  attribution.add(data.x, data.y, data.cluster);
  return attribution.scores();
}

/// tests/fixtures/golden/wrong-way.csv, what the row's way gives in eager PyTorch.
std::map<GoldenKey, std::vector<double>> wrong_values(const std::string& row_name, const std::string& model) {
  std::map<GoldenKey, std::vector<double>> wrong;
  for (auto& row : read_csv(fixture_path("golden/wrong-way.csv"))) {
    if (row["row"] == row_name && row["model"] == model) {
      wrong[{row["layer"], std::stoll(row["call"]), std::stoll(row["cluster"]), Method::gradient}].push_back(
          std::stod(row["wrong"]));
    }
  }
  return wrong;
}

struct WrongWay {
  const char* row;
  const char* model;
};

class WrongWayTest : public testing::TestWithParam<WrongWay> {};

TEST_P(WrongWayTest, IsWrongAndOursIsRight) {
  const auto wrong = wrong_values(GetParam().row, GetParam().model);
  ASSERT_FALSE(wrong.empty());
  const Golden golden = read_golden(GetParam().model);
  std::set<std::string> layers;
  for (const auto& [key, values] : wrong) {
    layers.insert(key.layer);
  }
  const Scores scores = gradients(GetParam().model, {layers.begin(), layers.end()});
  for (const auto& [key, values] : wrong) {
    const auto& truth = golden.at(key).mean;
    const std::string layer = key.layer + "@" + std::to_string(key.call);
    EXPECT_GT(relative_error(values, truth), 0.1) << layer;
    EXPECT_LT(relative_error(scores.of(layer, key.cluster, Method::gradient).mean, truth), promised_of_golden_values)
        << layer;
  }
}

INSTANTIATE_TEST_SUITE_P(DesignSection1, WrongWayTest,
                         testing::Values(WrongWay{"activation-module-hook", "digits-mlp"},
                                         WrongWay{"retain-grad-then-in-place", "digits-cnn"},
                                         WrongWay{"reused-module-hook", "reused"}));

TEST(WrongWay, HooksBeforeInPlaceOperationsRaiseAndOursDoesNot) {
  std::size_t rows = 0;
  for (auto& row : read_csv(fixture_path("golden/wrong-way-errors.csv"))) {
    ++rows;
    EXPECT_NE(row["error"].find("is a view and is being modified inplace"), std::string::npos);
    const Scores scores = gradients(row["model"], {row["layer"]});
    ASSERT_FALSE(scores.entries().empty());
    const auto largest = std::max_element(scores.entries()[0].statistics.mean_abs.begin(),
                                          scores.entries()[0].statistics.mean_abs.end());
    EXPECT_GT(*largest, 0) << row["layer"];
  }
  EXPECT_EQ(rows, 2U);
}

TEST(WrongWay, RetainedGradientFollowsTheNewestVersionInLibTorchToo) {
  torch::manual_seed(7);
  torch::nn::Linear first(6, 16);
  torch::nn::Linear second(16, 3);
  const at::Tensor x = torch::randn({20, 6});
  const at::Tensor truth_z = first->forward(x).detach().requires_grad_();
  second->forward(torch::relu(truth_z)).select(1, 1).sum().backward();

  at::Tensor z = first->forward(x);
  z.retain_grad();
  second->forward(z.relu_()).select(1, 1).sum().backward();
  EXPECT_GT((z.grad() - truth_z.grad()).norm().item<double>(), 0.1 * truth_z.grad().norm().item<double>());

  AttributionOptions options;
  options.target = Target::index(1);
  Probe probe(options);
  at::Tensor tapped = probe.tap("first", first->forward(x));
  probe.add(second->forward(tapped.relu_()));
  const at::Tensor mean = truth_z.grad().to(at::kDouble).mean(0);
  const std::vector<double> truth(mean.data_ptr<double>(), mean.data_ptr<double>() + mean.numel());
  EXPECT_LT(relative_error(probe.scores().of("first", 0, Method::gradient).mean, truth), apart(at::kFloat, {6, 3}));
}

TEST(WrongWay, SignedMeanOverMixedClassesCancels) {
  const Data data = data_of("digits-mlp");
  AttributionOptions options;
  options.layers = {"act2"};
  Attribution attribution = Model::load(fixture_path("digits-mlp.scripted.pt")).attribution(options);
  attribution.add(data.x, data.y);
  const Scores scores = attribution.scores();
  const Statistics& all = scores.of("act2", 0, Method::gradient);
  std::vector<double> cancellation;
  for (std::size_t i = 0; i < all.mean.size(); ++i) {
    if (all.mean_abs[i] > 0) {
      cancellation.push_back(std::abs(all.mean[i]) / all.mean_abs[i]);
    }
  }
  std::nth_element(cancellation.begin(), cancellation.begin() + static_cast<std::ptrdiff_t>(cancellation.size() / 2),
                   cancellation.end());
  EXPECT_LT(cancellation[cancellation.size() / 2], 0.3);
}

TEST(WrongWay, OneBackwardPerSampleRunsManyTimesTheOperatorsOfOneForAll) {
  const Data data = first_of(data_of("digits-mlp"), 100);
  const std::string file = fixture_path("digits-mlp.scripted.pt").string();
  torch::jit::Module module = torch::jit::load(file);
  module.eval();
  const auto per_sample = [&] {
    for (std::int64_t i = 0; i < data.x.size(0); ++i) {
      const at::Tensor y = module.forward({data.x.slice(0, i, i + 1)}).toTensor();
      y[0][data.y[i].item<std::int64_t>()].backward();
    }
  };
  AttributionOptions options;
  options.layers = {"act1"};
  Attribution attribution = Model::load(file).attribution(options);
  attribution.add(data.x, data.y);  // the checks of a first batch run the model too
  const OperatorCounts slow = operator_counts(at::RecordScope::FUNCTION, per_sample);
  const OperatorCounts fast = operator_counts(at::RecordScope::FUNCTION, [&] { attribution.add(data.x, data.y); });
  EXPECT_EQ(slow.at("aten::linear"), 3 * 100);
  EXPECT_EQ(fast.at("aten::addmm"), 3);
  EXPECT_GT(total(slow), 50 * total(fast));
}

}  // namespace

}  // namespace pregrad::test::wrong_way_test
