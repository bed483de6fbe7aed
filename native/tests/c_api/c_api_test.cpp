// The C interface against the C++ interface it wraps: the same layers, outputs and scores, and every refusal.

#include <pregrad/pregrad.h>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/script.h>
#include <torch/torch.h>
#include <unistd.h>

#include <pregrad/pregrad.hpp>

#include "rounding.hpp"

extern "C" int c_header_test_failures(void);

namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::NanSensitiveDoubleEq;
using ::testing::Not;
using ::testing::Pointwise;

template <auto release>
struct Release {
  template <class T>
  void operator()(T* handle) const {
    release(handle);
  }
};
template <class T, auto release>
using Owned = std::unique_ptr<T, Release<release>>;
using OwnedModel = Owned<pregrad_model, pregrad_model_free>;
using OwnedLayers = Owned<pregrad_layers, pregrad_layers_free>;
using OwnedResult = Owned<pregrad_result, pregrad_result_free>;
using OwnedAttribution = Owned<pregrad_attribution, pregrad_attribution_free>;
using OwnedScores = Owned<pregrad_scores, pregrad_scores_free>;
using OwnedExplanations = Owned<pregrad_explanations, pregrad_explanations_free>;
using OwnedExamples = Owned<pregrad_examples, pregrad_examples_free>;
using OwnedState = Owned<pregrad_state, pregrad_state_free>;
using OwnedOrders = Owned<pregrad_orders, pregrad_orders_free>;
using OwnedAblation = Owned<pregrad_ablation, pregrad_ablation_free>;
using OwnedCurves = Owned<pregrad_curves, pregrad_curves_free>;
using OwnedCheck = Owned<pregrad_check, pregrad_check_free>;
using OwnedLayerChecks = Owned<pregrad_layer_checks, pregrad_layer_checks_free>;
using OwnedProbe = Owned<pregrad_probe, pregrad_probe_free>;

constexpr std::int64_t features = 6;
constexpr std::int64_t neurons = 5;
constexpr std::int64_t classes = 3;
constexpr std::int64_t samples = 40;

// Two activations under one name, the first in place.
torch::jit::Module small_module() {
  torch::manual_seed(7);
  torch::jit::Module module("Small");
  module.register_parameter("w1", torch::randn({neurons, features}), false);
  module.register_parameter("b1", torch::randn({neurons}), false);
  module.register_parameter("w2", torch::randn({classes, neurons}), false);
  module.define(R"(
    def forward(self, x):
        z = torch.linear(x, self.w1, self.b1)
        a = torch.relu_(z)
        return torch.linear(torch.tanh(a), self.w2)
  )");
  return module;
}

template <class T>
pregrad_tensor tensor_of(const std::vector<T>& values, const std::vector<std::int64_t>& shape, pregrad_dtype dtype) {
  pregrad_tensor tensor = PREGRAD_TENSOR_INIT;
  tensor.data = values.data();
  tensor.shape = shape.data();
  tensor.rank = shape.size();
  tensor.dtype = dtype;
  return tensor;
}

class CApi : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = std::filesystem::temp_directory_path() /
            ("pregrad-c-api-" + std::to_string(::getpid()) + "-" +
             ::testing::UnitTest::GetInstance()->current_test_info()->name() + ".pt");
    small_module().save(path_.string());
    pregrad_model* model = nullptr;
    ASSERT_EQ(pregrad_model_load(path_.c_str(), nullptr, &model), PREGRAD_OK) << pregrad_last_error();
    model_.reset(model);

    torch::manual_seed(11);
    const at::Tensor inputs = torch::randn({samples, features});
    inputs_.assign(inputs.const_data_ptr<float>(), inputs.const_data_ptr<float>() + inputs.numel());
    for (std::int64_t i = 0; i < samples; ++i) {
      labels_.push_back(i % classes);
      clusters_.push_back(i % 2 == 0 ? 4 : -1);
    }
  }
  void TearDown() override {
    model_.reset();
    std::filesystem::remove(path_);
  }

  pregrad_tensor inputs() const { return tensor_of(inputs_, shape_, PREGRAD_FLOAT32); }

  OwnedAttribution open(const pregrad_attribution_options& options) const {
    pregrad_attribution* attribution = nullptr;
    EXPECT_EQ(pregrad_attribution_open(model_.get(), &options, &attribution), PREGRAD_OK) << pregrad_last_error();
    return OwnedAttribution(attribution);
  }

  pregrad_attribution_options all_methods_of_all_layers() const {
    pregrad_attribution_options options = PREGRAD_ATTRIBUTION_OPTIONS_INIT;
    options.layers = layers_.data();
    options.layer_count = layers_.size();
    options.methods = methods_.data();
    options.method_count = methods_.size();
    return options;
  }

  static OwnedScores scores_of(const OwnedAttribution& attribution) {
    pregrad_scores* scores = nullptr;
    EXPECT_EQ(pregrad_attribution_scores(attribution.get(), &scores), PREGRAD_OK) << pregrad_last_error();
    return OwnedScores(scores);
  }

  std::filesystem::path path_;
  OwnedModel model_;
  std::vector<float> inputs_;
  std::vector<std::int64_t> shape_ = {samples, features};
  std::vector<std::int64_t> labels_;
  std::vector<std::int64_t> clusters_;
  std::vector<const char*> layers_ = {"forward"};
  std::vector<pregrad_method> methods_ = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
};

#define EXPECT_REFUSED(call, status, part)                   \
  do {                                                       \
    EXPECT_EQ(call, status) << pregrad_last_error();         \
    EXPECT_THAT(pregrad_last_error(), HasSubstr(part));      \
    EXPECT_THAT(pregrad_last_error(), Not(HasSubstr("\n"))); \
  } while (false)

TEST(CHeader, WorksInC) {
  int failures = -1;
  std::thread([&] { failures = c_header_test_failures(); }).join();
  EXPECT_EQ(failures, 0);
}

TEST_F(CApi, ABatchThatDoesNotFitIsAddedInHalves) {
  const std::string file = std::string(PREGRAD_FIXTURES) + "/special/little-memory.scripted.pt";
  pregrad_model* opened = nullptr;
  ASSERT_EQ(pregrad_model_load(file.c_str(), nullptr, &opened), PREGRAD_OK) << pregrad_last_error();
  model_.reset(opened);
  const char* layer = "act1";
  pregrad_attribution_options options = PREGRAD_ATTRIBUTION_OPTIONS_INIT;
  options.layers = &layer;
  options.layer_count = 1;
  const OwnedAttribution attribution = open(options);
  std::vector<float> values(10 * 64, 0.5F);
  const std::vector<std::int64_t> shape = {10, 64};
  const pregrad_tensor batch = tensor_of(values, shape, PREGRAD_FLOAT32);
  std::int64_t splits = -1;
  ASSERT_EQ(pregrad_attribution_add(attribution.get(), &batch, labels_.data(), 10, nullptr, 0), PREGRAD_OK)
      << pregrad_last_error();
  ASSERT_EQ(pregrad_attribution_batches_split(attribution.get(), &splits), PREGRAD_OK);
  EXPECT_EQ(splits, 3);  // 10 = 5 + 5 = 2 + 3 + 2 + 3

  values[64] = 1000;  // the second sample fits nowhere
  EXPECT_EQ(pregrad_attribution_add(attribution.get(), &batch, labels_.data(), 10, nullptr, 0), PREGRAD_ERROR_DEVICE);
  EXPECT_THAT(pregrad_last_error(), HasSubstr("single sample"));
  pregrad_score score = PREGRAD_SCORE_INIT;
  const OwnedScores scores = scores_of(attribution);
  ASSERT_EQ(pregrad_scores_get(scores.get(), 0, &score), PREGRAD_OK);
  EXPECT_EQ(score.count, 10);
}

TEST_F(CApi, ListsLayersAsCppDoes) {
  const auto expected = pregrad::Model::load(path_).layers(shape_);
  pregrad_layers* given = nullptr;
  ASSERT_EQ(pregrad_model_layers_for(model_.get(), shape_.data(), shape_.size(), &given), PREGRAD_OK)
      << pregrad_last_error();
  const OwnedLayers layers(given);
  std::size_t count = 0;
  ASSERT_EQ(pregrad_layers_count(layers.get(), &count), PREGRAD_OK);
  ASSERT_EQ(count, expected.size());
  ASSERT_EQ(count, 2u);
  for (std::size_t i = 0; i < count; ++i) {
    pregrad_layer layer = PREGRAD_LAYER_INIT;
    ASSERT_EQ(pregrad_layers_get(layers.get(), i, &layer), PREGRAD_OK);
    EXPECT_EQ(layer.name, expected[i].name);
    EXPECT_EQ(layer.op, expected[i].op);
    EXPECT_EQ(layer.pre_activation, expected[i].pre_activation);
    EXPECT_EQ(layer.call, expected[i].call);
    EXPECT_EQ(layer.neurons, neurons);
    EXPECT_EQ(layer.neuron_axis, 1);
    EXPECT_EQ(layer.in_place != 0, expected[i].in_place);
    EXPECT_THAT(std::vector<std::int64_t>(layer.shape, layer.shape + layer.rank), ElementsAreArray(expected[i].shape));
  }
  pregrad_layer layer = PREGRAD_LAYER_INIT;
  EXPECT_REFUSED(pregrad_layers_get(layers.get(), 2, &layer), PREGRAD_ERROR_ARGUMENT, "2");
  EXPECT_REFUSED(pregrad_layers_get(layers.get(), 0, nullptr), PREGRAD_ERROR_ARGUMENT, "NULL");
  EXPECT_REFUSED(pregrad_layers_count(layers.get(), nullptr), PREGRAD_ERROR_ARGUMENT, "NULL");
}

TEST_F(CApi, ListsLayersWithoutRunningTheModel) {
  pregrad_layers* given = nullptr;
  ASSERT_EQ(pregrad_model_layers(model_.get(), &given), PREGRAD_OK) << pregrad_last_error();
  const OwnedLayers layers(given);
  pregrad_layer layer = PREGRAD_LAYER_INIT;
  ASSERT_EQ(pregrad_layers_get(layers.get(), 0, &layer), PREGRAD_OK);
  EXPECT_STREQ(layer.name, "forward");
  EXPECT_STREQ(layer.op, "relu");
  EXPECT_EQ(layer.in_place, 1);
  EXPECT_EQ(layer.neurons, -1);
  EXPECT_EQ(layer.rank, 0u);
  EXPECT_EQ(layer.shape, nullptr);
}

TEST_F(CApi, ForwardsAsCppDoesAndLeavesTheInputsAlone) {
  const std::vector<float> before = inputs_;
  const at::Tensor expected =
      pregrad::Model::load(path_).forward(torch::from_blob(inputs_.data(), shape_, torch::kFloat));
  pregrad_result* given = nullptr;
  const pregrad_tensor tensor = inputs();
  ASSERT_EQ(pregrad_model_forward(model_.get(), &tensor, &given), PREGRAD_OK) << pregrad_last_error();
  const OwnedResult result(given);
  pregrad_tensor view = PREGRAD_TENSOR_INIT;
  ASSERT_EQ(pregrad_result_tensor(result.get(), &view), PREGRAD_OK);
  ASSERT_EQ(view.dtype, PREGRAD_FLOAT32);
  ASSERT_THAT(std::vector<std::int64_t>(view.shape, view.shape + view.rank), ElementsAreArray({samples, classes}));
  const auto* values = static_cast<const float*>(view.data);
  EXPECT_TRUE(torch::equal(expected, torch::from_blob(const_cast<float*>(values), {samples, classes}, torch::kFloat)));
  EXPECT_EQ(inputs_, before);
}

