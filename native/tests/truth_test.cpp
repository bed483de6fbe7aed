// Gradients against truths that need no hook: the gradient of a bias, and finite differences.

#include <algorithm>
#include <set>
#include <sstream>

#include <gtest/gtest.h>
#include <torch/script.h>

#include "fixtures.hpp"
#include "pregrad/pregrad.hpp"
#include "rounding.hpp"

namespace pregrad::test::truth_test {

namespace {

Scores gradients(const Model& model, const Data& data, const std::vector<std::string>& layers) {
  AttributionOptions options;
  options.layers = layers;
  Attribution attribution = model.attribution(options);
  attribution.add(data.x, data.y, data.cluster);
  return attribution.scores();
}

Data data_of(const std::string& model) {
  return read_data(fixture_path(model == "digits-cnn" ? "digits-images.npz" : "digits.npz"));
}

class BiasGradientTest : public testing::TestWithParam<std::tuple<const char*, const char*>> {};

TEST_P(BiasGradientTest, EqualsTheSumOfPreActivationGradients) {
  const std::string model = std::get<0>(GetParam());
  const std::string form = std::get<1>(GetParam());
  std::map<GoldenKey, std::vector<double>> truth;
  std::set<std::string> layers;
  for (auto& row : read_csv(fixture_path("golden/bias-gradient.csv"))) {
    if (row["model"] == model) {
      truth[{row["layer"], std::stoll(row["call"]), std::stoll(row["cluster"]), Method::gradient}].push_back(
          std::stod(row["value"]));
      layers.insert(row["layer"]);
    }
  }
  ASSERT_FALSE(truth.empty());
  const Scores scores =
      gradients(Model::load(fixture_path(model + "." + form + ".pt")), data_of(model), {layers.begin(), layers.end()});
  for (const auto& [key, values] : truth) {
    const std::string layer = key.layer + "@" + std::to_string(key.call);
    EXPECT_LT(relative_error(scores.of(layer, key.cluster, Method::gradient).mean, values), promised_of_golden_values)
        << layer;
  }
}

INSTANTIATE_TEST_SUITE_P(Digits, BiasGradientTest,
                         testing::Combine(testing::Values("digits-mlp", "digits-cnn"),
                                          testing::Values("scripted", "traced")));

/// Sum of the labelled outputs after `bias[neuron]` of `module` has moved by `step`.
double shifted_output(const torch::jit::Module& model, const std::string& module, std::int64_t neuron, double step,
                      const Data& data) {
  torch::jit::Module shifted = model.deepcopy();
  torch::jit::Module owner = shifted;
  std::istringstream path(module);
  for (std::string name; std::getline(path, name, '.');) {
    owner = owner.attr(name).toModule();
  }
  at::Tensor bias = owner.attr("bias").toTensor().detach();
  bias[neuron] += step;
  const at::Tensor outputs = Model::from(shifted).forward(data.x);
  return outputs.gather(1, data.y.unsqueeze(1)).sum().item<double>();
}

struct BiasedLayer {
  const char* file;
  const char* data;
  const char* module;  ///< has the bias that shifts the pre-activation
  const char* layer;
};

class FiniteDifferenceTest : public testing::TestWithParam<BiasedLayer> {};

TEST_P(FiniteDifferenceTest, IsMetInDoublePrecision) {
  const BiasedLayer& tested = GetParam();
  torch::jit::Module module = torch::jit::load(fixture_path(tested.file).string());
  module.to(at::kDouble);
  module.eval();
  Data data = read_data(fixture_path(tested.data));
  constexpr std::int64_t samples = 40;
  data = {data.x.slice(0, 0, samples).to(at::kDouble), data.y.slice(0, 0, samples), {}};
  const Scores scores = gradients(Model::from(module), data, {tested.layer});
  const Statistics& seen = scores.of(tested.layer, 0, Method::gradient);

  constexpr double step = 1e-6;
  std::vector<double> differences;
  std::vector<double> computed;
  for (std::size_t neuron = 0; neuron < seen.mean.size(); neuron += std::max<std::size_t>(1, seen.mean.size() / 6)) {
    const auto index = static_cast<std::int64_t>(neuron);
    const double ahead = shifted_output(module, tested.module, index, step, data);
    const double behind = shifted_output(module, tested.module, index, -step, data);
    differences.push_back((ahead - behind) / (2 * step));
    computed.push_back(seen.mean[neuron] * static_cast<double>(seen.count));
  }
  EXPECT_LT(relative_error(computed, differences), 1e-6);
}

INSTANTIATE_TEST_SUITE_P(Layers, FiniteDifferenceTest,
                         testing::Values(BiasedLayer{"digits-mlp.scripted.pt", "digits.npz", "fc1", "act1"},
                                         BiasedLayer{"digits-mlp.traced.pt", "digits.npz", "fc2", "act2"},
                                         BiasedLayer{"digits-mlp-tanh.scripted.pt", "digits.npz", "fc1", "act1"},
                                         BiasedLayer{"digits-cnn.scripted.pt", "digits-images.npz", "bn1", "relu@0"},
                                         BiasedLayer{"digits-cnn.traced.pt", "digits-images.npz", "bn2", "relu@1"},
                                         // A pre-activation that a shortcut reads too: all its consumers count.
                                         BiasedLayer{"pre-activation-residual.scripted.pt",
                                                     "pre-activation-residual.npz", "block2.bn1", "block2.relu"}));

}  // namespace

}  // namespace pregrad::test::truth_test
