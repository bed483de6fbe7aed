#include <memory>

#include <ATen/Functions.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>
#include <torch/script.h>

#include "fixtures.hpp"
#include "methods/layer_rerun.hpp"
#include "operator_counts.hpp"
#include "pregrad/pregrad.hpp"
#include "readers/model_loader.hpp"
#include "resnet.hpp"
#include "rounding.hpp"

namespace pregrad::test::rerun_test {

namespace {

using methods::LayerRerun;

std::string fixture_name(const testing::TestParamInfo<Fixture>& fixture) { return test_name(fixture.param); }

std::shared_ptr<const Model::Implementation> load(const std::filesystem::path& file) {
  return std::make_shared<const Model::Implementation>(readers::load_model(file, at::kCPU));
}

std::shared_ptr<const model::OutputReading> as_it_is(const std::shared_ptr<const Model::Implementation>& model) {
  return std::make_shared<const model::OutputReading>(model.get(), Target::predicted(), Reading());
}

model::Batch batch_of(const at::Tensor& inputs) {
  model::Batch batch;
  batch.inputs = inputs;
  return batch;
}

const LayerRerun::Change leave = [](const at::Tensor&, std::int64_t) { return at::Tensor(); };
/// The same numbers in the same layout, so that the same kernels read them.
const LayerRerun::Change put_back = [](const at::Tensor& value, std::int64_t) {
  return at::empty_strided(value.sizes(), value.strides(), value.options()).copy_(value);
};
const LayerRerun::Change clear = [](const at::Tensor& value, std::int64_t) { return at::zeros_like(value); };

/// Of other batch sizes: the fixtures' generator holds their outputs to it too.
constexpr double outputs_tolerance = promised_of_golden_values;

class RerunTest : public testing::TestWithParam<Fixture> {};

TEST_P(RerunTest, LeavesTheModelAsItIsButForTheChange) {
  const at::NoGradGuard no_gradients;
  const Data data = first_of(read_data(GetParam().data), 6);
  const auto model = load(GetParam().file);
  const at::Tensor expected = model->forward(data.x);
  for (const Layer& layer : model->layers(data.x)) {
    for (const auto stage : {graph::Stage::activation, graph::Stage::pre_activation}) {
      SCOPED_TRACE(testing::Message() << layer.name << "@" << layer.call
                                      << (stage == graph::Stage::activation ? " a" : " z"));
      const LayerRerun rerun(model, as_it_is(model), layer.name, layer.call, stage, false);
      const LayerRerun::Start start = rerun.start(batch_of(data.x));
      std::int64_t changes = 0;
      const at::Tensor intact = rerun.run(start, leave).outputs.values.view_as(expected);
      EXPECT_TRUE(are_close(intact, expected, outputs_tolerance));
      const at::Tensor same = rerun.run(start, put_back).outputs.values.view_as(expected);
      EXPECT_TRUE(at::equal(same, intact));
      rerun.run(start, [&](const at::Tensor& value, std::int64_t axis) {
        ++changes;
        EXPECT_EQ(value.sizes().vec(), layer.shape);
        EXPECT_EQ(value.dim() == 1 ? 0 : axis, layer.neuron_axis < 0 ? 0 : layer.neuron_axis);
        return clear(value, axis);
      });
      EXPECT_EQ(changes, 1);
      // Whatever a run has written into, the next one starts from what the first one did.
      EXPECT_TRUE(at::equal(rerun.run(start, leave).outputs.values.view_as(expected), intact));
      const LayerRerun::Start three = rerun.start(batch_of(data.x), 3);
      const at::Tensor copies = rerun.run(three, leave).outputs.values;
      EXPECT_TRUE(are_close(copies.slice(0, 2 * data.x.size(0)).view_as(expected), expected, outputs_tolerance));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Fixtures, RerunTest, testing::ValuesIn(attributable_fixtures()), fixture_name);

/// A model of a few lines, and what removing its activation `forward@0` must give.
struct HardGraph {
  const char* name;
  const char* body;
  bool is_split;
};

std::string hard_graph_name(const testing::TestParamInfo<HardGraph>& graph) { return graph.param.name; }

class HardRerunTest : public testing::TestWithParam<HardGraph> {};

TEST_P(HardRerunTest, ARemovedActivationIsGoneForEverybody) {
  torch::jit::Module module(GetParam().name);
  module.register_parameter("weight", at::linspace(-1, 1, 16).reshape({4, 4}), false);
  module.define(std::string("def forward(self, x, cleared: bool = False):\n") + GetParam().body);
  const at::Tensor x = at::linspace(-2, 1, 12).reshape({3, 4});
  const auto model = std::make_shared<const Model::Implementation>(
      graph::ModelGraph(readers::read_module(module, at::kCPU), at::kCPU));
  const at::Tensor expected = module.forward({x, true}).toTensor();
  ASSERT_FALSE(are_close(module.forward({x}).toTensor(), expected, 0.01)) << "removing must change something";

  const double tolerance = apart(at::kFloat, {4, 4, 4});
  const LayerRerun rerun(model, as_it_is(model), "forward", 0, graph::Stage::activation, false);
  const LayerRerun::Start start = rerun.start(batch_of(x));
  for (int run = 0; run < 3; ++run) {
    const at::Tensor seen = rerun.run(start, clear).outputs.values;
    EXPECT_TRUE(are_close(seen, expected, tolerance)) << seen << expected;
  }
  const LayerRerun::Result intact = rerun.run(start, leave);
  EXPECT_TRUE(are_close(intact.outputs.values, module.forward({x}).toTensor(), tolerance));
}

INSTANTIATE_TEST_SUITE_P(Bodies, HardRerunTest,
                         testing::Values(HardGraph{"residual", R"(
    z = torch.matmul(x, self.weight)
    a = torch.relu(z)
    if cleared:
        a = a * 0
    return torch.tanh(torch.matmul(a, self.weight)) + z
)",
                                                   true},
                                         HardGraph{"in_place_under_its_old_name", R"(
    z = torch.matmul(x, self.weight)
    torch.relu_(z)
    if cleared:
        z.zero_()
    return torch.tanh(torch.matmul(z, self.weight)) + z
)",
                                                   true},
                                         HardGraph{"written_into_later", R"(
    z = torch.matmul(x, self.weight)
    a = torch.tanh(z)
    if cleared:
        a.zero_()
    a += x
    a[:, 1:3] *= 2
    return torch.matmul(a, self.weight)
)",
                                                   true},
                                         HardGraph{"view_that_shares", R"(
    z = torch.matmul(x, self.weight)
    base = z.clone()
    part = base[:, :]
    part.relu_()
    if cleared:
        part.zero_()
    part += 1
    return torch.matmul(base, self.weight) + part
)",
                                                   false},
                                         HardGraph{"list_that_grows", R"(
    kept = [x]
    z = torch.matmul(x, self.weight)
    a = torch.tanh(z)
    if cleared:
        a = a * 0
    kept.append(a)
    kept.append(torch.matmul(a, self.weight))
    return torch.cat(kept, 1)
)",
                                                   false},
                                         HardGraph{"loop", R"(
    y = x
    for i in range(3):
        a = torch.tanh(torch.matmul(y, self.weight))
        if cleared and i == 0:
            a = a * 0
        y = y + a * (i + 1)
    return y
)",
                                                   false}),
                         hard_graph_name);

