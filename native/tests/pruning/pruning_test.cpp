#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <ATen/Functions.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/api/module.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include "fixtures.hpp"
#include "npz.hpp"
#include "pregrad/pregrad.hpp"

namespace pregrad::test::pruning_test {

namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::ThrowsMessage;
using Weights = std::map<std::string, at::Tensor>;

/// A model in the text of its forward. `{k}` stands where the activation of call k can be multiplied with a mask.
struct Family {
  std::string code;
  Weights weights;
  at::Tensor input;
};

at::Tensor drawn(std::vector<std::int64_t> shape) {
  static at::Generator generator = at::detail::createCPUGenerator(1234);
  return at::randn(shape, generator) * 0.5;
}

torch::jit::Module module_of(const std::string& code, const Weights& weights) {
  torch::jit::Module module("family");
  for (const auto& [name, tensor] : weights) {
    module.register_buffer(name, tensor);
  }
  module.define(code);
  module.eval();
  return module;
}

std::string with(std::string code, const std::string& mark, const std::string& text) {
  for (std::size_t at = code.find(mark); at != std::string::npos; at = code.find(mark)) {
    code.replace(at, mark.size(), text);
  }
  return code;
}

using Neurons = std::vector<PrunedNeurons>;

PrunedNeurons of_call(std::int64_t call, std::vector<std::int64_t> neurons) {
  return {"forward", call, std::move(neurons), 0};
}

std::string plain(std::string code) {
  for (int call = 0; call < 6; ++call) {
    std::string place = "{";
    place.append(std::to_string(call)).append("}");
    code = with(code, place, "");
  }
  return code;
}

PruningResult pruned(const Family& family, const Neurons& neurons) {
  const Model model = Model::from(module_of(plain(family.code), family.weights));
  PruningOptions options;
  options.neurons = neurons;
  Pruning pruning(model, options);
  pruning.add(family.input);
  return pruning.result();
}

/// The outputs of the family with masks in its own code.
at::Tensor masked_outputs(const Family& family, const Neurons& neurons, const PruningResult& result) {
  std::string code = family.code;
  Weights weights = family.weights;
  for (std::size_t i = 0; i < neurons.size(); ++i) {
    const std::string name = "mask" + std::to_string(neurons[i].call);
    const std::string mark = "{" + std::to_string(neurons[i].call) + "}";
    at::Tensor mask = at::ones({result.neurons[i].of});
    mask.index_fill_(0, at::tensor(neurons[i].neurons), 0);
    const bool is_of_channels = code.find("conv") != std::string::npos && code.find("flat" + mark) == std::string::npos;
    weights[name] = is_of_channels ? mask.reshape({-1, 1, 1}) : mask;
    code = with(code, mark, " * self." + name);
  }
  return module_of(plain(code), weights).forward({family.input}).toTensor();
}

/// The outputs of the same code with the weights cut as the plan says.
/// @param changes what else is written otherwise in a smaller model
at::Tensor cut_outputs(const Family& family, const PruningResult& result,
                       const std::vector<std::pair<std::string, std::string>>& changes) {
  Weights weights = family.weights;
  for (const WeightCut& cut : result.cuts) {
    at::Tensor& weight = weights.at(cut.weight);
    at::Tensor kept = at::ones({weight.size(cut.axis)}, at::kBool);
    kept.index_fill_(0, at::tensor(cut.indices), 0);
    weight = weight.index_select(cut.axis, kept.nonzero().squeeze(1));
    EXPECT_EQ(cut.shape, family.weights.at(cut.weight).sizes().vec());
  }
  for (const WeightCut& cut : result.cuts) {
    EXPECT_EQ(cut.pruned_shape, weights.at(cut.weight).sizes().vec()) << cut.weight;
  }
  std::string code = plain(family.code);
  for (const auto& [from, to] : changes) {
    EXPECT_THAT(code, HasSubstr(from));
    code = with(code, from, to);
  }
  return module_of(code, weights).forward({family.input}).toTensor();
}

void expect_closed(const Family& family, const Neurons& neurons,
                   const std::vector<std::pair<std::string, std::string>>& changes = {}) {
  const PruningResult result = pruned(family, neurons);
  ASSERT_THAT(result.open, IsEmpty());
  ASSERT_FALSE(result.cuts.empty());
  const at::Tensor expected = masked_outputs(family, neurons, result);
  const at::Tensor seen = cut_outputs(family, result, changes);
  ASSERT_EQ(seen.sizes(), expected.sizes());
  const double largest = expected.abs().max().item<double>();
  EXPECT_LE((seen - expected).abs().max().item<double>(), 1e-5 * largest);
  const at::Tensor whole = module_of(plain(family.code), family.weights).forward({family.input}).toTensor();
  EXPECT_GT((whole - expected).abs().max().item<double>(), 1e-3 * largest) << "the neurons do nothing";
  EXPECT_LE(result.difference, 1e-5);
  EXPECT_LT(result.pruned_multiply_adds, result.multiply_adds);
  EXPECT_LT(result.pruned_parameters, result.parameters);
}

Family mlp(const std::string& activation) {
  return {
      "def forward(self, x):\n"
      "    a = torch." +
          activation +
          "(torch.linear(x, self.w1, self.b1)){0}\n"
          "    return torch.linear(a, self.w2, self.b2)\n",
      {{"w1", drawn({6, 5})}, {"b1", drawn({6})}, {"w2", drawn({3, 6})}, {"b2", drawn({3})}},
      drawn({7, 5})};
}

Family images() {
  return {
      "def forward(self, x):\n"
      "    h = torch.conv2d(x, self.w1, self.b1, [1, 1], [1, 1])\n"
      "    a = torch.relu(torch.batch_norm(h, self.g, self.b, self.m, self.v, False, 0.1, 1e-5, False)){0}\n"
      "    p = torch.max_pool2d(a, [2, 2], [2, 2], [0, 0], [1, 1], False)\n"
      "    c = torch.relu(torch.conv2d(p, self.w2, self.b2, [1, 1], [1, 1])){1}\n"
      "    return torch.linear(c.view(-1, 80), self.w3, self.b3)\n",
      {{"w1", drawn({6, 2, 3, 3})},
       {"b1", drawn({6})},
       {"g", drawn({6}).abs() + 0.5},
       {"b", drawn({6})},
       {"m", drawn({6})},
       {"v", drawn({6}).abs() + 0.5},
       {"w2", drawn({5, 6, 3, 3})},
       {"b2", drawn({5})},
       {"w3", drawn({3, 80})},
       {"b3", drawn({3})}},
      drawn({5, 2, 8, 8})};
}

/// A residual stream of four calls: the stem's and one behind each addition.
Family residual() {
  return {
      "def forward(self, x):\n"
      "    s = torch.relu(torch.conv2d(x, self.w0, self.b0, [1, 1], [1, 1])){0}\n"
      "    a = torch.relu(torch.conv2d(s, self.w1, self.b1, [1, 1], [1, 1])){1}\n"
      "    s1 = torch.relu(torch.conv2d(a, self.w2, self.b2, [1, 1], [1, 1]) + s){2}\n"
      "    return torch.linear(torch.mean(s1, [2, 3]), self.w3, self.b3)\n",
      {{"w0", drawn({6, 2, 3, 3})},
       {"b0", drawn({6})},
       {"w1", drawn({4, 6, 3, 3})},
       {"b1", drawn({4})},
       {"w2", drawn({6, 4, 3, 3})},
       {"b2", drawn({6})},
       {"w3", drawn({3, 6})},
       {"b3", drawn({3})}},
      drawn({4, 2, 5, 5})};
}

TEST(Pruning, CutsLinearLayersBehindEachActivation) {
  // Also where 0 is not what the activation makes of 0.
  for (const char* activation : {"relu", "tanh", "sigmoid"}) {
    SCOPED_TRACE(activation);
    const Family family = mlp(activation);
    expect_closed(family, {of_call(0, {1, 4})});
    const PruningResult result = pruned(family, {of_call(0, {1, 4})});
    ASSERT_EQ(result.cuts.size(), 3U);
    EXPECT_EQ(result.cuts[0].weight, "b1");
    EXPECT_EQ(result.cuts[1].weight, "w1");
    EXPECT_EQ(result.cuts[1].axis, 0);
    EXPECT_EQ(result.cuts[2].weight, "w2");
    EXPECT_EQ(result.cuts[2].axis, 1);
    EXPECT_EQ(result.cuts[2].indices, (std::vector<std::int64_t>{1, 4}));
    EXPECT_EQ(result.multiply_adds, 6 * 5 + 3 * 6);
    EXPECT_EQ(result.pruned_multiply_adds, 4 * 5 + 3 * 4);
    EXPECT_EQ(result.parameters, 6 * 5 + 6 + 3 * 6 + 3);
    EXPECT_EQ(result.pruned_parameters, 4 * 5 + 4 + 3 * 4 + 3);
  }
}

TEST(Pruning, CutsConvolutionsThroughNormalisationPoolingAndFlattening) {
  const Family family = images();
  expect_closed(family, {of_call(0, {0, 5})});
  expect_closed(family, {of_call(1, {2, 3})}, {{"view(-1, 80)", "view(-1, 48)"}});
  expect_closed(family, {of_call(0, {1, 2, 3}), of_call(1, {4})}, {{"view(-1, 80)", "view(-1, 64)"}});
  // 8x8 outputs of 6 channels of 2, then 4x4 of 5 of 6, then 3 of 80.
  EXPECT_EQ(pruned(family, {of_call(0, {0})}).multiply_adds, 64 * 6 * 2 * 9 + 16 * 5 * 6 * 9 + 3 * 80);
}

TEST(Pruning, CutsWhatIsAddedUpTogetherOrNotAtAll) {
  const Family family = residual();
  expect_closed(family, {of_call(1, {0, 3})});
  expect_closed(family, {of_call(0, {1, 2}), of_call(2, {1, 2})});
  const PruningResult half = pruned(family, {of_call(2, {1, 2})});
  EXPECT_THAT(half.open, HasSubstr("conv2d"));
  EXPECT_THAT(half.open, HasSubstr("channel 1"));
  EXPECT_THAT(half.cuts, IsEmpty());
  EXPECT_EQ(half.pruned_multiply_adds, -1);
  const PruningResult other = pruned(family, {of_call(0, {1}), of_call(2, {1, 2})});
  EXPECT_THAT(other.open, HasSubstr("not 0"));
}

TEST(Pruning, RanksWhatIsAddedUpTogether) {
  const Model model = Model::from(module_of(plain(residual().code), residual().weights));
  PruningOptions options;
  options.scores = {{"forward", 0, std::nullopt, {1, 0, 5, 5, 5, 5}},
                    {"forward", 1, std::nullopt, {4, 3, 2, 1}},
                    {"forward", 2, std::nullopt, {100, 50, 0, 50, 50, 60}}};
  options.share = 0.5;
  Pruning pruning(model, options);
  pruning.add(residual().input);
  const PruningResult result = pruning.result();
  EXPECT_THAT(result.open, IsEmpty());
  ASSERT_EQ(result.neurons.size(), 3U);
  // Shares of the sums 21 and 310: 0.37, 0.16, 0.24, 0.40, 0.40, 0.43.
  EXPECT_EQ(result.neurons[0].neurons, (std::vector<std::int64_t>{0, 1, 2}));
  EXPECT_EQ(result.neurons[2].neurons, result.neurons[0].neurons);
  EXPECT_EQ(result.neurons[1].neurons, (std::vector<std::int64_t>{2, 3}));
}

TEST(Pruning, CutsConcatenatedChannels) {
  const Family family = {
      "def forward(self, x):\n"
      "    a = torch.relu(torch.conv2d(x, self.w1)){0}\n"
      "    b = torch.relu(torch.conv2d(x, self.w2)){1}\n"
      "    return torch.flatten(torch.conv2d(torch.cat([a, b], 1), self.w3), 1)\n",
      {{"w1", drawn({4, 2, 1, 1})}, {"w2", drawn({5, 2, 1, 1})}, {"w3", drawn({2, 9, 3, 3})}},
      drawn({3, 2, 4, 4})};
  expect_closed(family, {of_call(0, {1}), of_call(1, {0, 4})});
  const PruningResult result = pruned(family, {of_call(1, {0, 4})});
  ASSERT_EQ(result.cuts.size(), 2U);
  EXPECT_EQ(result.cuts[1].weight, "w3");
  EXPECT_EQ(result.cuts[1].indices, (std::vector<std::int64_t>{4, 8}));
}

TEST(Pruning, CutsBothSidesOfGates) {
  expect_closed({"def forward(self, x):\n"
                 "    a = torch.silu(torch.linear(x, self.gate)){0}\n"
                 "    return torch.linear(a * torch.linear(x, self.up), self.down)\n",
                 {{"gate", drawn({6, 4})}, {"up", drawn({6, 4})}, {"down", drawn({3, 6})}},
                 drawn({3, 2, 4})},
                {of_call(0, {0, 2})});
  // One weight for both halves.
  const Family halves = {
      "def forward(self, x):\n"
      "    g, u = torch.chunk(torch.linear(x, self.w, self.b), 2, -1)\n"
      "    a = torch.silu(g){0}\n"
      "    return torch.linear(a * u, self.down)\n",
      {{"w", drawn({10, 4})}, {"b", drawn({10})}, {"down", drawn({3, 5})}},
      drawn({6, 4})};
  expect_closed(halves, {of_call(0, {1, 2})});
  EXPECT_EQ(pruned(halves, {of_call(0, {1, 2})}).cuts[2].indices, (std::vector<std::int64_t>{1, 2, 6, 7}));
}

TEST(Pruning, CutsDepthwiseAndGroupedConvolutions) {
  const Family depthwise = {
      "def forward(self, x):\n"
      "    a = torch.relu(torch.conv2d(x, self.w1)){0}\n"
      "    b = torch.relu(torch.conv2d(a, self.w2, self.b2, [1, 1], [1, 1], [1, 1], 6)){1}\n"
      "    return torch.flatten(torch.conv2d(b, self.w3), 1)\n",
      {{"w1", drawn({6, 2, 1, 1})},
       {"w2", drawn({6, 1, 3, 3})},
       {"b2", drawn({6}).abs() + 0.1},
       {"w3", drawn({3, 6, 1, 1})}},
      drawn({3, 2, 4, 4})};
  expect_closed(depthwise, {of_call(0, {2, 3}), of_call(1, {2, 3})}, {{"[1, 1], 6)", "[1, 1], 4)"}});
  // The bias of the channel's own convolution is there without the channel.
  EXPECT_THAT(pruned(depthwise, {of_call(0, {2})}).open, HasSubstr("channel 2, which is not 0"));

  const Family grouped = {
      "def forward(self, x):\n"
      "    a = torch.relu(torch.conv2d(x, self.w1)){0}\n"
      "    b = torch.relu(torch.conv2d(a, self.w2, None, [1, 1], [1, 1], [1, 1], 2)){1}\n"
      "    return torch.flatten(torch.conv2d(b, self.w3), 1)\n",
      {{"w1", drawn({6, 2, 1, 1})}, {"w2", drawn({4, 3, 3, 3})}, {"w3", drawn({3, 4, 1, 1})}},
      drawn({3, 2, 4, 4})};
  expect_closed(grouped, {of_call(0, {1, 4})});
  expect_closed(grouped, {of_call(1, {0, 3})});
  EXPECT_THAT(pruned(grouped, {of_call(0, {1, 3})}).open, HasSubstr("conv2d"));
  EXPECT_THAT(pruned(grouped, {of_call(1, {0})}).open, HasSubstr("2 groups of 2"));
}

TEST(Pruning, LeavesGroupsOfNormalisationsWhole) {
  const Family family = {
      "def forward(self, x):\n"
      "    h = torch.group_norm(torch.conv2d(x, self.w1), 3, self.g, self.b)\n"
      "    a = torch.relu(h){0}\n"
      "    return torch.flatten(torch.conv2d(a, self.w2), 1)\n",
      {{"w1", drawn({6, 2, 1, 1})}, {"g", drawn({6})}, {"b", drawn({6})}, {"w2", drawn({3, 6, 1, 1})}},
      drawn({3, 2, 4, 4})};
  expect_closed(family, {of_call(0, {2, 3})}, {{", 3, self.g", ", 2, self.g"}});
  EXPECT_THAT(pruned(family, {of_call(0, {2, 4})}).open, HasSubstr("group_norm has 3 groups of 2"));
}

TEST(Pruning, SaysWhichOperatorReadsTheNeuronsTogether) {
  const auto open = [](const std::string& between, const Weights& more) {
    Weights weights = {{"w1", drawn({6, 5})}, {"b1", drawn({6})}, {"w2", drawn({3, 6})}};
    weights.insert(more.begin(), more.end());
    return pruned({"def forward(self, x):\n"
                   "    a = torch.relu(torch.linear(x, self.w1, self.b1))\n" +
                       between + "    return torch.linear(a, self.w2)\n",
                   weights, drawn({6, 5})},
                  {of_call(0, {1})})
        .open;
  };
  const Weights scale = {{"g", drawn({6})}, {"b", drawn({6})}, {"m", drawn({6})}, {"v", drawn({6}).abs() + 0.5}};
  EXPECT_THAT(open("    a = torch.layer_norm(a, [6], self.g, self.b)\n", scale), HasSubstr("operator layer_norm"));
  EXPECT_THAT(open("    a = torch.softmax(a, 1)\n", {}), HasSubstr("operator softmax"));
  EXPECT_THAT(open("    a = torch.flip(a, [1]) + a\n", {}), HasSubstr("linear reads channel"));
  EXPECT_THAT(open("    a = torch.batch_norm(a, self.g, self.b, self.m, self.v, False, 0.1, 1e-5, False)\n", scale),
              HasSubstr("linear reads channel 1, which is not 0"));
  EXPECT_THAT(open("    a = a / torch.mean(a, 1, True)\n", {}), HasSubstr("operator mean"));
  EXPECT_THAT(open("    a = torch.cumsum(a, 1)\n", {}), HasSubstr("operator cumsum"));
  EXPECT_THAT(open("    if int(a.size(0)) > 3:\n        a = a * 2.0\n", {}), HasSubstr("a branch"));
}

TEST(Pruning, RefusesToTakeAwayInputsAndOutputs) {
  const Family outputs = {
      "def forward(self, x):\n    return torch.relu(torch.linear(x, self.w))\n", {{"w", drawn({4, 5})}}, drawn({6, 5})};
  EXPECT_THAT(pruned(outputs, {of_call(0, {1})}).open, HasSubstr("outputs would lose"));
  const Family inputs = {
      "def forward(self, x):\n"
      "    return torch.linear(torch.relu(x), self.w)\n",
      {{"w", drawn({4, 5})}},
      drawn({6, 5})};
  EXPECT_THAT(pruned(inputs, {of_call(0, {1})}).open, HasSubstr("inputs would lose"));
}

TEST(Pruning, CutsAWeightThatSeveralReadOnce) {
  const Family family = {
      "def forward(self, x):\n"
      "    a = torch.relu(torch.linear(x, self.w1)){0}\n"
      "    b = torch.relu(torch.linear(x, self.w3)){1}\n"
      "    return torch.linear(a, self.w2) + torch.tanh(torch.linear(b, self.w2))\n",
      {{"w1", drawn({6, 5})}, {"w3", drawn({6, 5})}, {"w2", drawn({3, 6})}},
      drawn({6, 5})};
  expect_closed(family, {of_call(0, {1, 4}), of_call(1, {1, 4})});
  EXPECT_THAT(pruned(family, {of_call(0, {1, 4})}).open, HasSubstr("linear reads channel 1"));
}

TEST(Pruning, SaysWhatIsWrongWithOptions) {
  const Family family = mlp("relu");
  const auto message = [&](const PruningOptions& options) {
    return [&, options] {
      Pruning pruning(Model::from(module_of(plain(family.code), family.weights)), options);
      pruning.add(family.input);
    };
  };
  PruningOptions options;
  EXPECT_THAT(message(options), ThrowsMessage<ArgumentError>(HasSubstr("give neurons or scores")));
  options.neurons = {of_call(0, {6})};
  EXPECT_THAT(message(options), ThrowsMessage<ArgumentError>(HasSubstr("no neuron 6")));
  options.neurons = {of_call(0, {1, 1})};
  EXPECT_THAT(message(options), ThrowsMessage<ArgumentError>(HasSubstr("given twice")));
  options.neurons = {of_call(0, {0, 1, 2, 3, 4, 5})};
  EXPECT_THAT(message(options), ThrowsMessage<ArgumentError>(HasSubstr("leave at least one")));
  options.neurons = {{"nothing", 0, {1}, 0}};
  EXPECT_THAT(message(options), ThrowsMessage<LayerError>(HasSubstr("nothing")));
  options.neurons.clear();
  options.scores = {{"forward", 0, std::nullopt, {1, 2}}};
  EXPECT_THAT(message(options), ThrowsMessage<ArgumentError>(HasSubstr("2 scores are given")));
  options.scores.front().values = {1, 2, 3, 4, 5, 6};
  options.share = 1;
  EXPECT_THAT(message(options), ThrowsMessage<ArgumentError>(HasSubstr("between 0 and 1")));
  options.keep = 7;
  EXPECT_THAT(message(options), ThrowsMessage<ArgumentError>(HasSubstr("7 are to stay")));
  options.keep = 2;
  EXPECT_NO_THROW(message(options)());
}

/// A file that goes with the test.
class Written {
 public:
  explicit Written(const std::string& name)
      : path_(std::filesystem::temp_directory_path() / (name + std::to_string(::getpid()))) {}
  ~Written() { std::filesystem::remove(path_); }
  Written(const Written&) = delete;
  Written& operator=(const Written&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

TEST(Pruning, WritesTheStateDictAsSafetensors) {
  const Family family = mlp("relu");
  PruningOptions options;
  options.neurons = {of_call(0, {1, 4})};
  Pruning pruning(Model::from(module_of(plain(family.code), family.weights)), options);
  EXPECT_THROW(static_cast<void>(pruning.result()), StateError);
  pruning.add(family.input);
  const Written file("pruned.safetensors");
  pruning.save_weights(file.path());
  std::ifstream stream(file.path(), std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof length);
  const auto header = nlohmann::json::parse(bytes.substr(sizeof length, length));
  EXPECT_EQ(header.size(), 4U);
  EXPECT_EQ(header["w1"]["dtype"], "F32");
  EXPECT_EQ(header["w1"]["shape"], nlohmann::json({4, 5}));
  const std::size_t begin = header["w1"]["data_offsets"][0];
  std::vector<float> seen(20);
  std::memcpy(seen.data(), bytes.data() + sizeof length + length + begin, seen.size() * sizeof(float));
  const at::Tensor expected = family.weights.at("w1").index_select(0, at::tensor({0, 2, 3, 5}));
  EXPECT_TRUE(at::tensor(seen).reshape({4, 5}).equal(expected));
  EXPECT_THAT([&] { pruning.save_exported("any.pt2", file.path()); },
              ThrowsMessage<UnsupportedModelError>(HasSubstr("TorchScript")));
}

/// A model, and the data that it was exported with.
class PrunedArchive : public testing::TestWithParam<std::pair<std::string, std::string>> {};

/// tests/fixtures/golden/MODEL.pruned.npz has what eager PyTorch makes of the archive with the same neurons at zero.
TEST_P(PrunedArchive, GivesWhatEagerPyTorchGivesWithNeuronsAtZero) {
  const auto& [name, data] = GetParam();
  const std::filesystem::path source = fixture_path(name + ".exported.pt2");
  const Model model = Model::load(source);
  auto golden = read_npz(fixture_path("golden/" + name + ".pruned.npz"));
  const auto arrays = read_npz(fixture_path(data + ".npz"));
  const at::Tensor expected = golden.at("y");
  const at::Tensor inputs = arrays.at("x").slice(0, 0, expected.size(0));
  const at::Tensor labels = arrays.at("y").slice(0, 0, expected.size(0)).to(at::kLong);
  PruningOptions options;
  const std::vector<Layer> layers = model.layers(inputs);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const at::Tensor gone = golden.at("pruned" + std::to_string(i)).to(at::kLong);
    options.neurons.push_back(
        {layers[i].name,
         layers[i].call,
         {gone.const_data_ptr<std::int64_t>(), gone.const_data_ptr<std::int64_t>() + gone.numel()},
         0});
  }
  Pruning pruning(model, options);
  pruning.add(inputs, labels);
  const PruningResult result = pruning.result();
  ASSERT_THAT(result.open, IsEmpty());
  EXPECT_DOUBLE_EQ(result.accuracy_at_zero, expected.argmax(1).eq(labels).to(at::kDouble).mean().item<double>());
  EXPECT_DOUBLE_EQ(result.pruned_accuracy, result.accuracy_at_zero);
  EXPECT_LE(result.difference, 1e-5);

  const Written file("pruned.pt2");
  pruning.save_exported(source, file.path());
  const Model smaller = Model::load(file.path());
  const double largest = expected.abs().max().item<double>();
  EXPECT_LE((smaller.forward(inputs) - expected).abs().max().item<double>(), 1e-5 * largest);
  // Another size of batch than the first samples' that the plan was made of.
  EXPECT_LE((smaller.forward(inputs.slice(0, 0, 7)) - expected.slice(0, 0, 7)).abs().max().item<double>(),
            1e-5 * largest);
  const std::vector<Layer> kept = smaller.layers(inputs);
  ASSERT_EQ(kept.size(), layers.size());
  for (std::size_t i = 0; i < kept.size(); ++i) {
    EXPECT_EQ(kept[i].name, layers[i].name);
    EXPECT_EQ(kept[i].neurons, layers[i].neurons / 2);
  }
  EXPECT_LT(std::filesystem::file_size(file.path()), std::filesystem::file_size(source));
  // Half the channels are a quarter of the products between two pruned layers.
  EXPECT_LT(result.pruned_multiply_adds, result.multiply_adds * 6 / 10);
}

INSTANTIATE_TEST_SUITE_P(Fixtures, PrunedArchive,
                         testing::Values(std::pair("digits-cnn", "digits-images"), std::pair("digits-mlp", "digits")),
                         [](const auto& each) { return with(each.param.first, "-", "_"); });

}  // namespace

}  // namespace pregrad::test::pruning_test
