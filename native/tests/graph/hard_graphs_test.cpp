// Graphs in which a tap is easily put in the wrong place. z is (x·w1 + shift), so that moving `shift` is the truth.

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/script.h>
#include <torch/torch.h>

#include "fixtures.hpp"
#include "pregrad/pregrad.hpp"

namespace pregrad::test::hard_graphs_test {

namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

torch::jit::Module module_of(const std::string& body) {
  torch::manual_seed(11);
  torch::jit::Module module("Hard");
  module.register_parameter("w1", torch::randn({6, 5}, torch::kDouble), false);
  module.register_parameter("w2", torch::randn({5, 3}, torch::kDouble), false);
  module.register_parameter("kernel", torch::randn({5, 6, 3}, torch::kDouble), false);
  module.register_parameter("shift", torch::randn({5}, torch::kDouble), false);
  module.register_parameter("adjacency", torch::randn({9, 9}, torch::kDouble), false);
  module.define("def forward(self, x):\n" + body);
  return module;
}

at::Tensor inputs() {
  torch::manual_seed(12);
  return torch::randn({8, 6}, torch::kDouble);
}

double total_output(const torch::jit::Module& module, const at::Tensor& x, std::int64_t neuron, double step) {
  const torch::jit::Module shifted = module.deepcopy();
  shifted.attr("shift").toTensor().detach()[neuron] += step;
  return Model::from(shifted).forward(x).select(1, 1).sum().item<double>();
}

Scores gradients(const torch::jit::Module& module, const at::Tensor& x, const std::string& layer) {
  AttributionOptions options;
  options.layers = {layer};
  options.target = Target::index(1);
  Attribution attribution = Model::from(module).attribution(options);
  attribution.add(x);
  return attribution.scores();
}

struct HardGraph {
  const char* name;
  const char* body;
};

void PrintTo(const HardGraph& graph, std::ostream* stream) { *stream << graph.name; }

class HardGraphTest : public testing::TestWithParam<HardGraph> {};

TEST_P(HardGraphTest, EveryCallHasTheTotalDerivative) {
  const torch::jit::Module module = module_of(GetParam().body);
  const at::Tensor x = inputs();
  std::vector<double> truth;
  constexpr double step = 1e-6;
  for (std::int64_t neuron = 0; neuron < 5; ++neuron) {
    truth.push_back((total_output(module, x, neuron, step) - total_output(module, x, neuron, -step)) /
                    (2 * step * static_cast<double>(x.size(0))));
  }
  const std::vector<Score> scores = gradients(module, x, "forward").entries();
  ASSERT_FALSE(scores.empty());
  for (const Score& score : scores) {
    EXPECT_LT(relative_error(score.statistics.mean, truth), 1e-6) << "call " << score.call;
  }
}

std::string graph_name(const testing::TestParamInfo<HardGraph>& graph) { return graph.param.name; }

INSTANTIATE_TEST_SUITE_P(Bodies, HardGraphTest,
                         testing::Values(HardGraph{"ReadInALoop", R"(
  z = torch.mm(x, self.w1) + self.shift
  sum = z * 0.5
  for i in range(3):
    sum = sum + torch.relu(z) * (i + 1)
  return torch.mm(sum, self.w2)
)"},
                                         HardGraph{"ReadInBranches", R"(
  z = torch.mm(x, self.w1) + self.shift
  if x.size(0) > 4:
    a = torch.relu(z)
  else:
    a = torch.tanh(z)
  return torch.mm(a + z, self.w2)
)"},
                                         HardGraph{"ReadTwiceFromADict", R"(
  d = {"z": torch.mm(x, self.w1) + self.shift}
  return torch.mm(torch.relu(d["z"]) + d["z"], self.w2)
)"},
                                         HardGraph{"ReturnedInATuple", R"(
  z = torch.mm(x, self.w1) + self.shift
  pair = (z, torch.sin(z))
  first, second = pair
  return torch.mm(torch.relu(first) * 2 + second, self.w2)
)"},
                                         HardGraph{"CopiedInto", R"(
  z = torch.mm(x, self.w1) + self.shift
  o = torch.zeros_like(z)
  o.copy_(torch.relu(z))
  return torch.mm(o + z, self.w2)
)"},
                                         HardGraph{"ChangedAfterwards", R"(
  z = torch.mm(x, self.w1) + self.shift
  a = torch.sigmoid_(z)
  a.mul_(3.0)
  return torch.mm(a + z, self.w2)
)"},
                                         HardGraph{"ReadBeforeTheActivation", R"(
  z = torch.mm(x, self.w1) + self.shift
  shortcut = torch.sin(z)
  return torch.mm(torch.tanh(z) + shortcut, self.w2)
)"},
                                         HardGraph{"OneColumnChangedInPlace", R"(
  z = torch.mm(x, self.w1) + self.shift
  a = torch.selu(z)
  a[:, 1] = a[:, 1] * 2
  return torch.mm(a, self.w2)
)"}),
                         graph_name);

struct AxisCase {
  const char* name;
  const char* body;
  std::int64_t axis;
};

void PrintTo(const AxisCase& axis, std::ostream* stream) { *stream << axis.name; }

class NeuronAxisTest : public testing::TestWithParam<AxisCase> {};

TEST_P(NeuronAxisTest, IsFoundThroughWhatKeepsIt) {
  const Model model = Model::from(module_of(GetParam().body));
  const std::vector<Layer> layers = model.layers(torch::randn({2, 6, 9}, torch::kDouble));
  ASSERT_EQ(layers.size(), 1U);
  EXPECT_EQ(layers[0].neuron_axis, GetParam().axis);
}

std::string axis_name(const testing::TestParamInfo<AxisCase>& axis) { return axis.param.name; }

INSTANTIATE_TEST_SUITE_P(Operations, NeuronAxisTest,
                         testing::Values(AxisCase{"Pooling", R"(
  return torch.relu(torch.max_pool1d(torch.conv1d(x, self.kernel), 2)).mean(2)
)",
                                                  1},
                                         AxisCase{"Concatenation", R"(
  h = torch.conv1d(x, self.kernel)
  return torch.relu(torch.cat([h, h], 1)).mean(2)
)",
                                                  1},
                                         AxisCase{"Chunk", R"(
  a, b = torch.chunk(torch.conv1d(x, self.kernel), 2, 2)
  return torch.relu(a).mean(2)
)",
                                                  1},
                                         AxisCase{"Transposition", R"(
  return torch.relu(torch.conv1d(x, self.kernel).transpose(1, 2)).mean(1)
)",
                                                  2},
                                         AxisCase{"Linear", R"(
  return torch.relu(torch.linear(x.transpose(1, 2), self.w1.t())).mean(1)
)",
                                                  2},
                                         AxisCase{"Squeezed", R"(
  h = torch.conv2d(x.unsqueeze(2), self.kernel.unsqueeze(2))
  return torch.relu(h.squeeze(2)).mean(2)
)",
                                                  1},
                                         AxisCase{"PoolingOfTwoAxes", R"(
  h = torch.conv1d(x, self.kernel)
  return torch.relu(torch.max_pool2d(h.unsqueeze(-2), [1, 2]).squeeze(-2)).mean(2)
)",
                                                  1},
                                         AxisCase{"AdaptivePoolingOfTwoAxes", R"(
  h = torch.conv1d(x, self.kernel)
  return torch.relu(torch._adaptive_avg_pool2d(h.unsqueeze(-2), [1, 3]).squeeze(-2)).mean(2)
)",
                                                  1},
                                         AxisCase{"Interpolation", R"(
  h = torch.conv1d(x, self.kernel)
  places = torch.floor(torch.arange(0, 14) * 0.5).long()
  return torch.relu(h[:, :, places]).mean(2)
)",
                                                  1},
                                         AxisCase{"Reflection", R"(
  h = torch.conv1d(x, self.kernel)
  places = 6 - torch.abs(6 - torch.abs(torch.arange(-1, 8)))
  return torch.relu(h[:, :, places]).mean(2)
)",
                                                  1},
                                         AxisCase{"Roll", R"(
  h = torch.conv1d(x, self.kernel)
  places = torch.fmod(torch.arange(0, 7) + 6, 7)
  return torch.relu(torch.index_select(h, 2, places)).mean(2)
)",
                                                  1},
                                         AxisCase{"InstanceNorm", R"(
  h = torch.conv1d(x, self.kernel)
  h = h.view([1, x.size(0) * 5, 7])
  h = torch._native_batch_norm_legit(h, None, None, True, 0.1, 1e-5)[0]
  return torch.relu(h.view([x.size(0), 5, 7])).mean(2)
)",
                                                  1},
                                         AxisCase{"ChannelShuffle", R"(
  h = torch.conv1d(x, self.kernel[:4])
  return torch.relu(h.view([x.size(0), 2, 2, 7]).transpose(1, 2).reshape([x.size(0), 4, 7])).mean(2)
)",
                                                  1},
                                         AxisCase{"Flattened", R"(
  h = torch.conv2d(x.unsqueeze(2), self.kernel.unsqueeze(2))
  return torch.relu(h.view([x.size(0), 5, 7])).mean(2)
)",
                                                  1},
                                         AxisCase{"FlattenedToItsOwnSizes", R"(
  h = torch.conv2d(x.unsqueeze(2), self.kernel.unsqueeze(2))
  return torch.relu(h.reshape([h.size(0), h.size(1), -1])).mean(2)
)",
                                                  1},
                                         AxisCase{"MeanOverAnAxis", R"(
  h = torch.conv2d(x.unsqueeze(2), self.kernel.unsqueeze(2))
  return torch.relu(h.mean(2)).mean(2)
)",
                                                  1},
                                         AxisCase{"Selection", R"(
  h = torch.conv2d(x.unsqueeze(2), self.kernel.unsqueeze(2))
  return torch.relu(h[:, :, 0]).mean(2)
)",
                                                  1},
                                         AxisCase{"ProductOfBatches", R"(
  rows = x.transpose(1, 2).expand([x.size(0), 9, 6]).view([x.size(0), 9, 6])
  columns = self.w1.expand([x.size(0), 6, 5]).view([x.size(0), 6, 5])
  h = torch.bmm(rows, columns).view([x.size(0), 9, 5]) + self.shift
  return torch.relu(h).mean(1)
)",
                                                  2},
                                         AxisCase{"ProductOfBatchesTransposed", R"(
  rows = x.transpose(1, 2).expand([x.size(0), 9, 6]).view([x.size(0), 9, 6])
  columns = self.w1.expand([x.size(0), 6, 5]).view([x.size(0), 6, 5])
  h = torch.bmm(rows, columns).view([x.size(0), 9, 5]) + self.shift
  return torch.relu(h.transpose(1, 2)).mean(2)
)",
                                                  1},
                                         AxisCase{"ProductOfBatchesScaled", R"(
  rows = x.transpose(1, 2).expand([x.size(0), 9, 6]).view([x.size(0), 9, 6])
  columns = self.w1.expand([x.size(0), 6, 5]).view([x.size(0), 6, 5])
  h = torch.bmm(rows, columns).view([x.size(0), 9, 5]) + self.shift
  return torch.relu(h.permute([0, 2, 1]) * 1.5).mean(2)
)",
                                                  1},
                                         AxisCase{"ProductOfBatchesPooled", R"(
  rows = x.transpose(1, 2).expand([x.size(0), 9, 6]).view([x.size(0), 9, 6])
  columns = self.w1.expand([x.size(0), 6, 5]).view([x.size(0), 6, 5])
  h = torch.bmm(rows, columns).view([x.size(0), 9, 5]) + self.shift
  h = torch.avg_pool2d(h.permute([0, 2, 1]).unsqueeze(-2), [1, 2]).squeeze(-2)
  return torch.relu(h).mean(2)
)",
                                                  1},
                                         AxisCase{"WeightOnTheLeft", R"(
  h = torch.conv1d(x, self.kernel)
  return torch.relu(torch.matmul(self.w2.t(), h)).mean(2)
)",
                                                  1},
                                         AxisCase{"WeightOnTheLeftOfTheInput", R"(
  return torch.relu(torch.matmul(self.w1.t(), x)).mean(2)
)",
                                                  1},
                                         AxisCase{"WeightOnTheLeftInRows", R"(
  h = torch.conv1d(x, self.kernel)
  rows = h.permute([0, 2, 1]).contiguous().view([x.size(0) * 7, 5])
  h = torch.mm(rows, self.w2).view([x.size(0), 7, 3]).permute([0, 2, 1])
  return torch.relu(h).mean(2)
)",
                                                  1},
                                         AxisCase{"AdjacencyOnTheLeft", R"(
  h = torch.linear(x.transpose(1, 2), self.w1.t())
  return torch.relu(torch.matmul(self.adjacency, h)).mean(1)
)",
                                                  2},
                                         AxisCase{"AdjacencyInRows", R"(
  h = torch.linear(x.transpose(1, 2), self.w1.t())
  rows = h.permute([0, 2, 1]).contiguous().view([x.size(0) * 5, 9])
  h = torch.mm(rows, self.adjacency.t()).view([x.size(0), 5, 9]).permute([0, 2, 1])
  return torch.relu(h).mean(1)
)",
                                                  2},
                                         AxisCase{"GateInFront", R"(
  h = torch.conv1d(x, self.kernel)
  gate = torch.linear(x.mean(2), self.w1.t()).unsqueeze(2)
  return torch.relu(gate * h).mean(2)
)",
                                                  1},
                                         AxisCase{"LaidOutAsAnImage", R"(
  h = torch.linear(x.transpose(1, 2), self.w1.t())
  return torch.relu(h.view([x.size(0), 3, 3, 5])).mean([1, 2])
)",
                                                  3},
                                         AxisCase{"VectorsLaidOutAsImages", R"(
  h = torch.mm(x.mean(2), self.w1).view([x.size(0), 5, 1, 1])
  return torch.relu(h).mean([2, 3])
)",
                                                  1}),
                         axis_name);