TEST(FixedBatchTest, EveryMethodRunsWhereTheModelNamesTheSizeOfItsBatch) {
  torch::jit::Module module("fixed");
  module.register_parameter("weight", at::linspace(-1, 1, 16).reshape({4, 4}), false);
  module.define(R"(
    def forward(self, x):
        a = torch.tanh(torch.matmul(x.view(3, 4), self.weight))
        return torch.matmul(a.view(3, 4), self.weight)
  )");
  const Model model = Model::from(module);
  const at::Tensor x = at::linspace(-2, 1, 12).reshape({3, 4});
  const at::Tensor y = at::arange(3);
  AttributionOptions options;
  options.layers = {"forward"};
  options.methods = unconditional_methods;
  Attribution attribution = model.attribution(options);
  attribution.add(x, y);
  const Scores scores = attribution.scores();
  // Only a linear layer follows: the effect of a removal is exactly the gradient's times the activation.
  const Statistics& effect = scores.of("forward", 0, Method::ablation);
  const Statistics& product = scores.of("forward", 0, Method::gradient_x_activation);
  EXPECT_TRUE(are_close(at::tensor(effect.mean), at::tensor(product.mean), apart(at::kFloat, {4, 4, 4})));
  EXPECT_LT(scores.entries().at(static_cast<std::size_t>(Method::conductance)).completeness_error, 1e-3);
  AblationOptions ablation_options;
  ablation_options.orders = random_orders("forward", 0, 0, 4, 2, 0);
  Ablation ablation = model.ablation(ablation_options);
  ablation.add(x, y);
  EXPECT_EQ(ablation.curves().at(0).count, 3);
  CheckOptions check_options;
  check_options.layers = {"forward"};
  Check check = model.check(check_options);
  check.add(x, y);
  EXPECT_TRUE(check.results().at(0).passed);
}

TEST(RerunCostTest, ALateLayerOfResNet18CostsAThirdOfTheModelAtMost) {
  const Model model = Model::from(make_resnet18());
  constexpr std::int64_t samples = 4;
  const at::Tensor x = at::randn({samples, 3, 64, 64});
  const at::Tensor y = at::zeros({samples}, at::kLong);
  const std::int64_t whole = multiply_adds_of([&] { model.forward(x); });
  ASSERT_GT(whole, 0);
  for (const auto& [layer, call] : {std::pair("block7.relu", 0), std::pair("block8.relu", 1)}) {
    SCOPED_TRACE(testing::Message() << layer << "@" << call);
    const auto work_of = [&, &layer = layer, &call = call](std::int64_t orders) {
      AblationOptions options;
      options.orders = random_orders(layer, call, 0, 512, orders, 1);
      Ablation ablation = model.ablation(options);
      ablation.add(x.slice(0, 0, 2), y.slice(0, 0, 2));  // the first batch looks for samples that interact
      return multiply_adds_of([&] { ablation.add(x, y); });
    };
    // What is in front of the layer runs once, for as many copies as one run removes neurons in: not for each point.
    constexpr int points = 129;
    const std::int64_t all_points = work_of(2) - work_of(1);
    EXPECT_GT(all_points, 0);
    EXPECT_LT(all_points, points * whole / 3);
  }
}

}  // namespace

}  // namespace pregrad::test::rerun_test
