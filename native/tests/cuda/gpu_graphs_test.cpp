// Batches that a CUDA graph replays against the same batches without one; recorded_plans_test.cpp has what can be shown
// without a GPU.

#include <iostream>
#include <thread>
#include <vector>

#include <ATen/Functions.h>
#include <gtest/gtest.h>

#include "equal_scores.hpp"
#include "fixtures.hpp"
#include "gpu.hpp"
#include "pregrad/pregrad.hpp"

namespace pregrad::test::gpu_graphs_test {

namespace {

constexpr double tolerance = 1e-5;
constexpr std::int64_t samples = 12;
constexpr std::int64_t batches = 6;
constexpr std::int64_t replayed = batches - 2;

const std::vector<Method>& methods() {
  static const std::vector<Method> some = [] {
    std::vector<Method> methods = plain_methods;
    methods.push_back(Method::gradient_x_centred_activation);
    methods.push_back(Method::activation_rate);
    return methods;
  }();
  return some;
}

Data batch_of(const Data& data, std::int64_t size) {
  const at::Tensor order = at::randperm(data.x.size(0)).slice(0, 0, size);
  at::Tensor clusters = at::randint(3, {size}, at::kLong);
  clusters.slice(0, 0, 3).copy_(at::arange(std::min<std::int64_t>(size, 3)));
  return {data.x.index_select(0, order), data.y.index_select(0, order), clusters};
}

class GpuGraphs : public OnGpu<testing::TestWithParam<Fixture>> {
 protected:
  Attribution attribution(const Model& model, const Data& data, bool cuda_graphs) const {
    AttributionOptions options;
    for (const Layer& layer : model.layers(data.x.slice(0, 0, samples))) {
      options.layers.push_back(layer.name + "@" + std::to_string(layer.call));
    }
    options.methods = methods();
    options.cuda_graphs = cuda_graphs;
    return model.attribution(options);
  }
};

TEST_P(GpuGraphs, GiveTheScoresOfTheSameBatchesWithoutThem) {
  at::manual_seed(21);
  const Model model = Model::load(GetParam().file, gpu);
  const Data data = read_data(GetParam().data);
  if (model.layers(data.x.slice(0, 0, samples)).empty()) {
    return;
  }
  Attribution seen = attribution(model, data, true);
  Attribution again = attribution(model, data, true);
  Attribution expected = attribution(model, data, false);
  const auto add = [&](const Data& batch) {
    for (Attribution* each : {&seen, &again, &expected}) {
      each->add(batch.x, batch.y, batch.cluster);
    }
  };
  for (std::int64_t i = 0; i < batches; ++i) {
    add(batch_of(data, std::min(samples, data.x.size(0))));
  }
  add(batch_of(data, std::min(samples, data.x.size(0)) - 1));
  expect_equal_scores(seen.scores(), expected.scores(), tolerance);
  EXPECT_EQ(again.save(), seen.save()) << "a second run gives other bits";
  EXPECT_EQ(expected.batches_replayed(), 0);
  if (!seen.graph_refusal().empty()) {
    std::cout << "runs without a CUDA graph: " << seen.graph_refusal() << '\n';
  } else if (gpu.is_cuda()) {
    EXPECT_EQ(seen.batches_replayed(), replayed);
  }
}

std::string fixture_name(const testing::TestParamInfo<Fixture>& fixture) { return test_name(fixture.param); }

INSTANTIATE_TEST_SUITE_P(Fixtures, GpuGraphs, testing::ValuesIn(attributable_fixtures()), fixture_name);

class GpuGraphsOfOneModel : public OnGpu<testing::Test> {
 protected:
  Attribution attribution(const Model& model, bool cuda_graphs = true) const {
    AttributionOptions options;
    options.layers = {"act1", "act2"};
    options.methods = methods();
    options.cuda_graphs = cuda_graphs;
    return model.attribution(options);
  }