TEST_F(CApi, NeverWritesToInputsThatTheModelChangesInPlace) {
  torch::jit::Module module("Shift");
  module.register_parameter("w", torch::ones({classes, features}), false);
  module.define("def forward(self, x):\n    return torch.linear(torch.relu_(x.sub_(1.0)), self.w)\n");
  module.save(path_.string());
  pregrad_model* given = nullptr;
  ASSERT_EQ(pregrad_model_load(path_.c_str(), nullptr, &given), PREGRAD_OK) << pregrad_last_error();
  const OwnedModel model(given);
  const std::vector<float> before = inputs_;
  const pregrad_tensor tensor = inputs();
  pregrad_result* result = nullptr;
  ASSERT_EQ(pregrad_model_forward(model.get(), &tensor, &result), PREGRAD_OK) << pregrad_last_error();
  pregrad_result_free(result);
  EXPECT_EQ(inputs_, before);

  const pregrad_attribution_options options = all_methods_of_all_layers();
  pregrad_attribution* attribution = nullptr;
  ASSERT_EQ(pregrad_attribution_open(model.get(), &options, &attribution), PREGRAD_OK) << pregrad_last_error();
  const OwnedAttribution owned(attribution);
  ASSERT_EQ(pregrad_attribution_add(attribution, &tensor, labels_.data(), labels_.size(), nullptr, 0), PREGRAD_OK)
      << pregrad_last_error();
  EXPECT_EQ(inputs_, before);
}

TEST_F(CApi, ScoresAsCppDoes) {
  pregrad::AttributionOptions cpp_options;
  cpp_options.layers = {"forward"};
  cpp_options.methods.assign(pregrad::all_methods.begin(), pregrad::all_methods.begin() + methods_.size());
  pregrad::Attribution cpp = pregrad::Model::load(path_).attribution(cpp_options);
  cpp.add(torch::from_blob(inputs_.data(), shape_, torch::kFloat),
          torch::from_blob(labels_.data(), {samples}, torch::kLong),
          torch::from_blob(clusters_.data(), {samples}, torch::kLong));
  const std::vector<pregrad::Score> expected = cpp.scores().entries();

  const OwnedAttribution attribution = open(all_methods_of_all_layers());
  const pregrad_tensor tensor = inputs();
  ASSERT_EQ(pregrad_attribution_add(attribution.get(), &tensor, labels_.data(), labels_.size(), clusters_.data(),
                                    clusters_.size()),
            PREGRAD_OK)
      << pregrad_last_error();
  const OwnedScores scores = scores_of(attribution);
  std::size_t count = 0;
  ASSERT_EQ(pregrad_scores_count(scores.get(), &count), PREGRAD_OK);
  ASSERT_EQ(count, expected.size());
  ASSERT_EQ(count, 2u * 2u * 12u);  // layers, clusters, methods
  for (std::size_t i = 0; i < count; ++i) {
    pregrad_score score = PREGRAD_SCORE_INIT;
    ASSERT_EQ(pregrad_scores_get(scores.get(), i, &score), PREGRAD_OK);
    const pregrad::Score& truth = expected[i];
    EXPECT_EQ(score.layer, truth.layer);
    EXPECT_EQ(score.call, truth.call);
    EXPECT_EQ(score.cluster, truth.cluster);
    EXPECT_EQ(score.method, static_cast<int>(truth.method));
    EXPECT_EQ(score.count, samples / 2);
    ASSERT_EQ(score.neurons, static_cast<std::size_t>(neurons));
    EXPECT_THAT(std::vector<double>(score.mean, score.mean + neurons), ElementsAreArray(truth.statistics.mean));
    EXPECT_THAT(std::vector<double>(score.mean_abs, score.mean_abs + neurons),
                ElementsAreArray(truth.statistics.mean_abs));
    EXPECT_THAT(std::vector<double>(score.rms, score.rms + neurons), ElementsAreArray(truth.statistics.rms));
    EXPECT_THAT(std::vector<double>(score.std, score.std + neurons), ElementsAreArray(truth.statistics.std));
    EXPECT_THAT(std::vector<double>(score.cancellation, score.cancellation + neurons),
                Pointwise(NanSensitiveDoubleEq(), truth.statistics.cancellation()));
    EXPECT_THAT(score.completeness_error, NanSensitiveDoubleEq(truth.completeness_error));

    const std::string name = truth.layer + "@" + std::to_string(truth.call);
    pregrad_score found = PREGRAD_SCORE_INIT;
    ASSERT_EQ(pregrad_scores_of(scores.get(), name.c_str(), truth.cluster, score.method, &found), PREGRAD_OK)
        << pregrad_last_error();
    EXPECT_EQ(found.mean, score.mean);
    EXPECT_EQ(found.call, score.call);
    EXPECT_EQ(found.cancellation, score.cancellation);
  }
}

TEST_F(CApi, ExplainsSeveralTargetsAsCppDoes) {
  pregrad::AttributionOptions cpp_options;
  cpp_options.layers = {"forward"};
  cpp_options.methods.assign(pregrad::all_methods.begin(), pregrad::all_methods.begin() + methods_.size());
  pregrad::Attribution cpp = pregrad::Model::load(path_).attribution(cpp_options);
  std::vector<std::int64_t> targets;
  for (std::int64_t i = 0; i < 2 * samples; ++i) {
    targets.push_back(i * i % 3 % 2);
  }
  const at::Tensor rows = torch::tensor(targets, torch::kLong).view({samples, 2});
  cpp.add(torch::from_blob(inputs_.data(), shape_, torch::kFloat), rows, rows);

  const OwnedAttribution attribution = open(all_methods_of_all_layers());
  const pregrad_tensor tensor = inputs();
  const auto add = [&](std::size_t target_count, std::size_t width, std::size_t cluster_count) {
    return pregrad_attribution_add_targets(attribution.get(), &tensor, targets.data(), target_count, width,
                                           targets.data(), cluster_count);
  };
  EXPECT_REFUSED(add(targets.size(), 0, targets.size()), PREGRAD_ERROR_ARGUMENT, "0 targets per sample");
  EXPECT_REFUSED(add(targets.size() - 1, 2, targets.size()), PREGRAD_ERROR_ARGUMENT, "79 targets");
  EXPECT_REFUSED(add(targets.size(), 2, 2), PREGRAD_ERROR_INPUT, "clusters");
  ASSERT_EQ(add(targets.size(), 2, targets.size()), PREGRAD_OK) << pregrad_last_error();
  const OwnedScores scores = scores_of(attribution);
  std::size_t count = 0;
  ASSERT_EQ(pregrad_scores_count(scores.get(), &count), PREGRAD_OK);
  const std::vector<pregrad::Score> expected = cpp.scores().entries();
  ASSERT_EQ(count, expected.size());
  for (std::size_t i = 0; i < count; ++i) {
    pregrad_score score = PREGRAD_SCORE_INIT;
    ASSERT_EQ(pregrad_scores_get(scores.get(), i, &score), PREGRAD_OK);
    EXPECT_EQ(score.cluster, expected[i].cluster);
    EXPECT_EQ(score.count, expected[i].statistics.count);
    ASSERT_EQ(score.neurons, expected[i].statistics.mean.size());
    EXPECT_THAT(std::vector<double>(score.mean, score.mean + score.neurons),
                ElementsAreArray(expected[i].statistics.mean));
  }
}

TEST_F(CApi, HandsOverTheOptionsOfTheMethods) {
  const pregrad_tensor tensor = inputs();
  const auto added = [&](const pregrad_attribution_options& options) {
    const OwnedAttribution attribution = open(options);
    EXPECT_EQ(pregrad_attribution_add(attribution.get(), &tensor, labels_.data(), labels_.size(), clusters_.data(),
                                      clusters_.size()),
              PREGRAD_OK)
        << pregrad_last_error();
    return scores_of(attribution);
  };
  const OwnedScores means = added(all_methods_of_all_layers());
  pregrad_attribution_options options = all_methods_of_all_layers();
  options.steps = 3;
  options.quadrature = PREGRAD_QUADRATURE_MIDPOINT;
  options.baseline = PREGRAD_BASELINE_MEAN;
  options.removal = PREGRAD_REMOVAL_MEAN;
  options.seed = 0xFFFFFFFFFFFFFFFF;
  options.means = means.get();
  const OwnedScores scores = added(options);

  const pregrad::Model model = pregrad::Model::from(small_module());
  pregrad::AttributionOptions cpp_options;
  cpp_options.layers = {"forward"};
  cpp_options.methods.assign(pregrad::all_methods.begin(), pregrad::all_methods.begin() + methods_.size());
  const auto cpp_added = [&] {
    pregrad::Attribution attribution = model.attribution(cpp_options);
    attribution.add(torch::tensor(inputs_).reshape(shape_), torch::tensor(labels_), torch::tensor(clusters_));
    return attribution.scores();
  };
  cpp_options.means = pregrad::mean_activations(cpp_added());
  cpp_options.steps = 3;
  cpp_options.quadrature = pregrad::Quadrature::midpoint;
  cpp_options.baseline = pregrad::Baseline::mean;
  cpp_options.removal = pregrad::Removal::mean;
  cpp_options.seed = 0xFFFFFFFFFFFFFFFF;
  const pregrad::Scores expected = cpp_added();

  std::set<pregrad_method> differing;
  for (std::size_t i = 0; i < expected.entries().size(); ++i) {
    pregrad_score score = PREGRAD_SCORE_INIT;
    ASSERT_EQ(pregrad_scores_get(scores.get(), i, &score), PREGRAD_OK) << pregrad_last_error();
    const std::vector<double> mean(score.mean, score.mean + neurons);
    EXPECT_THAT(mean, ElementsAreArray(expected.entries()[i].statistics.mean));
    EXPECT_THAT(score.completeness_error, NanSensitiveDoubleEq(expected.entries()[i].completeness_error));
    ASSERT_EQ(pregrad_scores_get(means.get(), i, &score), PREGRAD_OK) << pregrad_last_error();
    if (mean != std::vector<double>(score.mean, score.mean + neurons)) {
      differing.insert(score.method);
    }
  }
  EXPECT_THAT(differing,
              ElementsAre(PREGRAD_METHOD_INTEGRATED_GRADIENTS, PREGRAD_METHOD_CONDUCTANCE,
                          PREGRAD_METHOD_INTERNAL_INFLUENCE, PREGRAD_METHOD_ABLATION, PREGRAD_METHOD_RANDOM));
}

