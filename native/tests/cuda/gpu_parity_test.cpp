// The GPU's scores, curves and outputs against the processor's, and against its own of a second run.

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "fixtures.hpp"
#include "gpu.hpp"
#include "pregrad/pregrad.hpp"
#include "resnet.hpp"

namespace pregrad::test::gpu_parity_test {

namespace {

constexpr double tolerance = 1e-4;
constexpr std::int64_t samples = 24;

class GpuParity : public OnGpu<testing::TestWithParam<Fixture>> {
 protected:
  void SetUp() override {
    OnGpu::SetUp();
    if (!IsSkipped()) {
      data_ = first_of(read_data(GetParam().data), samples);
    }
  }

  Model model(c10::Device device) const { return Model::load(GetParam().file, device); }

  AttributionOptions options(const Model& model, std::vector<Method> methods) const {
    AttributionOptions options;
    for (const Layer& layer : model.layers(data_.x)) {
      options.layers.push_back(layer.name + "@" + std::to_string(layer.call));
    }
    options.methods = std::move(methods);
    options.steps = 4;
    return options;
  }

  /// Without the path methods where the inputs are integers, whose path goes between the vectors of an embedding.
  std::vector<Method> methods() const {
    std::vector<Method> methods = unconditional_methods;
    if (!at::isFloatingType(data_.x.scalar_type())) {
      std::erase(methods, Method::conductance);
      std::erase(methods, Method::internal_influence);
    }
    return methods;
  }

  Attribution scored(const Model& model, const AttributionOptions& options) const {
    Attribution attribution = model.attribution(options);
    attribution.add(data_.x, data_.y, data_.cluster);
    return attribution;
  }