  Data data_ = read_data(fixture_path("digits.npz"));
};

TEST_F(GpuGraphsOfOneModel, AreThere) {
  const Model model = Model::load(fixture_path("digits-mlp.scripted.pt"), gpu);
  Attribution seen = attribution(model);
  for (std::int64_t i = 0; i < batches; ++i) {
    const Data batch = batch_of(data_, samples);
    seen.add(batch.x, batch.y, batch.cluster);
  }
  EXPECT_EQ(seen.graph_refusal(), "");
  EXPECT_EQ(seen.batches_replayed(), gpu.is_cuda() ? replayed : 0);
}

TEST_F(GpuGraphsOfOneModel, TakeInputsThatLieOnTheGpu) {
  const Model model = Model::load(fixture_path("digits-mlp.scripted.pt"), gpu);
  Attribution seen = attribution(model);
  Attribution expected = attribution(model, false);
  for (std::int64_t i = 0; i < batches; ++i) {
    const Data batch = batch_of(data_, samples);
    seen.add(batch.x.to(gpu), batch.y.to(gpu), batch.cluster.to(gpu));
    expected.add(batch.x.to(gpu), batch.y.to(gpu), batch.cluster.to(gpu));
  }
  expect_equal_scores(seen.scores(), expected.scores(), tolerance);
}

TEST_F(GpuGraphsOfOneModel, MayBeUsedByManyThreadsAndModelsAtOnce) {
  constexpr int threads = 6;
  constexpr int rounds = 30;
  std::vector<Data> all;
  for (int i = 0; i < threads * rounds; ++i) {
    all.push_back(batch_of(data_, samples));
  }
  const Model model = Model::load(fixture_path("digits-mlp.scripted.pt"), gpu);
  Attribution first = attribution(model);
  Attribution second = attribution(model);
  Attribution expected = attribution(model, false);
  std::vector<std::thread> at_once;
  for (int thread = 0; thread < threads; ++thread) {
    at_once.emplace_back([&, thread] {
      for (int i = 0; i < rounds; ++i) {
        const Data& batch = all[static_cast<std::size_t>(thread * rounds + i)];
        first.add(batch.x, batch.y, batch.cluster);
        second.add(batch.x, batch.y, batch.cluster);
      }
    });
  }
  for (std::thread& thread : at_once) {
    thread.join();
  }
  for (const Data& batch : all) {
    expected.add(batch.x, batch.y, batch.cluster);
  }
  EXPECT_EQ(first.graph_refusal(), "");
  EXPECT_EQ(second.graph_refusal(), "");
  expect_equal_scores(first.scores(), expected.scores(), tolerance);
  expect_equal_scores(second.scores(), expected.scores(), tolerance);
}

TEST_F(GpuGraphsOfOneModel, WhatCannotBeRecordedLeavesTheDeviceAsItWas) {
  // A branch on a number of the batch makes the host wait for the device, which ends a recording.
  torch::jit::Module module("Looking");
  at::manual_seed(5);
  module.register_parameter("w1", at::randn({7, 6}), false);
  module.register_parameter("w2", at::randn({3, 7}), false);
  module.define(R"(
def forward(self, x):
    z = torch.linear(x, self.w1)
    if bool((x > 1000).any()):
        z = z * 0
    return torch.linear(torch.relu(z), self.w2)
)");
  AttributionOptions options;
  options.layers = {"forward"};
  Attribution seen = Model::from(module, gpu).attribution(options);
  Attribution expected = Model::from(module).attribution(options);
  for (std::int64_t i = 0; i < batches; ++i) {
    const at::Tensor x = at::randn({samples, 6});
    const at::Tensor y = at::randint(3, {samples}, at::kLong);
    seen.add(x, y);
    expected.add(x, y);
  }
  expect_equal_scores(seen.scores(), expected.scores(), 1e-4);
  EXPECT_EQ(seen.batches_replayed(), 0);
  EXPECT_EQ(seen.graph_refusal().empty(), !gpu.is_cuda());
  // Other models are recorded afterwards.
  Attribution other = attribution(Model::load(fixture_path("digits-mlp.scripted.pt"), gpu));
  for (std::int64_t i = 0; i < batches; ++i) {
    const Data batch = batch_of(data_, samples);
    other.add(batch.x, batch.y, batch.cluster);
  }
  EXPECT_EQ(other.graph_refusal(), "");
}

}  // namespace

}  // namespace pregrad::test::gpu_graphs_test