TEST_F(CApi, HandsOverTheInputsThatOthersAreHeldAgainst) {
  std::vector<float> others(inputs_.rbegin(), inputs_.rend());
  const auto named = [](const char* name, const pregrad_tensor& tensor) {
    pregrad_input input = PREGRAD_INPUT_INIT;
    input.name = name;
    input.tensor = &tensor;
    return input;
  };
  const pregrad_tensor own = inputs();
  const pregrad_tensor other = tensor_of(others, shape_, PREGRAD_FLOAT32);
  const pregrad_input pair[] = {named("x", own), named("other.x", other)};
  const pregrad_input references[] = {named("x", other)};
  const std::vector<pregrad_method> methods = {PREGRAD_METHOD_DEEP_LIFT, PREGRAD_METHOD_SHAPLEY,
                                               PREGRAD_METHOD_EXPECTED_GRADIENTS, PREGRAD_METHOD_GRADIENT_X_DIFFERENCE,
                                               PREGRAD_METHOD_PATCHING};
  pregrad_attribution_options options = all_methods_of_all_layers();
  options.methods = methods.data();
  options.method_count = methods.size();
  options.target = PREGRAD_TARGET_INDEX;
  options.target_index = 1;
  options.of_z = 1;
  options.references = references;
  options.reference_count = 1;
  options.corrupt = "other";
  options.permutations = 4;
  options.shapley_error = -1;
  options.seed = 5;
  options.steps = 7;
  const OwnedAttribution attribution = open(options);
  ASSERT_EQ(pregrad_attribution_add_inputs(attribution.get(), pair, 2, nullptr, nullptr), PREGRAD_OK)
      << pregrad_last_error();
  const OwnedScores scores = scores_of(attribution);

  const at::Tensor x = torch::tensor(inputs_).reshape(shape_);
  const at::Tensor y = torch::tensor(others).reshape(shape_);
  pregrad::AttributionOptions cpp_options;
  cpp_options.layers = {"forward"};
  cpp_options.methods.assign(pregrad::all_methods.begin() + methods_.size(), pregrad::all_methods.end());
  cpp_options.target = pregrad::Target::index(1);
  cpp_options.of_z = true;
  cpp_options.references = {{"x", y}};
  cpp_options.corrupt = "other";
  cpp_options.permutations = 4;
  cpp_options.shapley_error = 0;
  cpp_options.seed = 5;
  cpp_options.steps = 7;
  pregrad::Attribution expected = pregrad::Model::from(small_module()).attribution(cpp_options);
  expected.add(pregrad::Inputs::of({{"x", x}, {"other.x", y}}));
  for (const pregrad::Score& score : expected.scores().entries()) {
    pregrad_score seen = PREGRAD_SCORE_INIT;
    const std::string layer = score.layer + "@" + std::to_string(score.call);
    ASSERT_EQ(pregrad_scores_of(scores.get(), layer.c_str(), 0, static_cast<int>(score.method), &seen), PREGRAD_OK);
    EXPECT_THAT(std::vector<double>(seen.mean, seen.mean + seen.neurons), ElementsAreArray(score.statistics.mean));
  }
  options.permutations = 1;
  pregrad_attribution* refused = nullptr;
  EXPECT_REFUSED(pregrad_attribution_open(model_.get(), &options, &refused), PREGRAD_ERROR_ARGUMENT,
                 "1 permutations for shapley");
}

TEST_F(CApi, TakesDoublesAndTokens) {
  torch::jit::Module module("Tokens");
  module.register_parameter("table", torch::arange(8, torch::kDouble).reshape({4, 2}) - 3.0, false);
  module.register_parameter("w", torch::eye(2, torch::kDouble), false);
  module.define(R"(
    def forward(self, x):
        if not x.is_floating_point():
            x = torch.embedding(self.table, x)
        return torch.linear(torch.relu(torch.linear(x, self.w)), self.w)
  )");
  module.save(path_.string());
  pregrad_model* given = nullptr;
  ASSERT_EQ(pregrad_model_load(path_.c_str(), nullptr, &given), PREGRAD_OK) << pregrad_last_error();
  const OwnedModel model(given);
  const auto forward = [&](const pregrad_tensor& tensor) {
    pregrad_result* result = nullptr;
    EXPECT_EQ(pregrad_model_forward(model.get(), &tensor, &result), PREGRAD_OK) << pregrad_last_error();
    const OwnedResult owned(result);
    pregrad_tensor view = PREGRAD_TENSOR_INIT;
    EXPECT_EQ(pregrad_result_tensor(result, &view), PREGRAD_OK) << pregrad_last_error();
    EXPECT_EQ(view.dtype, PREGRAD_FLOAT64);
    const auto* values = static_cast<const double*>(view.data);
    return values == nullptr ? std::vector<double>() : std::vector<double>(values, values + 4);
  };
  const std::vector<std::int64_t> tokens = {3, 0};
  const std::vector<std::int64_t> token_shape = {2};
  EXPECT_THAT(forward(tensor_of(tokens, token_shape, PREGRAD_INT64)), ElementsAreArray({3.0, 4.0, 0.0, 0.0}));
  const std::vector<double> doubles = {0.1, -1.0, -2.0, 1e300};
  const std::vector<std::int64_t> shape = {2, 2};
  EXPECT_THAT(forward(tensor_of(doubles, shape, PREGRAD_FLOAT64)), ElementsAreArray({0.1, 0.0, 0.0, 1e300}));

  const std::vector<float> floats = {0.1F, -1.0F, -2.0F, 1.0F};
  const pregrad_tensor wrong = tensor_of(floats, shape, PREGRAD_FLOAT32);
  pregrad_result* result = nullptr;
  EXPECT_REFUSED(pregrad_model_forward(model.get(), &wrong, &result), PREGRAD_ERROR_INPUT, "Float");
  EXPECT_EQ(result, nullptr);
}

// Independent of PreGrad's own C++: z is known in closed form, so its gradient is too.
TEST_F(CApi, GradientIsThatOfThePreActivation) {
  const torch::jit::Module module = small_module();
  const at::Tensor x = torch::from_blob(inputs_.data(), shape_, torch::kFloat);
  const at::Tensor z =
      torch::linear(x, module.attr("w1").toTensor(), module.attr("b1").toTensor()).detach().requires_grad_(true);
  const at::Tensor y = torch::linear(torch::tanh(torch::relu(z)), module.attr("w2").toTensor());
  y.select(1, 2).sum().backward();
  const at::Tensor truth = z.grad().to(torch::kDouble).mean(0);

  pregrad_attribution_options options = PREGRAD_ATTRIBUTION_OPTIONS_INIT;
  const char* layer = "forward@0";
  options.layers = &layer;
  options.layer_count = 1;
  options.target = PREGRAD_TARGET_INDEX;
  options.target_index = 2;
  const OwnedAttribution attribution = open(options);
  const pregrad_tensor tensor = inputs();
  ASSERT_EQ(pregrad_attribution_add(attribution.get(), &tensor, nullptr, 0, nullptr, 0), PREGRAD_OK)
      << pregrad_last_error();
  const OwnedScores scores = scores_of(attribution);
  pregrad_score score = PREGRAD_SCORE_INIT;
  ASSERT_EQ(pregrad_scores_of(scores.get(), "forward", 0, PREGRAD_METHOD_GRADIENT, &score), PREGRAD_OK)
      << pregrad_last_error();
  const at::Tensor seen = torch::tensor(std::vector<double>(score.mean, score.mean + neurons), torch::kDouble);
  EXPECT_TRUE(pregrad::test::are_close(seen, truth, pregrad::test::apart(at::kFloat, {features, neurons, classes})));
}

TEST_F(CApi, AnAttributionOutlivesItsModelAndItsScores) {
  const OwnedAttribution attribution = open(all_methods_of_all_layers());
  model_.reset();
  const pregrad_tensor tensor = inputs();
  ASSERT_EQ(pregrad_attribution_add(attribution.get(), &tensor, labels_.data(), labels_.size(), nullptr, 0), PREGRAD_OK)
      << pregrad_last_error();
  OwnedScores first = scores_of(attribution);
  first.reset();
  const OwnedScores second = scores_of(attribution);
  pregrad_score score = PREGRAD_SCORE_INIT;
  ASSERT_EQ(pregrad_scores_get(second.get(), 0, &score), PREGRAD_OK);
  EXPECT_EQ(score.count, samples);
}