TEST(HardGraphs, SoftmaxOverPositionsIsNoActivationOfChannels) {
  const Model model = Model::from(module_of("  return torch.softmax(torch.conv1d(x, self.kernel), -1).mean(2)\n"));
  EXPECT_TRUE(model.layers(torch::randn({2, 6, 9}, torch::kDouble)).empty());
}

void expect_refused(const std::string& body, const at::Tensor& x, const char* reason) {
  const torch::jit::Module module = module_of(body);
  EXPECT_THAT([&] { gradients(module, x, "forward"); }, ThrowsMessage<UnsupportedModelError>(HasSubstr(reason)));
}

class HandedOnTest : public testing::TestWithParam<HardGraph> {};

TEST_P(HandedOnTest, WhatIsReadUnderAnEarlierNameIsNotLeftOut) {
  const torch::jit::Module module = module_of(GetParam().body);
  EXPECT_THAT([&] { gradients(module, inputs(), "forward"); },
              ThrowsMessage<LayerError>(HasSubstr("is read before it too, which its gradient would miss")));
  // Values are those of the tensor, whoever reads it.
  AttributionOptions options;
  options.layers = {"forward"};
  options.methods = {Method::preactivation};
  options.target = Target::index(1);
  Attribution attribution = Model::from(module).attribution(options);
  EXPECT_NO_THROW(attribution.add(inputs()));
}