  Data data_;
};

double norm(const std::vector<double>& values) {
  double squares = 0;
  for (const double value : values) {
    squares += value * value;
  }
  return std::sqrt(squares);
}

/// Means and deviations may be what larger numbers of the samples leave: errors count against the root mean square.
void expect_close(const std::vector<double>& seen, const std::vector<double>& expected, double scale) {
  ASSERT_EQ(seen.size(), expected.size());
  std::vector<double> difference(seen.size());
  std::transform(seen.begin(), seen.end(), expected.begin(), difference.begin(), std::minus<>());
  EXPECT_LE(norm(difference), tolerance * scale);
}

TEST_P(GpuParity, ScoresOfAllMethodsAreThoseOfTheProcessor) {
  const Model on_processor = model(c10::kCPU);
  const AttributionOptions wanted = options(on_processor, methods());
  if (wanted.layers.empty()) {
    EXPECT_TRUE(model(gpu).layers(data_.x).empty());
    return;
  }
  const std::vector<Score> expected = scored(on_processor, wanted).scores().entries();
  const std::vector<Score> seen = scored(model(gpu), wanted).scores().entries();
  ASSERT_EQ(seen.size(), expected.size());
  for (std::size_t i = 0; i < seen.size(); ++i) {
    SCOPED_TRACE(testing::Message() << name_of(expected[i].method) << " of " << expected[i].layer << "@"
                                    << expected[i].call << " in cluster " << expected[i].cluster);
    ASSERT_EQ(seen[i].layer, expected[i].layer);
    ASSERT_EQ(seen[i].cluster, expected[i].cluster);
    ASSERT_EQ(seen[i].method, expected[i].method);
    const Statistics& truth = expected[i].statistics;
    EXPECT_EQ(seen[i].statistics.count, truth.count);
    const double scale = norm(truth.rms);
    expect_close(seen[i].statistics.mean, truth.mean, scale);
    expect_close(seen[i].statistics.mean_abs, truth.mean_abs, scale);
    expect_close(seen[i].statistics.rms, truth.rms, scale);
    expect_close(seen[i].statistics.std, truth.std, scale);
  }
}

TEST_P(GpuParity, ASecondRunGivesTheSameBits) {
  const Model on_gpu = model(gpu);
  const AttributionOptions wanted = options(on_gpu, methods());
  if (!wanted.layers.empty()) {
    EXPECT_EQ(scored(on_gpu, wanted).save(), scored(on_gpu, wanted).save());
  }
}

TEST_P(GpuParity, OutputsAndLayersAreThoseOfTheProcessor) {
  const Model on_processor = model(c10::kCPU);
  const Model on_gpu = model(gpu);
  EXPECT_EQ(on_gpu.device(), gpu);
  const at::Tensor expected = on_processor.forward(data_.x).to(at::kDouble);
  const at::Tensor seen = on_gpu.forward(data_.x);
  EXPECT_EQ(seen.device(), gpu);
  EXPECT_LE((seen.to(at::kCPU, at::kDouble) - expected).norm().item<double>(),
            tolerance * expected.norm().item<double>());
  const std::vector<Layer> layers = on_processor.layers(data_.x);
  const std::vector<Layer> same = on_gpu.layers(data_.x);
  ASSERT_EQ(same.size(), layers.size());
  for (std::size_t i = 0; i < layers.size(); ++i) {
    EXPECT_EQ(same[i].name, layers[i].name);
    EXPECT_EQ(same[i].call, layers[i].call);
    EXPECT_EQ(same[i].shape, layers[i].shape);
    EXPECT_EQ(same[i].neuron_axis, layers[i].neuron_axis);
  }
}

TEST_P(GpuParity, InputsMayLieOnTheGpu) {
  const Model on_gpu = model(gpu);
  const AttributionOptions wanted = options(on_gpu, {Method::gradient, Method::activation});
  if (wanted.layers.empty()) {
    return;
  }
  Attribution attribution = on_gpu.attribution(wanted);
  attribution.add(data_.x.to(gpu), data_.y.to(gpu), data_.cluster.to(gpu));
  EXPECT_EQ(attribution.save(), scored(on_gpu, wanted).save());
}

std::string fixture_name(const testing::TestParamInfo<Fixture>& fixture) { return test_name(fixture.param); }

INSTANTIATE_TEST_SUITE_P(Fixtures, GpuParity, testing::ValuesIn(attributable_fixtures()), fixture_name);

class GpuCurves : public GpuParity {};

TEST_P(GpuCurves, AreThoseOfTheProcessor) {
  const Model on_processor = model(c10::kCPU);
  const Scores scores = scored(on_processor, options(on_processor, {Method::gradient, Method::activation})).scores();
  for (const Removal removal : {Removal::zero, Removal::zero_preactivation, Removal::mean}) {
    SCOPED_TRACE(name_of(removal));
    AblationOptions wanted;
    wanted.orders = removal_orders(scores, {Aggregate::mean_abs});
    wanted.removal = removal;
    wanted.means = mean_activations(scores);
    const auto curves_on = [&](c10::Device device) {
      Ablation ablation = model(device).ablation(wanted);
      ablation.add(data_.x, data_.y, data_.cluster);
      return ablation;
    };
    const Ablation on_gpu = curves_on(gpu);
    const std::vector<RemovalCurve> expected = curves_on(c10::kCPU).curves();
    const std::vector<RemovalCurve> seen = on_gpu.curves();
    ASSERT_EQ(seen.size(), expected.size());
    for (std::size_t i = 0; i < seen.size(); ++i) {
      ASSERT_EQ(seen[i].count, expected[i].count);
      EXPECT_EQ(seen[i].removed, expected[i].removed);
      expect_close(seen[i].mean_output, expected[i].mean_output, norm(expected[i].mean_output));
      expect_close(seen[i].cross_entropy, expected[i].cross_entropy, norm(expected[i].cross_entropy));
      // Two outputs that rounding parts may change places.
      for (std::size_t point = 0; point < seen[i].accuracy.size(); ++point) {
        if (!std::isnan(expected[i].accuracy[point])) {
          EXPECT_NEAR(seen[i].accuracy[point], expected[i].accuracy[point],
                      1.0 / static_cast<double>(seen[i].count) + 1e-9);
        }
      }
    }
    EXPECT_EQ(on_gpu.save(), curves_on(gpu).save()) << "a second run gives other bits";
  }
}

INSTANTIATE_TEST_SUITE_P(Fixtures, GpuCurves, testing::ValuesIn(fixtures_with("curves")), fixture_name);

class GpuResNet : public OnGpu<testing::Test> {};

TEST_F(GpuResNet, ABatchOfManyPositionsMeetsTheProcessor) {
  torch::manual_seed(3);
  const at::Tensor x = torch::randn({16, 3, 64, 64});
  const at::Tensor y = torch::randint(1000, {16}, torch::kLong);
  const torch::jit::Module module = make_resnet18();
  const auto scores_on = [&](c10::Device device) {
    AttributionOptions options;
    options.layers = {"block3.relu@0"};
    options.methods = plain_methods;
    Attribution attribution = Model::from(module, device).attribution(options);
    attribution.add(x, y);
    return attribution.scores().entries();
  };
  const std::vector<Score> expected = scores_on(c10::kCPU);
  const std::vector<Score> seen = scores_on(gpu);
  ASSERT_EQ(seen.size(), expected.size());
  for (std::size_t i = 0; i < seen.size(); ++i) {
    expect_close(seen[i].statistics.mean, expected[i].statistics.mean, norm(expected[i].statistics.rms));
    expect_close(seen[i].statistics.std, expected[i].statistics.std, norm(expected[i].statistics.rms));
  }
}

}  // namespace

}  // namespace pregrad::test::gpu_parity_test