TEST_F(CApi, ServesManyThreadsAndKeepsTheirMessagesApart) {
  const OwnedAttribution attribution = open(all_methods_of_all_layers());
  std::vector<std::string> messages(8);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < messages.size(); ++t) {
    threads.emplace_back([&, t] {
      const pregrad_tensor tensor = inputs();
      pregrad_model* model = nullptr;
      EXPECT_EQ(pregrad_model_load(("absent-" + std::to_string(t)).c_str(), nullptr, &model), PREGRAD_ERROR_MODEL);
      for (int repeat = 0; repeat < 5; ++repeat) {
        EXPECT_EQ(pregrad_attribution_add(attribution.get(), &tensor, labels_.data(), labels_.size(), clusters_.data(),
                                          clusters_.size()),
                  PREGRAD_OK);
      }
      messages[t] = pregrad_last_error();
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  for (std::size_t t = 0; t < messages.size(); ++t) {
    EXPECT_THAT(messages[t], HasSubstr("absent-" + std::to_string(t)));
  }
  const OwnedScores scores = scores_of(attribution);
  pregrad_score score = PREGRAD_SCORE_INIT;
  ASSERT_EQ(pregrad_scores_of(scores.get(), "forward@1", -1, PREGRAD_METHOD_ACTIVATION, &score), PREGRAD_OK)
      << pregrad_last_error();
  EXPECT_EQ(score.count, 8 * 5 * samples / 2);
}

TEST_F(CApi, RefusesTensorsThatAreNone) {
  const OwnedAttribution attribution = open(all_methods_of_all_layers());
  const auto add = [&](const pregrad_tensor* tensor) {
    return pregrad_attribution_add(attribution.get(), tensor, labels_.data(), labels_.size(), nullptr, 0);
  };
  EXPECT_REFUSED(add(nullptr), PREGRAD_ERROR_ARGUMENT, "pregrad_tensor");
  pregrad_tensor tensor = inputs();
  tensor.struct_size = sizeof(std::size_t);
  EXPECT_REFUSED(add(&tensor), PREGRAD_ERROR_ARGUMENT, "struct_size");
  tensor = inputs();
  tensor.data = nullptr;
  EXPECT_REFUSED(add(&tensor), PREGRAD_ERROR_INPUT, "NULL");
  tensor = inputs();
  tensor.data = reinterpret_cast<const char*>(inputs_.data()) + 1;
  EXPECT_REFUSED(add(&tensor), PREGRAD_ERROR_INPUT, "aligned");
  tensor = inputs();
  tensor.shape = nullptr;
  EXPECT_REFUSED(add(&tensor), PREGRAD_ERROR_ARGUMENT, "shape");
  tensor = inputs();
  tensor.dtype = 99;
  EXPECT_REFUSED(add(&tensor), PREGRAD_ERROR_ARGUMENT, "99");
  tensor = inputs();
  tensor.reserved = 1;
  EXPECT_REFUSED(add(&tensor), PREGRAD_ERROR_ARGUMENT, "reserved");
  const std::vector<std::int64_t> negative = {-3, features};
  tensor = tensor_of(inputs_, negative, PREGRAD_FLOAT32);
  EXPECT_REFUSED(add(&tensor), PREGRAD_ERROR_INPUT, "-3");
  const std::vector<std::int64_t> huge = {INT64_MAX / 2, features};
  tensor = tensor_of(inputs_, huge, PREGRAD_FLOAT32);
  EXPECT_REFUSED(add(&tensor), PREGRAD_ERROR_INPUT, "memory");
  const std::vector<std::int64_t> none = {0, features};
  tensor = tensor_of(inputs_, none, PREGRAD_FLOAT32);
  EXPECT_NE(pregrad_attribution_add(attribution.get(), &tensor, nullptr, 0, nullptr, 0), PREGRAD_OK);
  const std::vector<std::int64_t> wide = {samples / 2, features * 2};
  tensor = tensor_of(inputs_, wide, PREGRAD_FLOAT32);
  EXPECT_REFUSED(pregrad_attribution_add(attribution.get(), &tensor, labels_.data(), samples / 2, nullptr, 0),
                 PREGRAD_ERROR_INPUT, "12");

  // Nothing of all that was added.
  const OwnedScores scores = scores_of(attribution);
  std::size_t count = 1;
  ASSERT_EQ(pregrad_scores_count(scores.get(), &count), PREGRAD_OK);
  EXPECT_EQ(count, 0u);
}

TEST_F(CApi, RefusesLabelsAndClustersThatDoNotFit) {
  const OwnedAttribution attribution = open(all_methods_of_all_layers());
  const pregrad_tensor tensor = inputs();
  const auto add = [&](const std::int64_t* labels, std::size_t label_count, const std::int64_t* clusters,
                       std::size_t cluster_count) {
    return pregrad_attribution_add(attribution.get(), &tensor, labels, label_count, clusters, cluster_count);
  };
  EXPECT_REFUSED(add(nullptr, 0, nullptr, 0), PREGRAD_ERROR_INPUT, "label");
  EXPECT_REFUSED(add(nullptr, 3, nullptr, 0), PREGRAD_ERROR_ARGUMENT, "labels");
  EXPECT_REFUSED(add(labels_.data(), 3, nullptr, 0), PREGRAD_ERROR_INPUT, "3");
  EXPECT_REFUSED(add(labels_.data(), labels_.size(), clusters_.data(), 3), PREGRAD_ERROR_INPUT, "3");
  labels_[5] = 17;
  EXPECT_REFUSED(add(labels_.data(), labels_.size(), nullptr, 0), PREGRAD_ERROR_INPUT, "17");
}

TEST_F(CApi, RefusesOptions) {
  pregrad_attribution* attribution = nullptr;
  const auto refused = [&](const pregrad_attribution_options* options) {
    return pregrad_attribution_open(model_.get(), options, &attribution);
  };
  EXPECT_REFUSED(refused(nullptr), PREGRAD_ERROR_ARGUMENT, "NULL");
  pregrad_attribution_options options = all_methods_of_all_layers();
  EXPECT_REFUSED(pregrad_attribution_open(model_.get(), &options, nullptr), PREGRAD_ERROR_ARGUMENT, "NULL");
  const char* absent = "fc9";
  options.layers = &absent;
  EXPECT_REFUSED(refused(&options), PREGRAD_ERROR_LAYER, "fc9");
  const char* null_name = nullptr;
  options.layers = &null_name;
  EXPECT_REFUSED(refused(&options), PREGRAD_ERROR_ARGUMENT, "layer name");
  options.layers = nullptr;
  EXPECT_REFUSED(refused(&options), PREGRAD_ERROR_ARGUMENT, "layers");
  options = all_methods_of_all_layers();
  const pregrad_method method = 42;
  options.methods = &method;
  options.method_count = 1;
  EXPECT_REFUSED(refused(&options), PREGRAD_ERROR_ARGUMENT, "42");
  options.methods = nullptr;
  EXPECT_REFUSED(refused(&options), PREGRAD_ERROR_ARGUMENT, "methods");
  options = all_methods_of_all_layers();
  options.target = 9;
  EXPECT_REFUSED(refused(&options), PREGRAD_ERROR_ARGUMENT, "9");
  options.target = PREGRAD_TARGET_LABEL;
  options.target_index = 1;
  EXPECT_REFUSED(refused(&options), PREGRAD_ERROR_ARGUMENT, "target_index");
  options = all_methods_of_all_layers();
  options.output = -2;
  EXPECT_REFUSED(refused(&options), PREGRAD_ERROR_ARGUMENT, "-2");
  options = all_methods_of_all_layers();
  options.steps = -3;
  EXPECT_REFUSED(refused(&options), PREGRAD_ERROR_ARGUMENT, "-3");
  options = all_methods_of_all_layers();
  options.quadrature = 3;
  EXPECT_REFUSED(refused(&options), PREGRAD_ERROR_ARGUMENT, "quadrature 3");
  options = all_methods_of_all_layers();
  options.baseline = 2;
  EXPECT_REFUSED(refused(&options), PREGRAD_ERROR_ARGUMENT, "baseline 2");
  options = all_methods_of_all_layers();
  options.removal = -1;
  EXPECT_REFUSED(refused(&options), PREGRAD_ERROR_ARGUMENT, "removal -1");
  options = all_methods_of_all_layers();
  options.reserved = 1;
  EXPECT_REFUSED(refused(&options), PREGRAD_ERROR_ARGUMENT, "reserved");
  options = all_methods_of_all_layers();
  options.no_cuda_graphs = 2;
  EXPECT_REFUSED(refused(&options), PREGRAD_ERROR_ARGUMENT, "no_cuda_graphs is 2");
  options = all_methods_of_all_layers();
  options.reserved_2 = 1;
  EXPECT_REFUSED(refused(&options), PREGRAD_ERROR_ARGUMENT, "reserved");
  EXPECT_EQ(attribution, nullptr);
}

TEST_F(CApi, RecordsNothingOnTheProcessor) {
  for (const std::int32_t switched_off : {0, 1}) {
    pregrad_attribution_options options = all_methods_of_all_layers();
    options.no_cuda_graphs = switched_off;
    const OwnedAttribution attribution = open(options);
    const pregrad_tensor tensor = inputs();
    ASSERT_EQ(pregrad_attribution_add(attribution.get(), &tensor, labels_.data(), labels_.size(), nullptr, 0),
              PREGRAD_OK);
    std::int64_t replayed = -1;
    ASSERT_EQ(pregrad_attribution_batches_replayed(attribution.get(), &replayed), PREGRAD_OK);
    EXPECT_EQ(replayed, 0);
    const char* reason = nullptr;
    ASSERT_EQ(pregrad_attribution_graph_refusal(attribution.get(), &reason), PREGRAD_OK);
    EXPECT_STREQ(reason, "");
  }
}

TEST_F(CApi, TakesStructsOfANewerHeaderUnlessTheirNewFieldsAreSet) {
  struct Newer {
    pregrad_attribution_options known;
    std::int64_t unknown;
  };
  Newer newer = {all_methods_of_all_layers(), 0};
  newer.known.struct_size = sizeof(Newer);
  pregrad_attribution* attribution = nullptr;
  EXPECT_EQ(pregrad_attribution_open(model_.get(), &newer.known, &attribution), PREGRAD_OK) << pregrad_last_error();
  pregrad_attribution_free(attribution);
  attribution = nullptr;
  newer.unknown = 1;
  EXPECT_REFUSED(pregrad_attribution_open(model_.get(), &newer.known, &attribution), PREGRAD_ERROR_ARGUMENT, "newer");
  EXPECT_EQ(attribution, nullptr);
}

TEST_F(CApi, RefusesMeansThatAreNoActivations) {
  const pregrad_method gradient = PREGRAD_METHOD_GRADIENT;
  pregrad_attribution_options options = all_methods_of_all_layers();
  options.methods = &gradient;
  options.method_count = 1;
  const OwnedAttribution attribution = open(options);
  const pregrad_tensor tensor = inputs();
  ASSERT_EQ(pregrad_attribution_add(attribution.get(), &tensor, labels_.data(), labels_.size(), nullptr, 0),
            PREGRAD_OK);
  const OwnedScores scores = scores_of(attribution);
  options.means = scores.get();
  pregrad_attribution* refused = nullptr;
  EXPECT_REFUSED(pregrad_attribution_open(model_.get(), &options, &refused), PREGRAD_ERROR_ARGUMENT, "activation");
  options.means = reinterpret_cast<const pregrad_scores*>(attribution.get());
  EXPECT_REFUSED(pregrad_attribution_open(model_.get(), &options, &refused), PREGRAD_ERROR_STATE, "pregrad_scores");
  EXPECT_EQ(refused, nullptr);
}

// The structs as version 1 of the interface had them.
struct FirstOptions {
  std::size_t struct_size;
  const char* const* layers;
  std::size_t layer_count;
  const pregrad_method* methods;
  std::size_t method_count;
  pregrad_target target;
  pregrad_output output;
  std::int64_t target_index;
};
struct FirstScore {
  std::size_t struct_size;
  const char* layer;
  std::int64_t call;
  std::int64_t cluster;
  std::int64_t count;
  std::size_t neurons;
  const double* mean;
  const double* mean_abs;
  const double* rms;
  const double* std;
  pregrad_method method;
  std::int32_t reserved;
};

TEST_F(CApi, TakesStructsOfTheFirstHeader) {
  // On the heap and of just that size, so that a sanitizer sees every step beyond.
  const auto options = std::make_unique<FirstOptions>();
  options->struct_size = sizeof(FirstOptions);
  options->layers = layers_.data();
  options->layer_count = layers_.size();
  const auto* given = reinterpret_cast<const pregrad_attribution_options*>(options.get());
  pregrad_attribution* opened = nullptr;
  ASSERT_EQ(pregrad_attribution_open(model_.get(), given, &opened), PREGRAD_OK) << pregrad_last_error();
  const OwnedAttribution attribution(opened);
  const pregrad_tensor tensor = inputs();
  ASSERT_EQ(pregrad_attribution_add(attribution.get(), &tensor, labels_.data(), labels_.size(), nullptr, 0),
            PREGRAD_OK);
  const OwnedScores scores = scores_of(attribution);

  struct Guarded {
    FirstScore score = {};
    std::int64_t beyond[2] = {-1, -1};
  };
  const auto guarded = std::make_unique<Guarded>();
  guarded->score.struct_size = sizeof(FirstScore);
  auto* taken = reinterpret_cast<pregrad_score*>(&guarded->score);
  ASSERT_EQ(pregrad_scores_get(scores.get(), 0, taken), PREGRAD_OK) << pregrad_last_error();
  EXPECT_THAT(guarded->beyond, ElementsAreArray({-1, -1}));
  EXPECT_EQ(guarded->score.struct_size, sizeof(FirstScore));
  pregrad_score whole = PREGRAD_SCORE_INIT;
  ASSERT_EQ(pregrad_scores_get(scores.get(), 0, &whole), PREGRAD_OK) << pregrad_last_error();
  EXPECT_EQ(guarded->score.std, whole.std);
  EXPECT_EQ(guarded->score.neurons, whole.neurons);

  options->struct_size = sizeof(FirstOptions) - 1;
  EXPECT_REFUSED(pregrad_attribution_open(model_.get(), given, &opened), PREGRAD_ERROR_ARGUMENT, "struct_size");
  guarded->score.struct_size = sizeof(FirstScore) - 1;
  EXPECT_REFUSED(pregrad_scores_get(scores.get(), 0, taken), PREGRAD_ERROR_ARGUMENT, "struct_size");
}

TEST_F(CApi, RefusesLookupsThatFindNothing) {
  const OwnedAttribution attribution = open(all_methods_of_all_layers());
  const pregrad_tensor tensor = inputs();
  ASSERT_EQ(pregrad_attribution_add(attribution.get(), &tensor, labels_.data(), labels_.size(), nullptr, 0),
            PREGRAD_OK);
  const OwnedScores scores = scores_of(attribution);
  pregrad_score score = PREGRAD_SCORE_INIT;
  const auto of = [&](const char* layer, std::int64_t cluster, pregrad_method method) {
    return pregrad_scores_of(scores.get(), layer, cluster, method, &score);
  };
  EXPECT_REFUSED(of("fc9", 0, 0), PREGRAD_ERROR_LAYER, "fc9");
  EXPECT_REFUSED(of("forward", 0, 0), PREGRAD_ERROR_LAYER, "forward@1");
  EXPECT_REFUSED(of("forward@0", 5, 0), PREGRAD_ERROR_ARGUMENT, "5");
  EXPECT_REFUSED(of("forward@0", 0, 77), PREGRAD_ERROR_ARGUMENT, "77");
  EXPECT_REFUSED(of(nullptr, 0, 0), PREGRAD_ERROR_ARGUMENT, "NULL");
  EXPECT_REFUSED(pregrad_scores_get(scores.get(), 1000, &score), PREGRAD_ERROR_ARGUMENT, "1000");
  score.struct_size = 1;
  EXPECT_REFUSED(of("forward@0", 0, 0), PREGRAD_ERROR_ARGUMENT, "struct_size");
  EXPECT_EQ(score.mean, nullptr);
}

/// What `save` gives.
template <auto save, class Handle>
std::string saved(const Handle& handle) {
  pregrad_state* given = nullptr;
  EXPECT_EQ(save(handle.get(), &given), PREGRAD_OK) << pregrad_last_error();
  const OwnedState state(given);
  const void* bytes = nullptr;
  std::size_t size = 0;
  EXPECT_EQ(pregrad_state_bytes(given, &bytes, &size), PREGRAD_OK) << pregrad_last_error();
  EXPECT_REFUSED(pregrad_state_bytes(given, nullptr, &size), PREGRAD_ERROR_ARGUMENT, "NULL");
  EXPECT_REFUSED(pregrad_state_bytes(given, &bytes, nullptr), PREGRAD_ERROR_ARGUMENT, "NULL");
  return {static_cast<const char*>(bytes), size};
}

TEST_F(CApi, SavesRestoresAndMergesScores) {
  const auto part = [&](const OwnedAttribution& to, std::int64_t first) {
    const std::vector<std::int64_t> shape = {samples / 2, features};
    pregrad_tensor tensor = tensor_of(inputs_, shape, PREGRAD_FLOAT32);
    tensor.data = inputs_.data() + first * features;
    EXPECT_EQ(pregrad_attribution_add(to.get(), &tensor, labels_.data() + first, samples / 2, clusters_.data() + first,
                                      samples / 2),
              PREGRAD_OK)
        << pregrad_last_error();
  };
  const OwnedAttribution whole = open(all_methods_of_all_layers());
  part(whole, 0);
  part(whole, samples / 2);
  const OwnedAttribution first = open(all_methods_of_all_layers());
  part(first, 0);
  const OwnedAttribution second = open(all_methods_of_all_layers());
  part(second, samples / 2);
  const std::string state_of_first = saved<pregrad_attribution_save>(first);
  const std::string state_of_second = saved<pregrad_attribution_save>(second);

  const OwnedAttribution resumed = open(all_methods_of_all_layers());
  part(resumed, 0);  // which the state replaces
  ASSERT_EQ(pregrad_attribution_restore(resumed.get(), state_of_first.data(), state_of_first.size()), PREGRAD_OK)
      << pregrad_last_error();
  EXPECT_EQ(saved<pregrad_attribution_save>(resumed), state_of_first);
  ASSERT_EQ(pregrad_attribution_merge(resumed.get(), state_of_second.data(), state_of_second.size()), PREGRAD_OK)
      << pregrad_last_error();
  const OwnedScores expected = scores_of(whole);
  const OwnedScores seen = scores_of(resumed);
  std::size_t count = 0;
  ASSERT_EQ(pregrad_scores_count(expected.get(), &count), PREGRAD_OK);
  ASSERT_EQ(count, 2u * 2u * 12u);
  for (std::size_t i = 0; i < count; ++i) {
    pregrad_score score = PREGRAD_SCORE_INIT;
    pregrad_score truth = PREGRAD_SCORE_INIT;
    ASSERT_EQ(pregrad_scores_get(seen.get(), i, &score), PREGRAD_OK);
    ASSERT_EQ(pregrad_scores_get(expected.get(), i, &truth), PREGRAD_OK);
    EXPECT_EQ(score.count, truth.count);
    EXPECT_THAT(std::vector<double>(score.mean, score.mean + neurons),
                ElementsAreArray(truth.mean, static_cast<std::size_t>(neurons)));
    EXPECT_THAT(std::vector<double>(score.std, score.std + neurons),
                ElementsAreArray(truth.std, static_cast<std::size_t>(neurons)));
  }

  const std::string before = saved<pregrad_attribution_save>(resumed);
  pregrad_attribution_options gradient_alone = all_methods_of_all_layers();
  gradient_alone.method_count = 1;
  const std::string foreign = saved<pregrad_attribution_save>(open(gradient_alone));
  for (const auto function : {pregrad_attribution_restore, pregrad_attribution_merge}) {
    EXPECT_REFUSED(function(resumed.get(), foreign.data(), foreign.size()), PREGRAD_ERROR_ARGUMENT, "no more methods");
    EXPECT_REFUSED(function(resumed.get(), before.data(), before.size() - 1), PREGRAD_ERROR_ARGUMENT, "damaged");
    EXPECT_REFUSED(function(resumed.get(), before.data(), 0), PREGRAD_ERROR_ARGUMENT, "damaged");
    EXPECT_REFUSED(function(resumed.get(), nullptr, 8), PREGRAD_ERROR_ARGUMENT, "NULL");
  }
  EXPECT_EQ(saved<pregrad_attribution_save>(resumed), before);
}

TEST_F(CApi, ExplainsSamplesAndTellsExamplesAsCppDoes) {
  // Those that need neither references nor other inputs.
  const std::vector<pregrad_method> methods = {PREGRAD_METHOD_GRADIENT, PREGRAD_METHOD_ACTIVATION,
                                               PREGRAD_METHOD_INTEGRATED_GRADIENTS, PREGRAD_METHOD_RANDOM};
  pregrad::AttributionOptions cpp_options;
  cpp_options.layers = {"forward"};
  cpp_options.methods.clear();
  for (const pregrad_method method : methods) {
    cpp_options.methods.push_back(static_cast<pregrad::Method>(method));
  }
  cpp_options.examples = 3;
  const at::Tensor x = torch::from_blob(inputs_.data(), shape_, torch::kFloat);
  const at::Tensor y = torch::from_blob(labels_.data(), {samples}, torch::kLong);
  pregrad::Attribution cpp = pregrad::Model::load(path_).attribution(cpp_options);
  cpp.add(x, y, torch::from_blob(clusters_.data(), {samples}, torch::kLong));
  const std::vector<pregrad::Explanation> explained = cpp.explain(x, y);
  const std::vector<pregrad::Example> examples = cpp.examples();
  ASSERT_EQ(examples.size(), 2u * 2u * 3u * neurons * 3u);  // calls, clusters, methods but random, neurons, ranks

  pregrad_attribution_options options = all_methods_of_all_layers();
  options.methods = methods.data();
  options.method_count = methods.size();
  options.examples = 3;
  const OwnedAttribution attribution = open(options);
  const pregrad_tensor tensor = inputs();
  ASSERT_EQ(pregrad_attribution_add(attribution.get(), &tensor, labels_.data(), labels_.size(), clusters_.data(),
                                    clusters_.size()),
            PREGRAD_OK)
      << pregrad_last_error();

  pregrad_input named = PREGRAD_INPUT_INIT;
  named.name = "x";
  named.tensor = &tensor;
  const std::vector<std::int64_t> label_shape = {samples};
  const pregrad_tensor labels = tensor_of(labels_, label_shape, PREGRAD_INT64);
  for (const bool is_named : {false, true}) {
    pregrad_explanations* out = nullptr;
    ASSERT_EQ(is_named ? pregrad_attribution_explain_inputs(attribution.get(), &named, 1, &labels, &out)
                       : pregrad_attribution_explain(attribution.get(), &tensor, labels_.data(), labels_.size(), &out),
              PREGRAD_OK)
        << pregrad_last_error();
    const OwnedExplanations explanations(out);
    std::size_t count = 0;
    ASSERT_EQ(pregrad_explanations_count(out, &count), PREGRAD_OK);
    ASSERT_EQ(count, explained.size());
    for (std::size_t i = 0; i < count; ++i) {
      pregrad_explanation explanation = PREGRAD_EXPLANATION_INIT;
      ASSERT_EQ(pregrad_explanations_get(out, i, &explanation), PREGRAD_OK);
      EXPECT_EQ(explanation.layer, explained[i].layer);
      EXPECT_EQ(explanation.call, explained[i].call);
      EXPECT_EQ(explanation.method, static_cast<int>(explained[i].method));
      EXPECT_EQ(explanation.positions, 0u);
      ASSERT_EQ(explanation.samples * explanation.neurons, explained[i].values.size());
      EXPECT_THAT(std::vector<double>(explanation.values, explanation.values + explained[i].values.size()),
                  ElementsAreArray(explained[i].values));
    }
    pregrad_explanation none = PREGRAD_EXPLANATION_INIT;
    EXPECT_REFUSED(pregrad_explanations_get(out, count, &none), PREGRAD_ERROR_ARGUMENT, "explanation");
  }

  pregrad_examples* out = nullptr;
  ASSERT_EQ(pregrad_attribution_examples(attribution.get(), &out), PREGRAD_OK) << pregrad_last_error();
  const OwnedExamples owned(out);
  std::size_t count = 0;
  ASSERT_EQ(pregrad_examples_count(out, &count), PREGRAD_OK);
  ASSERT_EQ(count, examples.size());
  for (std::size_t i = 0; i < count; ++i) {
    pregrad_example example = PREGRAD_EXAMPLE_INIT;
    ASSERT_EQ(pregrad_examples_get(out, i, &example), PREGRAD_OK);
    EXPECT_EQ(example.layer, examples[i].layer);
    EXPECT_EQ(example.call, examples[i].call);
    EXPECT_EQ(example.cluster, examples[i].cluster);
    EXPECT_EQ(example.method, static_cast<int>(examples[i].method));
    EXPECT_EQ(example.neuron, examples[i].neuron);
    EXPECT_EQ(example.rank, examples[i].rank);
    EXPECT_EQ(example.sample, examples[i].sample);
    EXPECT_EQ(example.position, examples[i].position);
    EXPECT_EQ(example.value, examples[i].value);
  }

  pregrad_explanations* refused = nullptr;
  EXPECT_REFUSED(pregrad_attribution_explain(attribution.get(), &tensor, nullptr, 0, &refused), PREGRAD_ERROR_INPUT,
                 "label");
  EXPECT_REFUSED(pregrad_attribution_explain(nullptr, &tensor, nullptr, 0, &refused), PREGRAD_ERROR_ARGUMENT,
                 "pregrad_attribution");
  EXPECT_REFUSED(pregrad_attribution_explain(attribution.get(), &tensor, nullptr, 0, nullptr), PREGRAD_ERROR_ARGUMENT,
                 "out parameter");
  EXPECT_EQ(refused, nullptr);
  options.examples = -1;
  pregrad_attribution* none = nullptr;
  EXPECT_REFUSED(pregrad_attribution_open(model_.get(), &options, &none), PREGRAD_ERROR_ARGUMENT, "-1 examples");
}

TEST_F(CApi, MeasuresRemovalCurvesAsCppDoes) {
  const pregrad_tensor tensor = inputs();
  const OwnedAttribution attribution = open(all_methods_of_all_layers());
  ASSERT_EQ(pregrad_attribution_add(attribution.get(), &tensor, labels_.data(), labels_.size(), clusters_.data(),
                                    clusters_.size()),
            PREGRAD_OK);
  const OwnedScores scores = scores_of(attribution);
  const std::vector<pregrad_aggregate> aggregates = {PREGRAD_AGGREGATE_MEAN_ABS, PREGRAD_AGGREGATE_STD};
  pregrad_orders* given = nullptr;
  ASSERT_EQ(pregrad_orders_of_scores(scores.get(), aggregates.data(), aggregates.size(), &given), PREGRAD_OK)
      << pregrad_last_error();
  const OwnedOrders by_score(given);
  ASSERT_EQ(pregrad_orders_random("forward", 1, 4, neurons, 3, 17, &given), PREGRAD_OK) << pregrad_last_error();
  const OwnedOrders random(given);
  const std::vector<std::int64_t> reversed = {4, 3, 2, 1, 0};
  pregrad_order own = PREGRAD_ORDER_INIT;
  own.layer = "forward";
  own.cluster = -1;
  own.neurons = reversed.data();
  own.neuron_count = reversed.size();
  own.repeat = 6;
  ASSERT_EQ(pregrad_orders_of(&own, &given), PREGRAD_OK) << pregrad_last_error();
  const OwnedOrders reverse(given);

  const pregrad::Model model = pregrad::Model::load(path_);
  pregrad::AttributionOptions scored;
  scored.layers = {"forward"};
  scored.methods.assign(pregrad::all_methods.begin(), pregrad::all_methods.begin() + methods_.size());
  pregrad::Attribution cpp_attribution = model.attribution(scored);
  const at::Tensor x = torch::from_blob(inputs_.data(), shape_, torch::kFloat);
  const at::Tensor y = torch::tensor(labels_);
  const at::Tensor cluster = torch::tensor(clusters_);
  cpp_attribution.add(x, y, cluster);
  pregrad::AblationOptions expected_options;
  expected_options.orders =
      pregrad::removal_orders(cpp_attribution.scores(), {pregrad::Aggregate::mean_abs, pregrad::Aggregate::std});
  std::size_t count = 0;
  ASSERT_EQ(pregrad_orders_count(by_score.get(), &count), PREGRAD_OK);
  EXPECT_EQ(count, expected_options.orders.size());
  for (const pregrad::RemovalOrder& order : pregrad::random_orders("forward", 1, 4, neurons, 3, 17)) {
    expected_options.orders.push_back(order);
  }
  expected_options.orders.push_back(
      {"forward", 0, -1, pregrad::Method::gradient, pregrad::Aggregate::mean, 6, reversed});
  expected_options.removal = pregrad::Removal::mean;
  expected_options.means = pregrad::mean_activations(cpp_attribution.scores());
  expected_options.target = pregrad::Target::index(2);
  expected_options.output = pregrad::Output::probability;
  pregrad::Ablation expected_ablation = model.ablation(expected_options);
  expected_ablation.add(x, y, cluster);
  const std::vector<pregrad::RemovalCurve> expected = expected_ablation.curves();

  const std::vector<const pregrad_orders*> lists = {by_score.get(), random.get(), reverse.get()};
  pregrad_ablation_options options = PREGRAD_ABLATION_OPTIONS_INIT;
  options.orders = lists.data();
  options.order_list_count = lists.size();
  options.removal = PREGRAD_REMOVAL_MEAN;
  options.target = PREGRAD_TARGET_INDEX;
  options.target_index = 2;
  options.output = PREGRAD_OUTPUT_PROBABILITY;
  options.means = scores.get();
  const auto opened = [&] {
    pregrad_ablation* ablation = nullptr;
    EXPECT_EQ(pregrad_ablation_open(model_.get(), &options, &ablation), PREGRAD_OK) << pregrad_last_error();
    return OwnedAblation(ablation);
  };
  const OwnedAblation ablation = opened();
  ASSERT_EQ(
      pregrad_ablation_add(ablation.get(), &tensor, labels_.data(), labels_.size(), clusters_.data(), clusters_.size()),
      PREGRAD_OK)
      << pregrad_last_error();
  std::int64_t splits = -1;
  ASSERT_EQ(pregrad_ablation_batches_split(ablation.get(), &splits), PREGRAD_OK);
  EXPECT_EQ(splits, 0);
  const OwnedAblation copy = opened();
  const std::string state = saved<pregrad_ablation_save>(ablation);
  ASSERT_EQ(pregrad_ablation_restore(copy.get(), state.data(), state.size()), PREGRAD_OK) << pregrad_last_error();
  pregrad_curves* taken = nullptr;
  ASSERT_EQ(pregrad_ablation_curves(copy.get(), &taken), PREGRAD_OK) << pregrad_last_error();
  const OwnedCurves curves(taken);
  ASSERT_EQ(pregrad_curves_count(curves.get(), &count), PREGRAD_OK);
  ASSERT_EQ(count, expected.size());
  for (std::size_t i = 0; i < count; ++i) {
    pregrad_curve curve = PREGRAD_CURVE_INIT;
    ASSERT_EQ(pregrad_curves_get(curves.get(), i, &curve), PREGRAD_OK) << pregrad_last_error();
    const pregrad::RemovalCurve& truth = expected[i];
    EXPECT_EQ(curve.layer, truth.order.layer);
    EXPECT_EQ(curve.call, truth.order.call);
    EXPECT_EQ(curve.cluster, truth.order.cluster);
    EXPECT_EQ(curve.method, static_cast<int>(truth.order.method));
    EXPECT_EQ(curve.aggregate, static_cast<int>(truth.order.aggregate));
    EXPECT_EQ(curve.repeat, truth.order.repeat);
    EXPECT_THAT(std::vector<std::int64_t>(curve.neurons, curve.neurons + curve.neuron_count),
                ElementsAreArray(truth.order.neurons));
    EXPECT_EQ(curve.count, truth.count);
    EXPECT_EQ(curve.outside_count, truth.outside_count);
    ASSERT_EQ(curve.points, static_cast<std::size_t>(neurons + 1));
    EXPECT_THAT(std::vector<std::int64_t>(curve.removed, curve.removed + curve.points),
                ElementsAreArray(truth.removed));
    const auto same = [&](const double* values, const std::vector<double>& wanted) {
      EXPECT_THAT(std::vector<double>(values, values + curve.points), Pointwise(NanSensitiveDoubleEq(), wanted));
    };
    same(curve.accuracy, truth.accuracy);
    same(curve.mean_output, truth.mean_output);
    same(curve.cross_entropy, truth.cross_entropy);
    same(curve.outside_accuracy, truth.outside_accuracy);
    EXPECT_EQ(curve.area, truth.area());
  }
  pregrad_curve curve = PREGRAD_CURVE_INIT;
  EXPECT_REFUSED(pregrad_curves_get(curves.get(), count, &curve), PREGRAD_ERROR_ARGUMENT, "no curve");

  // Twice the samples, and nothing else.
  ASSERT_EQ(pregrad_ablation_merge(copy.get(), state.data(), state.size()), PREGRAD_OK) << pregrad_last_error();
  ASSERT_EQ(pregrad_ablation_curves(copy.get(), &taken), PREGRAD_OK);
  const OwnedCurves doubled(taken);
  ASSERT_EQ(pregrad_curves_get(doubled.get(), 0, &curve), PREGRAD_OK);
  EXPECT_EQ(curve.count, 2 * expected[0].count);
  EXPECT_THAT(std::vector<double>(curve.accuracy, curve.accuracy + curve.points),
              ElementsAreArray(expected[0].accuracy));

  const std::string before = saved<pregrad_ablation_save>(copy);
  options.removal = PREGRAD_REMOVAL_ZERO;
  const std::string foreign = saved<pregrad_ablation_save>(opened());
  for (const auto function : {pregrad_ablation_restore, pregrad_ablation_merge}) {
    EXPECT_REFUSED(function(copy.get(), foreign.data(), foreign.size()), PREGRAD_ERROR_ARGUMENT, "removal");
    EXPECT_REFUSED(function(copy.get(), before.data(), before.size() / 2), PREGRAD_ERROR_ARGUMENT, "damaged");
    EXPECT_REFUSED(function(copy.get(), nullptr, 8), PREGRAD_ERROR_ARGUMENT, "NULL");
  }
  EXPECT_EQ(saved<pregrad_ablation_save>(copy), before);
}

TEST_F(CApi, RefusesRemovals) {
  pregrad_ablation* ablation = nullptr;
  pregrad_ablation_options options = PREGRAD_ABLATION_OPTIONS_INIT;
  const auto refused = [&] { return pregrad_ablation_open(model_.get(), &options, &ablation); };
  EXPECT_REFUSED(pregrad_ablation_open(model_.get(), nullptr, &ablation), PREGRAD_ERROR_ARGUMENT, "NULL");
  EXPECT_REFUSED(refused(), PREGRAD_ERROR_ARGUMENT, "no removal order");
  options.order_list_count = 1;
  EXPECT_REFUSED(refused(), PREGRAD_ERROR_ARGUMENT, "orders of pregrad_ablation_options");
  const pregrad_orders* list = nullptr;
  options.orders = &list;
  EXPECT_REFUSED(refused(), PREGRAD_ERROR_ARGUMENT, "pregrad_orders");
  const std::vector<std::int64_t> twice = {0, 1, 1};
  pregrad_order own = PREGRAD_ORDER_INIT;
  own.layer = "forward";
  own.neurons = twice.data();
  own.neuron_count = twice.size();
  const auto take = [&] {
    pregrad_orders* given = nullptr;
    EXPECT_EQ(pregrad_orders_of(&own, &given), PREGRAD_OK) << pregrad_last_error();
    list = given;
    return OwnedOrders(given);
  };
  const OwnedOrders repeated = take();
  EXPECT_REFUSED(refused(), PREGRAD_ERROR_ARGUMENT, "neuron 1 twice");
  const std::vector<std::int64_t> good = {0, 1, 2, 3, 4};
  own.neurons = good.data();
  own.neuron_count = good.size();
  own.layer = "fc9";
  const OwnedOrders absent = take();
  EXPECT_REFUSED(refused(), PREGRAD_ERROR_LAYER, "fc9");
  own.layer = "forward";
  const OwnedOrders orders = take();
  options.removal = 5;
  EXPECT_REFUSED(refused(), PREGRAD_ERROR_ARGUMENT, "removal 5");
  options.removal = PREGRAD_REMOVAL_MEAN;
  EXPECT_REFUSED(refused(), PREGRAD_ERROR_ARGUMENT, "no mean activations");
  options.removal = PREGRAD_REMOVAL_ZERO;
  options.target_index = 1;
  EXPECT_REFUSED(refused(), PREGRAD_ERROR_ARGUMENT, "target_index");
  options.target_index = 0;
  options.reserved = 1;
  EXPECT_REFUSED(refused(), PREGRAD_ERROR_ARGUMENT, "reserved");
  EXPECT_EQ(ablation, nullptr);
  options.reserved = 0;
  ASSERT_EQ(refused(), PREGRAD_OK) << pregrad_last_error();
  const OwnedAblation opened(ablation);
  const pregrad_tensor tensor = inputs();
  EXPECT_REFUSED(pregrad_ablation_add(ablation, &tensor, labels_.data(), 3, nullptr, 0), PREGRAD_ERROR_INPUT, "3");
  pregrad_scores* no_scores = nullptr;
  const OwnedAttribution attribution = open(all_methods_of_all_layers());
  ASSERT_EQ(pregrad_attribution_scores(attribution.get(), &no_scores), PREGRAD_OK);
  const OwnedScores owned(no_scores);
  pregrad_orders* none = nullptr;
  const pregrad_aggregate aggregate = 12;
  EXPECT_REFUSED(pregrad_orders_of_scores(no_scores, &aggregate, 1, &none), PREGRAD_ERROR_ARGUMENT, "aggregate 12");
  EXPECT_REFUSED(pregrad_orders_of_scores(no_scores, &aggregate, 0, &none), PREGRAD_ERROR_ARGUMENT, "no aggregate");
  EXPECT_REFUSED(pregrad_orders_of_scores(no_scores, nullptr, 1, &none), PREGRAD_ERROR_ARGUMENT, "NULL");
  EXPECT_EQ(none, nullptr);
}

TEST_F(CApi, ChecksGradientsAsCppDoes) {
  pregrad::CheckOptions expected_options;
  expected_options.layers = {"forward"};
  expected_options.most_neurons = 3;
  expected_options.target = pregrad::Target::predicted();
  expected_options.output = pregrad::Output::log_probability;
  pregrad::Check cpp = pregrad::Model::load(path_).check(expected_options);
  cpp.add(torch::from_blob(inputs_.data(), shape_, torch::kFloat));
  const std::vector<pregrad::LayerCheck> expected = cpp.results();

  pregrad_check_options options = PREGRAD_CHECK_OPTIONS_INIT;
  options.layers = layers_.data();
  options.layer_count = layers_.size();
  options.most_neurons = 3;
  options.target = PREGRAD_TARGET_PREDICTED;
  options.output = PREGRAD_OUTPUT_LOG_PROBABILITY;
  pregrad_check* opened = nullptr;
  ASSERT_EQ(pregrad_check_open(model_.get(), &options, &opened), PREGRAD_OK) << pregrad_last_error();
  const OwnedCheck check(opened);
  const pregrad_tensor tensor = inputs();
  ASSERT_EQ(pregrad_check_add(check.get(), &tensor, nullptr, 0), PREGRAD_OK) << pregrad_last_error();
  pregrad_layer_checks* taken = nullptr;
  ASSERT_EQ(pregrad_check_results(check.get(), &taken), PREGRAD_OK) << pregrad_last_error();
  const OwnedLayerChecks results(taken);
  std::size_t count = 0;
  ASSERT_EQ(pregrad_layer_checks_count(results.get(), &count), PREGRAD_OK);
  ASSERT_EQ(count, expected.size());
  ASSERT_EQ(count, 2u);
  for (std::size_t i = 0; i < count; ++i) {
    pregrad_layer_check result = PREGRAD_LAYER_CHECK_INIT;
    ASSERT_EQ(pregrad_layer_checks_get(results.get(), i, &result), PREGRAD_OK) << pregrad_last_error();
    EXPECT_EQ(result.layer, expected[i].layer);
    EXPECT_EQ(result.op, expected[i].op);
    EXPECT_EQ(result.call, expected[i].call);
    EXPECT_EQ(result.samples, samples);
    EXPECT_EQ(result.neurons, 3);
    EXPECT_EQ(result.compared, expected[i].compared);
    EXPECT_EQ(result.at_kink, expected[i].at_kink);
    EXPECT_EQ(result.in_double_precision, 1);
    EXPECT_EQ(result.passed, 1);
    EXPECT_EQ(result.tolerance, expected[i].tolerance);
    EXPECT_LT(result.gradient_error, result.tolerance);
    EXPECT_EQ(result.gradient_error, expected[i].gradient_error);
    EXPECT_EQ(result.hook_error, expected[i].hook_error);
    EXPECT_EQ(result.hook_differs, expected[i].hook_differs);
    EXPECT_EQ(result.cancellation, expected[i].cancellation);
  }
  pregrad_layer_check result = PREGRAD_LAYER_CHECK_INIT;
  EXPECT_REFUSED(pregrad_layer_checks_get(results.get(), 2, &result), PREGRAD_ERROR_ARGUMENT, "no result 2");

  opened = nullptr;
  options.most_neurons = -1;
  EXPECT_REFUSED(pregrad_check_open(model_.get(), &options, &opened), PREGRAD_ERROR_ARGUMENT, "-1");
  options.most_neurons = 0;
  options.layer_count = 0;
  EXPECT_REFUSED(pregrad_check_open(model_.get(), &options, &opened), PREGRAD_ERROR_ARGUMENT, "no layer");
  EXPECT_EQ(opened, nullptr);
}

TEST_F(CApi, ProbesTensorsOfLibTorchAsCppDoes) {
  const auto handle = [](at::Tensor& tensor) { return reinterpret_cast<pregrad_torch_tensor*>(&tensor); };
  const std::vector<pregrad_method> methods = {PREGRAD_METHOD_GRADIENT, PREGRAD_METHOD_GRADIENT_X_ACTIVATION};
  pregrad_attribution_options options = PREGRAD_ATTRIBUTION_OPTIONS_INIT;
  options.methods = methods.data();
  options.method_count = methods.size();
  pregrad_probe* opened = nullptr;
  ASSERT_EQ(pregrad_probe_open(&options, &opened), PREGRAD_OK) << pregrad_last_error();
  const OwnedProbe probe(opened);

  const torch::jit::Module module = small_module();
  const at::Tensor x = torch::from_blob(inputs_.data(), shape_, torch::kFloat);
  const at::Tensor w1 = module.attr("w1").toTensor();
  const at::Tensor w2 = module.attr("w2").toTensor();
  at::Tensor z = torch::linear(x, w1, module.attr("b1").toTensor());
  const at::Tensor truth_z = z.detach().clone().requires_grad_(true);
  ASSERT_EQ(pregrad_probe_tap(probe.get(), "fc1", handle(z), 0, handle(z)), PREGRAD_OK) << pregrad_last_error();
  at::Tensor a;
  at::Tensor activation = torch::relu_(z);
  ASSERT_EQ(pregrad_probe_activation(probe.get(), "fc1", handle(activation), handle(a)), PREGRAD_OK)
      << pregrad_last_error();
  at::Tensor logits = torch::linear(a, w2);
  pregrad_layers* taken = nullptr;
  ASSERT_EQ(pregrad_probe_layers(probe.get(), &taken), PREGRAD_OK) << pregrad_last_error();
  const OwnedLayers layers(taken);
  pregrad_layer layer = PREGRAD_LAYER_INIT;
  ASSERT_EQ(pregrad_layers_get(layers.get(), 0, &layer), PREGRAD_OK) << pregrad_last_error();
  EXPECT_STREQ(layer.name, "fc1");
  EXPECT_EQ(layer.neurons, neurons);
  ASSERT_EQ(pregrad_probe_add(probe.get(), handle(logits), labels_.data(), labels_.size(), nullptr, 0), PREGRAD_OK)
      << pregrad_last_error();

  const at::Tensor truth_logits = torch::linear(torch::relu(truth_z), w2);
  truth_logits.gather(1, torch::tensor(labels_).unsqueeze(1)).sum().backward();
  const at::Tensor truth = truth_z.grad().to(torch::kDouble).mean(0);
  pregrad_scores* given = nullptr;
  ASSERT_EQ(pregrad_probe_scores(probe.get(), &given), PREGRAD_OK) << pregrad_last_error();
  const OwnedScores scores(given);
  pregrad_score score = PREGRAD_SCORE_INIT;
  ASSERT_EQ(pregrad_scores_of(given, "fc1", 0, PREGRAD_METHOD_GRADIENT, &score), PREGRAD_OK) << pregrad_last_error();
  EXPECT_EQ(score.count, samples);
  for (std::int64_t n = 0; n < neurons; ++n) {
    EXPECT_NEAR(score.mean[n], truth[n].item<double>(), 1e-6);
  }

  EXPECT_REFUSED(pregrad_probe_add(probe.get(), handle(logits), labels_.data(), labels_.size(), nullptr, 0),
                 PREGRAD_ERROR_STATE, "nothing was tapped");

  // The same of a backward of the program's own, of a loss that is the mean.
  z = torch::linear(x, w1, module.attr("b1").toTensor());
  ASSERT_EQ(pregrad_probe_tap(probe.get(), "own", handle(z), 0, handle(z)), PREGRAD_OK) << pregrad_last_error();
  activation = torch::relu_(z);
  ASSERT_EQ(pregrad_probe_activation(probe.get(), "own", handle(activation), handle(a)), PREGRAD_OK)
      << pregrad_last_error();
  EXPECT_REFUSED(pregrad_probe_collect(probe.get(), nullptr, 0, 0), PREGRAD_ERROR_ARGUMENT, "scale");
  torch::linear(a, w2).gather(1, torch::tensor(labels_).unsqueeze(1)).mean().backward();
  ASSERT_EQ(pregrad_probe_collect(probe.get(), clusters_.data(), clusters_.size(), static_cast<double>(samples)),
            PREGRAD_OK)
      << pregrad_last_error();
  ASSERT_EQ(pregrad_probe_scores(probe.get(), &given), PREGRAD_OK) << pregrad_last_error();
  const OwnedScores collected(given);
  ASSERT_EQ(pregrad_scores_of(given, "own", 4, PREGRAD_METHOD_GRADIENT, &score), PREGRAD_OK) << pregrad_last_error();
  const at::Tensor own = truth_z.grad().to(torch::kDouble).slice(0, 0, samples, 2).mean(0);
  for (std::int64_t n = 0; n < neurons; ++n) {
    EXPECT_NEAR(score.mean[n], own[n].item<double>(), 1e-6);
  }
  EXPECT_REFUSED(pregrad_probe_collect(probe.get(), nullptr, 0, 1), PREGRAD_ERROR_STATE, "nothing was tapped");
  at::Tensor tokens = torch::zeros({2, 3}, torch::kLong);
  EXPECT_REFUSED(pregrad_probe_tap(probe.get(), "fc1", handle(tokens), 0, handle(tokens)), PREGRAD_ERROR_INPUT, "type");
  EXPECT_REFUSED(pregrad_probe_tap(probe.get(), nullptr, handle(z), 0, handle(z)), PREGRAD_ERROR_ARGUMENT, "name");
  EXPECT_REFUSED(pregrad_probe_tap(probe.get(), "fc1", nullptr, 0, handle(z)), PREGRAD_ERROR_ARGUMENT, "NULL");
  EXPECT_REFUSED(pregrad_probe_activation(probe.get(), "fc9", handle(z), handle(z)), PREGRAD_ERROR_STATE, "fc9");
  at::Tensor again = torch::randn({2, 3});
  ASSERT_EQ(pregrad_probe_tap(probe.get(), "fc1", handle(again), 1, handle(again)), PREGRAD_OK) << pregrad_last_error();
  ASSERT_EQ(pregrad_probe_discard(probe.get()), PREGRAD_OK);
  ASSERT_EQ(pregrad_probe_layers(probe.get(), &taken), PREGRAD_OK);
  const OwnedLayers none(taken);
  std::size_t count = 1;
  ASSERT_EQ(pregrad_layers_count(none.get(), &count), PREGRAD_OK);
  EXPECT_EQ(count, 0u);

  const pregrad_method path = PREGRAD_METHOD_CONDUCTANCE;
  options.methods = &path;
  options.method_count = 1;
  pregrad_probe* refused = nullptr;
  EXPECT_REFUSED(pregrad_probe_open(&options, &refused), PREGRAD_ERROR_ARGUMENT, "conductance");
  EXPECT_EQ(refused, nullptr);
}

pregrad_input input_of(const char* name, const pregrad_tensor& tensor) {
  pregrad_input input = PREGRAD_INPUT_INIT;
  input.name = name;
  input.tensor = &tensor;
  return input;
}

TEST(CApiOfSeveralInputs, ScoresTheRequestsOfATransformerPerClass) {
  pregrad_model* opened = nullptr;
  ASSERT_EQ(pregrad_model_load(PREGRAD_FIXTURES "/several/bert.exported.pt2", nullptr, &opened), PREGRAD_OK)
      << pregrad_last_error();
  const OwnedModel model(opened);
  // Three requests of up to four tokens, padded.
  const std::vector<std::int64_t> ids = {5, 3, 9, 2, 7, 1, 0, 0, 4, 8, 6, 0};
  const std::vector<std::int64_t> mask = {1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1, 0};
  const std::vector<std::int64_t> shape = {3, 4};
  const std::vector<std::int64_t> each = {3};
  const std::vector<std::int64_t> classes_of = {0, 1, 2};
  pregrad_tensor tensors[] = {tensor_of(ids, shape, PREGRAD_INT64), tensor_of(mask, shape, PREGRAD_INT64)};
  const pregrad_input inputs[] = {input_of("input_ids", tensors[0]), input_of("attention_mask", tensors[1])};
  const pregrad_tensor labels = tensor_of(classes_of, each, PREGRAD_INT64);
  const char* const layers[] = {"layers.0.mlp.act", "layers.1.mlp.act"};
  pregrad_reading reading = PREGRAD_READING_INIT;
  reading.mask = "attention_mask";
  pregrad_attribution_options options = PREGRAD_ATTRIBUTION_OPTIONS_INIT;
  options.layers = layers;
  options.layer_count = 2;
  options.reading = &reading;
  pregrad_attribution* taken = nullptr;
  ASSERT_EQ(pregrad_attribution_open(model.get(), &options, &taken), PREGRAD_OK) << pregrad_last_error();
  const OwnedAttribution attribution(taken);
  ASSERT_EQ(pregrad_attribution_add_inputs(attribution.get(), inputs, 2, &labels, &labels), PREGRAD_OK)
      << pregrad_last_error();
  pregrad_scores* snapshot = nullptr;
  ASSERT_EQ(pregrad_attribution_scores(attribution.get(), &snapshot), PREGRAD_OK);
  const OwnedScores scores(snapshot);

  pregrad::AttributionOptions expected_options;
  expected_options.layers = {layers[0], layers[1]};
  expected_options.reading.mask = "attention_mask";
  pregrad::Attribution expected =
      pregrad::Model::load(PREGRAD_FIXTURES "/several/bert.exported.pt2").attribution(expected_options);
  expected.add(pregrad::Inputs::of(
                   {{"input_ids", at::tensor(ids).view({3, 4})}, {"attention_mask", at::tensor(mask).view({3, 4})}}),
               at::tensor(classes_of), at::tensor(classes_of));
  for (const pregrad::Score& score : expected.scores().entries()) {
    pregrad_score seen = PREGRAD_SCORE_INIT;
    ASSERT_EQ(pregrad_scores_of(scores.get(), score.layer.c_str(), score.cluster, PREGRAD_METHOD_GRADIENT, &seen),
              PREGRAD_OK);
    EXPECT_THAT(std::vector<double>(seen.mean, seen.mean + seen.neurons), ElementsAreArray(score.statistics.mean));
    EXPECT_EQ(seen.position, -1);
    EXPECT_REFUSED(
        pregrad_scores_at(scores.get(), score.layer.c_str(), score.cluster, PREGRAD_METHOD_GRADIENT, 0, &seen),
        PREGRAD_ERROR_ARGUMENT, "name none");
  }

  // The same of each token.
  options.positions = PREGRAD_POSITIONS_EACH;
  ASSERT_EQ(pregrad_attribution_open(model.get(), &options, &taken), PREGRAD_OK) << pregrad_last_error();
  const OwnedAttribution of_tokens(taken);
  ASSERT_EQ(pregrad_attribution_add_inputs(of_tokens.get(), inputs, 2, &labels, &labels), PREGRAD_OK);
  ASSERT_EQ(pregrad_attribution_scores(of_tokens.get(), &snapshot), PREGRAD_OK);
  const OwnedScores at_tokens(snapshot);
  for (const pregrad::Score& score : expected.scores().entries()) {
    std::vector<double> sum(score.statistics.mean.size(), 0);
    pregrad_score seen = PREGRAD_SCORE_INIT;
    for (std::int64_t token = 0; token < 4; ++token) {
      const pregrad_status status =
          pregrad_scores_at(at_tokens.get(), score.layer.c_str(), score.cluster, PREGRAD_METHOD_GRADIENT, token, &seen);
      const bool counts = mask[static_cast<std::size_t>(score.cluster * 4 + token)] != 0;  // each is a cluster
      ASSERT_EQ(status, counts ? PREGRAD_OK : PREGRAD_ERROR_ARGUMENT);
      for (std::size_t j = 0; counts && j < sum.size(); ++j) {
        EXPECT_EQ(seen.position, token);
        sum[j] += seen.mean[j];
      }
    }
    EXPECT_THAT(sum, Pointwise(::testing::DoubleNear(1e-6), score.statistics.mean));
    EXPECT_REFUSED(
        pregrad_scores_of(at_tokens.get(), score.layer.c_str(), score.cluster, PREGRAD_METHOD_GRADIENT, &seen),
        PREGRAD_ERROR_ARGUMENT, "name one");
  }
  pregrad_attribution* refused = nullptr;
  options.positions = 2;
  EXPECT_REFUSED(pregrad_attribution_open(model.get(), &options, &refused), PREGRAD_ERROR_ARGUMENT,
                 "the positions 2 are unknown");
  options.positions = PREGRAD_POSITIONS_EACH;
  options.memory_limit = 1000;
  ASSERT_EQ(pregrad_attribution_open(model.get(), &options, &taken), PREGRAD_OK) << pregrad_last_error();
  const OwnedAttribution limited(taken);
  EXPECT_REFUSED(pregrad_attribution_add_inputs(limited.get(), inputs, 2, &labels, &labels), PREGRAD_ERROR_ARGUMENT,
                 "memory limit is 1000");

  pregrad_model_inputs* listed = nullptr;
  ASSERT_EQ(pregrad_model_inputs_of(model.get(), &listed), PREGRAD_OK);
  pregrad_model_input second = PREGRAD_MODEL_INPUT_INIT;
  ASSERT_EQ(pregrad_model_inputs_get(listed, 1, &second), PREGRAD_OK);
  EXPECT_STREQ(second.name, "attention_mask");
  EXPECT_EQ(second.dtype, PREGRAD_INT64);
  EXPECT_THAT(std::vector<std::int64_t>(second.shape, second.shape + second.rank), ElementsAre(-1, -1));
  pregrad_model_inputs_free(listed);

  pregrad_outputs* outputs = nullptr;
  ASSERT_EQ(pregrad_model_outputs(model.get(), inputs, 2, &outputs), PREGRAD_OK) << pregrad_last_error();
  std::size_t count = 0;
  ASSERT_EQ(pregrad_outputs_count(outputs, &count), PREGRAD_OK);
  ASSERT_EQ(count, 2u);
  const char* name = nullptr;
  pregrad_tensor tensor = PREGRAD_TENSOR_INIT;
  ASSERT_EQ(pregrad_outputs_get(outputs, 1, &name, &tensor), PREGRAD_OK);
  EXPECT_STREQ(name, "logits");
  EXPECT_THAT(std::vector<std::int64_t>(tensor.shape, tensor.shape + tensor.rank), ElementsAre(3, 3));
  pregrad_outputs_free(outputs);

  EXPECT_REFUSED(pregrad_attribution_add_inputs(attribution.get(), inputs, 1, &labels, nullptr), PREGRAD_ERROR_INPUT,
                 "attention_mask");
  pregrad_input unnamed = inputs[0];
  unnamed.name = nullptr;
  EXPECT_REFUSED(pregrad_attribution_add_inputs(attribution.get(), &unnamed, 1, &labels, nullptr),
                 PREGRAD_ERROR_ARGUMENT, "name of pregrad_input");
}

TEST_F(CApi, NoticesAHandleOfAnotherType) {
  pregrad_layers* layers = nullptr;
  ASSERT_EQ(pregrad_model_layers(model_.get(), &layers), PREGRAD_OK);
  const OwnedLayers owned(layers);
  pregrad_layers* out = nullptr;
  EXPECT_REFUSED(pregrad_model_layers(reinterpret_cast<const pregrad_model*>(layers), &out), PREGRAD_ERROR_STATE,
                 "pregrad_model");
  EXPECT_EQ(out, nullptr);
  pregrad_model_free(reinterpret_cast<pregrad_model*>(layers));  // noticed as well: `owned` frees it once
  std::size_t count = 0;
  EXPECT_EQ(pregrad_layers_count(layers, &count), PREGRAD_OK);
}

TEST_F(CApi, RefusesAFileThatIsNoModel) {
  std::FILE* file = std::fopen(path_.c_str(), "wb");
  ASSERT_NE(file, nullptr);
  std::fputs("not a model", file);
  std::fclose(file);
  pregrad_model* model = nullptr;
  EXPECT_REFUSED(pregrad_model_load(path_.c_str(), nullptr, &model), PREGRAD_ERROR_MODEL, path_.filename().string());
  EXPECT_EQ(model, nullptr);
}

}  // namespace