INSTANTIATE_TEST_SUITE_P(Bodies, HandedOnTest,
                         testing::Values(HardGraph{"ReadBeforeALoop", R"(
  z = torch.mm(x, self.w1) + self.shift
  sum = z * 0.5
  for i in range(3):
    z = torch.relu(z)
  return torch.mm(sum + z, self.w2)
)"},
                                         HardGraph{"ReadInTheRoundBefore", R"(
  z = torch.mm(x, self.w1) + self.shift
  sum = torch.zeros_like(x[:, :5])
  for i in range(3):
    z = torch.relu(z) * 2.0
    sum = sum + z
  return torch.mm(sum, self.w2)
)"},
                                         HardGraph{"ReadBeforeABranchHandsItOn", R"(
  y = torch.mm(x, self.w1) + self.shift
  sum = y * 0.5
  if x.size(0) > 4:
    z = y
  else:
    z = y * 2.0
  return torch.mm(torch.relu(z) + sum, self.w2)
)"}),
                         graph_name);

TEST(HardGraphs, ALoopMayHandZOnThatNobodyElseReads) {
  const torch::jit::Module module = module_of(R"(
  z = torch.mm(x, self.w1) + self.shift
  for i in range(x.size(0) - 6):
    z = torch.tanh(z).view(z.size()) * 2.0 + float(z.size(1))
  return torch.mm(z, self.w2)
)");
  const at::Tensor x = inputs();
  const std::vector<Score> scores = gradients(module, x, "forward").entries();
  ASSERT_EQ(scores.size(), 2U);
  constexpr double step = 1e-6;
  for (std::int64_t neuron = 0; neuron < 5; ++neuron) {
    const double truth = (total_output(module, x, neuron, step) - total_output(module, x, neuron, -step)) /
                         (2 * step * static_cast<double>(x.size(0)));
    EXPECT_NEAR(scores[0].statistics.mean.at(static_cast<std::size_t>(neuron)), truth, 1e-6);
  }
}

TEST(HardGraphs, ModelsThatRememberBatchesAreRefused) {
  const auto with_attribute = [](const std::string& body) {
    torch::jit::Module module = module_of("  return x\n");
    module.register_attribute("seen", c10::ListType::ofFloats(), c10::List<double>({1.0}));
    module.register_attribute("counts", c10::DictType::create(c10::StringType::get(), c10::IntType::get()), [] {
      c10::Dict<std::string, std::int64_t> counts;
      counts.insert("n", 1);
      return c10::IValue(counts);
    }());
    module.define("def run(self, x):\n" + body);
    torch::jit::Module other("Other");
    other.register_module("inner", module);
    other.define("def forward(self, x):\n  return self.inner.run(x)\n");
    return other;
  };
  const auto refuses = [&](const std::string& body, const char* name) {
    EXPECT_THAT([&] { Model::from(with_attribute(body)); },
                ThrowsMessage<UnsupportedModelError>(HasSubstr(std::string("changes its attribute 'inner.") + name)));
  };
  refuses("  self.seen.append(1.0)\n  return torch.mm(torch.relu(torch.mm(x, self.w1)), self.w2) * len(self.seen)\n",
          "seen");
  refuses("  self.counts['n'] += 1\n  return torch.mm(torch.relu(torch.mm(x, self.w1)), self.w2) * self.counts['n']\n",
          "counts");
  EXPECT_NO_THROW(Model::from(with_attribute(
      "  return torch.mm(torch.relu(torch.mm(x, self.w1)), self.w2) * self.counts['n'] * len(self.seen)\n")));
}

TEST(HardGraphs, AModelThatSetsASeedIsRefused) {
  EXPECT_THAT(
      [] {
        Model::from(
            module_of("  torch.manual_seed(3)\n"
                      "  return torch.mm(torch.relu(torch.mm(x, self.w1)) * torch.rand([5]), self.w2)\n"));
      },
      ThrowsMessage<UnsupportedModelError>(HasSubstr("sets the seed of random numbers")));
}

TEST(HardGraphs, InteractingSamplesAreRefusedWhateverTheFirstBatch) {
  const char* reason = "changes with the other samples";
  for (const at::Tensor& x : {inputs(), inputs().slice(0, 0, 1), torch::zeros({8, 6}, torch::kDouble)}) {
    expect_refused("  return torch.mm(torch.relu(torch.mm(x - x.mean(0), self.w1)), self.w2)\n", x, reason);
    expect_refused("  return torch.mm(torch.relu(torch.mm(x / (x.abs().max() + 1), self.w1) + 1), self.w2)\n", x + 0.1,
                   reason);
  }
}

TEST(HardGraphs, RandomModelsAreCalledRandom) {
  expect_refused("  return torch.mm(torch.relu(torch.mm(x, self.w1) + torch.rand([5])), self.w2)\n", inputs(),
                 "two runs on the same inputs");
}

TEST(HardGraphs, ABatchOnAnotherAxisIsFoundThoughItsSizeFitsTheFirst) {
  // Eight samples, position first after the transposition: z is [positions, samples, neurons].
  const at::Tensor x = inputs();
  const Scores turned = gradients(module_of(R"(
  sequence = x.unsqueeze(1).expand(-1, 8, -1).transpose(0, 1)
  return torch.matmul(torch.relu(torch.matmul(sequence, self.w1)), self.w2).mean(0)
)"),
                                  x, "forward");
  const Scores plain = gradients(module_of(R"(
  sequence = x.unsqueeze(1).expand(-1, 8, -1)
  return torch.matmul(torch.relu(torch.matmul(sequence, self.w1)), self.w2).mean(1)
)"),
                                 x, "forward");
  ASSERT_EQ(turned.entries().size(), plain.entries().size());
  for (std::size_t i = 0; i < plain.entries().size(); ++i) {
    EXPECT_LT(relative_error(turned.entries()[i].statistics.mean, plain.entries()[i].statistics.mean), 1e-12);
  }
}

TEST(HardGraphs, OutputsThatHaveNoGradientAreRefused) {
  expect_refused("  return torch.relu(torch.mm(x, self.w1)).sum()\n", inputs(), "must be [samples, outputs]");
  const torch::jit::Module one = module_of("  return torch.relu(torch.mm(x, self.w1)).sum(1)\n");
  AttributionOptions options;
  options.layers = {"forward"};
  options.target = Target::index(1);
  EXPECT_THAT([&] { Model::from(one).attribution(options).add(inputs()); },
              ThrowsMessage<ArgumentError>(HasSubstr("choose 0 to 0")));
  const torch::jit::Module infinite = module_of("  return torch.mm(torch.relu(torch.mm(x, self.w1)), self.w2) / 0.0\n");
  EXPECT_THAT([&] { gradients(infinite, inputs(), "forward"); },
              ThrowsMessage<InputError>(HasSubstr("NaN or infinite")));
}

TEST(HardGraphs, IntegersThatChooseRowsAreNoLayer) {
  const torch::jit::Module module = module_of(
      "  p = torch.clamp(torch.argsort(x, 1) + 1, 0, 4)\n"
      "  h = torch.relu(torch.matmul(x, self.w1) + self.shift)\n"
      "  return torch.matmul(h, self.w2) + torch.embedding(self.w2, p).sum(1)\n");
  const Model model = Model::from(module);
  ASSERT_EQ(model.layers().size(), 1);
  EXPECT_EQ(model.layers().front().op, "relu");
  EXPECT_EQ(gradients(module, inputs(), "all").entries().size(), 1);
}

}  // namespace

}  // namespace pregrad::test::hard_graphs_test
