#include <cmath>
#include <map>
#include <string>
#include <vector>

#include <ATen/Functions.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/nn/functional.h>

#include "fixtures.hpp"
#include "npz.hpp"
#include "pregrad/pregrad.hpp"
#include "rounding.hpp"

/// Models of several inputs and outputs, of outputs with positions, and of padded sequences.
namespace pregrad::test::several_test {

namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;
using Arrays = std::map<std::string, at::Tensor>;

const std::map<std::string, std::vector<std::string>>& input_names() {
  static const std::map<std::string, std::vector<std::string>> names = {{"two-inputs", {"x", "side"}},
                                                                        {"tagger", {"tokens", "attention_mask"}},
                                                                        {"bert", {"input_ids", "attention_mask"}}};
  return names;
}

Inputs inputs_of(const std::string& name, const Arrays& arrays) {
  std::vector<NamedTensor> tensors;
  for (const std::string& input : input_names().at(name)) {
    tensors.push_back({input, arrays.at(input)});
  }
  return Inputs::of(std::move(tensors));
}

AttributionOptions options_of(const std::string& variant) {
  AttributionOptions options;
  options.methods = plain_methods;
  const bool is_at = variant == "last" || variant == "first" || variant == "each" || variant == "mean";
  if (is_at || variant.ends_with("-masked") || variant == "log-probability" || variant == "pooled-3") {
    options.reading.mask = "attention_mask";
  }
  if (is_at) {
    options.reading.at = at_named(variant);
  } else if (variant == "index-1") {
    options.reading.at = At::index(1);
  } else if (variant == "log-probability") {
    options.output = Output::log_probability;
  } else if (variant == "multi-label-probability") {
    options.output = Output::probability;
    options.reading.multi_label = true;
  } else if (variant == "difference-2-0") {
    options.target = Target::difference(2, 0);
  } else if (variant == "weights") {
    options.target = Target::weights();
  } else if (variant == "pooled-3") {
    options.reading.output_name = "pooled";
    options.target = Target::index(3);
  }
  return options;
}

at::Tensor labels_of(const std::string& variant, const Arrays& arrays) {
  if (variant == "labels" || variant == "labels-masked" || variant == "log-probability") {
    return arrays.at("tags");
  }
  if (variant == "difference-2-0" || variant == "pooled-3") {
    return {};
  }
  return arrays.at(variant == "weights" ? "weights" : "y");
}

/// Adds what a row of a file of golden values says of one neuron.
void add_truth(std::map<std::string, Golden>& truths, std::map<std::string, std::string>& row) {
  const std::int64_t call = row.contains("call") ? std::stoll(row["call"]) : 0;
  Statistics& statistics =
      truths[row["variant"]][{row["layer"], call, std::stoll(row["cluster"]), method_named(row["method"])}];
  statistics.count = std::stoll(row["count"]);
  statistics.mean.push_back(std::stod(row["mean"]));
  statistics.rms.push_back(std::stod(row["rms"]));
}

void expect_truth(const Scores& scores, const Golden& truth) {
  EXPECT_EQ(scores.entries().size(), truth.size());
  for (const auto& [key, statistics] : truth) {
    SCOPED_TRACE(testing::Message() << key.layer << " " << key.cluster << " " << name_of(key.method));
    const Statistics& seen = scores.of(key.layer, key.cluster, key.method);
    EXPECT_EQ(seen.count, statistics.count);
    EXPECT_LT(relative_error(seen.mean, statistics.mean), promised_of_golden_values);
    EXPECT_LT(relative_error(seen.rms, statistics.rms), promised_of_golden_values);
  }
}

struct File {
  std::string name;
  std::string form;
};
std::vector<File> files() {
  return {{"two-inputs", "scripted.pt"},
          {"two-inputs", "exported.pt2"},
          {"tagger", "exported.pt2"},
          {"bert", "exported.pt2"}};
}

class SeveralTest : public testing::TestWithParam<File> {
 protected:
  std::string name_ = GetParam().name;
  Model model_ = Model::load(fixture_path("several/" + name_ + "." + GetParam().form));
  Arrays arrays_ = read_npz(fixture_path("several/" + name_ + ".npz"));
  Inputs inputs_ = inputs_of(name_, arrays_);

  std::vector<std::string> layers() const {
    std::vector<std::string> names;
    for (const Layer& layer : model_.layers()) {
      names.push_back(layer.name);
    }
    return names;
  }
};

TEST_P(SeveralTest, ScoresAreThoseOfEagerPyTorch) {
  std::map<std::string, Golden> truths;
  for (auto& row : read_csv(fixture_path("golden/several.csv"))) {
    if (row["model"] == name_) {
      add_truth(truths, row);
    }
  }
  ASSERT_FALSE(truths.empty());
  for (const auto& [variant, truth] : truths) {
    SCOPED_TRACE(variant);
    AttributionOptions options = options_of(variant);
    std::set<std::string> names;
    for (const auto& [key, statistics] : truth) {
      names.insert(key.layer);
    }
    options.layers = {names.begin(), names.end()};
    Attribution attribution = model_.attribution(options);
    attribution.add(inputs_, labels_of(variant, arrays_), arrays_.at("cluster"));
    expect_truth(attribution.scores(), truth);
  }
}

TEST_P(SeveralTest, RemovalCurvesAreThoseOfEagerPyTorch) {
  std::map<std::string, std::pair<std::vector<double>, std::vector<double>>> truths;
  for (auto& row : read_csv(fixture_path("golden/several-curves.csv"))) {
    if (row["model"] == name_) {
      truths[row["layer"]].first.push_back(std::stod(row["accuracy"]));
      truths[row["layer"]].second.push_back(std::stod(row["mean_output"]));
    }
  }
  AblationOptions options;
  for (const auto& [layer, truth] : truths) {
    RemovalOrder order;
    order.layer = layer;
    for (std::int64_t neuron = 0; neuron + 1 < static_cast<std::int64_t>(truth.first.size()); ++neuron) {
      order.neurons.push_back(neuron);
    }
    options.orders.push_back(order);
  }
  if (truths.empty()) {
    ASSERT_EQ(name_, "tagger");
    return;
  }
  Ablation ablation = model_.ablation(options);
  ablation.add(inputs_, arrays_.at("y"));
  for (const RemovalCurve& curve : ablation.curves()) {
    const auto& [accuracy, mean_output] = truths.at(curve.order.layer);
    EXPECT_LT(relative_error(curve.accuracy, accuracy), 1e-9);
    EXPECT_LT(relative_error(curve.mean_output, mean_output), promised_of_golden_values);
  }
}

TEST_P(SeveralTest, OutputsHaveTheirNames) {
  std::map<std::string, std::vector<double>> truths;
  for (auto& row : read_csv(fixture_path("golden/several-outputs.csv"))) {
    if (row["model"] == name_) {
      truths[row["output"]].push_back(std::stod(row["value"]));
    }
  }
  std::set<std::string> names;
  for (const NamedTensor& output : model_.outputs(inputs_)) {
    names.insert(output.name);
    const at::Tensor values = output.tensor.to(at::kDouble).contiguous();
    const std::vector<double> seen(values.const_data_ptr<double>(), values.const_data_ptr<double>() + values.numel());
    EXPECT_LT(relative_error(seen, truths.at(output.name)), promised_of_golden_values) << output.name;
  }
  EXPECT_EQ(names.size(), truths.size());
}

TEST_P(SeveralTest, InputsHaveTheirNames) {
  std::vector<std::string> names;
  for (const ModelInput& input : model_.inputs()) {
    names.push_back(input.name);
    EXPECT_FALSE(input.is_optional);
    if (GetParam().form == "exported.pt2") {
      ASSERT_TRUE(input.type.has_value());
      EXPECT_EQ(*input.type, arrays_.at(input.name).scalar_type());
      EXPECT_EQ(input.shape.at(0), -1);
    }
  }
  EXPECT_EQ(names, input_names().at(name_));
}

TEST_P(SeveralTest, PathsAddUpToTheDifferenceOfTheirEnds) {
  AttributionOptions options;
  options.layers = layers();
  options.methods = {Method::integrated_gradients};
  options.steps = 300;  // a kink on the way
  options.target = name_ == "tagger" ? Target::index(1) : Target::label();
  options.reading.at = name_ == "tagger" ? At::each() : At();
  options.reading.mask = name_ == "two-inputs" ? "" : "attention_mask";
  Attribution attribution = model_.attribution(options);
  attribution.add(inputs_, arrays_.at("y"));
  for (const Score& score : attribution.scores().entries()) {
    EXPECT_LT(score.completeness_error, 5e-3) << score.layer;
  }
}

TEST_P(SeveralTest, ChecksPass) {
  CheckOptions options;
  options.layers = layers();
  options.reading.at = name_ == "tagger" ? At::mean() : At();
  Check check = model_.check(options);
  check.add(inputs_, arrays_.at("y"));
  for (const LayerCheck& result : check.results()) {
    EXPECT_TRUE(result.passed) << result.layer << " " << result.gradient_error;
    EXPECT_TRUE(result.in_double_precision);
  }
}

TEST_P(SeveralTest, BatchesOfEverySizeAddUpToTheSame) {
  AttributionOptions options;
  options.layers = layers();
  options.methods = {Method::gradient, Method::activation, Method::ablation};
  options.reading.at = name_ == "tagger" ? At::last() : At();
  options.reading.mask = name_ == "two-inputs" ? "" : "attention_mask";
  Attribution whole = model_.attribution(options);
  whole.add(inputs_, arrays_.at("y"));
  Attribution alone = model_.attribution(options);
  for (std::int64_t i = 0; i < inputs_.samples(); ++i) {
    alone.add(inputs_.slice(i, i + 1), arrays_.at("y").slice(0, i, i + 1));
  }
  const Scores expected = whole.scores();
  for (const Score& score : alone.scores().entries()) {
    EXPECT_LT(relative_error(score.statistics.mean, expected.of(score.layer, 0, score.method).mean),
              promised_of_golden_values)
        << score.layer << " " << name_of(score.method);
  }
}

INSTANTIATE_TEST_SUITE_P(Files, SeveralTest, testing::ValuesIn(files()), [](const auto& file) {
  std::string name = file.param.name + "_" + file.param.form;
  std::replace_if(name.begin(), name.end(), [](char each) { return std::isalnum(each) == 0; }, '_');
  return name;
});

TEST(Several, PaddingDoesNotShowWithTheMask) {
  const Model model = Model::load(fixture_path("several/bert.exported.pt2"));
  const Arrays arrays = read_npz(fixture_path("several/bert.npz"));
  AttributionOptions options;
  options.layers = {"all"};
  options.methods = {Method::gradient, Method::gradient_x_activation, Method::activation, Method::activation_rate,
                     Method::ablation, Method::integrated_gradients};
  options.reading.mask = "attention_mask";
  Attribution padded = model.attribution(options);
  padded.add(inputs_of("bert", arrays), arrays.at("y"));

  // Each sample cut to what counts; of some the padding is on the left.
  Attribution cut = model.attribution(options);
  const at::Tensor mask = arrays.at("attention_mask");
  for (std::int64_t i = 0; i < mask.size(0); ++i) {
    const at::Tensor places = mask[i].nonzero();
    const std::int64_t first = places[0][0].item<std::int64_t>();
    ASSERT_EQ(first, 0) << "positions are embedded, so nothing may move";
    const std::int64_t end = places[-1][0].item<std::int64_t>() + 1;
    const auto part = [&](const char* name) { return arrays.at(name).slice(0, i, i + 1).slice(1, first, end); };
    cut.add(Inputs::of({{"input_ids", part("input_ids")}, {"attention_mask", part("attention_mask")}}),
            arrays.at("y").slice(0, i, i + 1));
  }
  const Scores expected = cut.scores();
  for (const Score& score : padded.scores().entries()) {
    EXPECT_LT(relative_error(score.statistics.mean, expected.of(score.layer, 0, score.method).mean), 1e-5)
        << score.layer << " " << name_of(score.method);
  }
}

torch::jit::Module module_of(const std::string& forward) {
  torch::jit::Module module("Several");
  const at::Tensor numbers = at::arange(30, at::kDouble);
  module.register_parameter("w1", numbers.sin().reshape({6, 5}), false);
  module.register_parameter("w2", numbers.slice(0, 0, 15).cos().reshape({5, 3}), false);
  module.define(forward);
  module.eval();
  return module;
}

at::Tensor samples(std::int64_t count) { return at::arange(count * 6, at::kDouble).mul(0.7).cos().reshape({count, 6}); }

Scores scores_of(const torch::jit::Module& module, const Inputs& inputs, const Reading& reading = {},
                 Target target = Target::index(1)) {
  AttributionOptions options;
  options.layers = {"forward"};
  options.methods = {Method::gradient, Method::activation, Method::ablation, Method::conductance};
  options.reading = reading;
  options.target = target;
  Attribution attribution = Model::from(module).attribution(options);
  attribution.add(inputs);
  return attribution.scores();
}

void expect_same(const Scores& seen, const Scores& expected) {
  ASSERT_EQ(seen.entries().size(), expected.entries().size());
  for (std::size_t i = 0; i < seen.entries().size(); ++i) {
    EXPECT_LT(relative_error(seen.entries()[i].statistics.mean, expected.entries()[i].statistics.mean), 1e-10)
        << name_of(seen.entries()[i].method);
  }
}

const char* const plain = "def forward(self, x):\n  return torch.relu(x @ self.w1) @ self.w2\n";

TEST(Several, ContainersAreMadeOfNames) {
  const at::Tensor x = samples(4);
  const Scores expected = scores_of(module_of(plain), x);
  const auto of = [&](const std::string& forward, std::vector<NamedTensor> inputs) {
    return scores_of(module_of(forward), Inputs::of(std::move(inputs)));
  };
  expect_same(of(R"(
def forward(self, batch: Dict[str, Tensor]):
  return torch.relu((batch["left"] + batch["right"]) @ self.w1) @ self.w2
)",
                 {{"batch.left", x * 0.25}, {"batch.right", x * 0.75}}),
              expected);
  expect_same(of(R"(
def forward(self, parts: Tuple[Tensor, List[Tensor]]):
  first, rest = parts
  for part in rest:
    first = first + part
  return torch.relu(first @ self.w1) @ self.w2
)",
                 {{"parts.0", x * 0.5}, {"parts.1.0", x * 0.25}, {"parts.1.1", x * 0.25}}),
              expected);
  expect_same(of(R"(
def forward(self, x, scale: Optional[Tensor] = None, times: int = 1):
  if scale is not None:
    x = x * scale
  return torch.relu(x @ self.w1 * times) @ self.w2
)",
                 {{"x", x * 2}, {"scale", at::full({4, 1}, 0.5, at::kDouble)}}),
              expected);
}

TEST(Several, SharedInputsAreTheSameForAllSamples) {
  const at::Tensor x = samples(5);
  const std::string forward = R"(
def forward(self, x, weights):
  return torch.relu(x @ weights) @ self.w2
)";
  const at::Tensor weights = at::arange(30, at::kDouble).sin().reshape({6, 5});
  expect_same(scores_of(module_of(forward), Inputs::of({{"x", x}, {"weights", weights, true}})),
              scores_of(module_of(plain), x));
  EXPECT_THAT([&] { scores_of(module_of(forward), Inputs::of({{"x", x}, {"weights", weights}})); },
              ThrowsMessage<InputError>(HasSubstr("5 samples of 'x' and 6 of 'weights'")));
  EXPECT_THAT([&] { scores_of(module_of(forward), Inputs::of({{"x", x}})); },
              ThrowsMessage<InputError>(HasSubstr("the input 'weights' is missing")));
  EXPECT_THAT([&] { scores_of(module_of(forward), x); }, ThrowsMessage<InputError>(HasSubstr("give them by name")));
  EXPECT_THAT([&] { Inputs::of({{"x", x, true}}); }, ThrowsMessage<ArgumentError>(HasSubstr("there are no samples")));
}

TEST(Several, OutputsAreFoundInContainers) {
  const at::Tensor x = samples(4);
  const Scores expected = scores_of(module_of(plain), x);
  const std::string start = "def forward(self, x):\n  y = torch.relu(x @ self.w1) @ self.w2\n";
  expect_same(scores_of(module_of(start + "  return {'aux': y * 2, 'logits': y}\n"), x), expected);
  Reading named;
  named.output_name = "aux.1";
  expect_same(scores_of(module_of(start + "  return {'logits': [y * 3], 'aux': [y * 2, y]}\n"), x, named), expected);
  expect_same(scores_of(module_of(start + "  return y, y * 2\n"), x), expected);
  EXPECT_THAT([&] { scores_of(module_of(start + "  return {'a': y, 'b': y}\n"), x); },
              ThrowsMessage<ArgumentError>(HasSubstr("choose one of 'a', 'b'")));
  named.output_name = "c";
  EXPECT_THAT([&] { scores_of(module_of(start + "  return {'a': y, 'b': y}\n"), x, named); },
              ThrowsMessage<ArgumentError>(HasSubstr("no output 'c'")));
}

TEST(Several, PositionsAndClassesMayBeInAnyOrder) {
  const at::Tensor x = at::stack({samples(4), samples(4) * 0.3, samples(4).flip(1)}, 1);  // [4, 3, 6]
  const std::string start = "def forward(self, x):\n  y = torch.relu(x @ self.w1) @ self.w2\n";
  Reading at_second;
  at_second.at = At::index(1);
  const Scores expected = scores_of(module_of(start + "  return y[:, 1]\n"), x);
  expect_same(scores_of(module_of(start + "  return y\n"), x, at_second), expected);
  at_second.at = At::index(-2);
  expect_same(scores_of(module_of(start + "  return y.transpose(1, 2)\n"), x, at_second), expected);
  at_second.class_axis = 1;
  expect_same(scores_of(module_of(start + "  return y.transpose(1, 2)\n"), x, at_second), expected);
  // The samples' axis need not be the first.
  at_second.class_axis = std::nullopt;
  expect_same(scores_of(module_of(start + "  return y.transpose(0, 1)\n"), x, at_second), expected);
  for (const char* turned : {"  return y.permute([2, 1, 0])\n", "  return y.transpose(0, 1).permute([2, 0, 1])\n"}) {
    expect_same(scores_of(module_of(start + turned), x, at_second), expected);
    at_second.class_axis = 0;  // as forward returns it
    expect_same(scores_of(module_of(start + turned), x, at_second), expected);
    at_second.class_axis = 2;
    EXPECT_THAT([&] { scores_of(module_of(start + turned), x, at_second); },
                ThrowsMessage<ArgumentError>(HasSubstr("whose axis 2 is the samples'")));
    at_second.class_axis = std::nullopt;
  }
  // Of several outputs the axis is that of the one that is read, not of another that the graph tells it of.
  const std::string untold = "torch.einsum('npc,pq->nqc', y, torch.ones([3, 3], dtype=y.dtype))";
  at_second.class_axis = 2;
  const Scores expected_of_untold = scores_of(module_of(start + "  return " + untold + "\n"), x, at_second);
  at_second.class_axis = std::nullopt;
  expect_same(scores_of(module_of(start + "  return " + untold + ", y.transpose(1, 2)\n"), x, at_second),
              expected_of_untold);
  at_second.at = At::mean();
  expect_same(scores_of(module_of(start + "  return y\n"), x, at_second),
              scores_of(module_of(start + "  return y.mean(1)\n"), x));
  at_second.at = At::each();
  expect_same(scores_of(module_of(start + "  return y\n"), x, at_second),
              scores_of(module_of(start + "  return y.sum(1)\n"), x));
  EXPECT_THAT([&] { scores_of(module_of(start + "  return y\n"), x); },
              ThrowsMessage<ArgumentError>(HasSubstr("choose last, first, each, mean or a number")));
  at_second.at = At::index(3);
  EXPECT_THAT([&] { scores_of(module_of(start + "  return y\n"), x, at_second); },
              ThrowsMessage<ArgumentError>(HasSubstr("choose 0 to 2")));
}

TEST(Several, SamplesAreFoundWhereverTheyAre) {
  const at::Tensor x = at::stack({samples(4), samples(4) * 0.3, samples(4).flip(1)}, 1);  // [4, 3, 6]
  const Scores expected =
      scores_of(module_of("def forward(self, x):\n  return (torch.relu(x @ self.w1) @ self.w2).mean(1)\n"), x);
  for (const char* body : {"  a = torch.relu(x.transpose(0, 1) @ self.w1)\n  return (a @ self.w2).mean(0)\n",
                           "  a = torch.relu(x.reshape([-1, 6]) @ self.w1)\n"
                           "  return (a @ self.w2).reshape([-1, 3, 3]).mean(1)\n",
                           "  a = torch.relu(x.transpose(0, 1).reshape([-1, 6]) @ self.w1)\n"
                           "  return (a @ self.w2).reshape([3, -1, 3]).mean(0)\n"}) {
    SCOPED_TRACE(body);
    const torch::jit::Module module = module_of("def forward(self, x):\n" + std::string(body));
    expect_same(scores_of(module, x), expected);
    // One sample at a time, and the first of them.
    AttributionOptions options;
    options.layers = {"forward"};
    options.methods = {Method::gradient, Method::activation, Method::ablation, Method::conductance};
    options.target = Target::index(1);
    Attribution alone = Model::from(module).attribution(options);
    for (std::int64_t i = 0; i < 4; ++i) {
      alone.add(x.slice(0, i, i + 1));
    }
    expect_same(alone.scores(), expected);
  }
}

TEST(Several, AMaskThatFitsNothingIsRefused) {
  const at::Tensor x = at::stack({samples(4), samples(4) * 0.3, samples(4).flip(1)}, 1);
  const torch::jit::Module module = module_of("def forward(self, x):\n  return torch.relu(x @ self.w1) @ self.w2\n");
  Reading reading;
  reading.at = At::last();
  reading.mask = "mask";
  const auto with = [&](const at::Tensor& mask) {
    return scores_of(module, Inputs::of({{"x", x}, {"mask", mask}}), reading);
  };
  EXPECT_NO_THROW(with(at::ones({4, 3})));
  // As many positions in another shape are others.
  const torch::jit::Module pictures = module_of(
      "def forward(self, x):\n  return (torch.relu(x.flatten(0, 1) @ self.w1) @ self.w2).reshape([-1, 3, 3])"
      ".unsqueeze(2).expand(-1, 3, 2, 3)\n");
  Reading mean;
  mean.at = At::mean();
  mean.mask = "mask";
  EXPECT_THAT([&] { scores_of(pictures, Inputs::of({{"x", x}, {"mask", at::ones({4, 2, 3})}}), mean); },
              ThrowsMessage<InputError>(HasSubstr("neither the output nor a layer has positions of that shape")));
  EXPECT_THAT([&] { with(at::ones({4, 2})); },
              ThrowsMessage<InputError>(HasSubstr("neither the output nor a layer has positions of that shape")));
  EXPECT_THAT([&] { with(at::zeros({4, 3})); }, ThrowsMessage<InputError>(HasSubstr("no position of sample 0 counts")));
  EXPECT_THAT([&] { with(at::ones({4})); }, ThrowsMessage<InputError>(HasSubstr("give [samples, positions...]")));
}

TEST(Several, RowsOfTwoSamplesAreRefused) {
  EXPECT_THAT(
      [] {
        scores_of(module_of("def forward(self, x):\n"
                            "  h = torch.relu(x.cumsum(0).t() @ torch.ones([x.size(0), 4], dtype=x.dtype))\n"
                            "  return x @ self.w1 @ self.w2 + 0 * h.sum()\n"),
                  samples(3));
      },
      ThrowsMessage<UnsupportedModelError>(HasSubstr("does not tell what belongs to which sample")));
}

TEST(Several, OneLogitIsAClassifierOfTwo) {
  const at::Tensor x = samples(6);
  const at::Tensor labels = at::tensor({0, 1, 1, 0, 1, 0}, at::kLong);
  const torch::jit::Module one =
      module_of("def forward(self, x):\n  return (torch.relu(x @ self.w1) @ self.w2).select(1, 0)\n");
  const torch::jit::Module two = module_of(
      "def forward(self, x):\n  y = (torch.relu(x @ self.w1) @ self.w2).select(1, 0)\n"
      "  return torch.stack([torch.zeros_like(y), y], 1)\n");
  for (const Output output : {Output::probability, Output::log_probability}) {
    AttributionOptions options;
    options.layers = {"forward"};
    options.output = output;
    Attribution binary = Model::from(one).attribution(options);
    binary.add(x, labels);
    Attribution softmax = Model::from(two).attribution(options);
    softmax.add(x, labels);
    expect_same(binary.scores(), softmax.scores());
  }
  AblationOptions options;
  options.orders = {{"forward", 0, 0, Method::gradient, Aggregate::mean, 0, {3, 1, 0, 2, 4}}};
  options.output = Output::probability;
  Ablation binary = Model::from(one).ablation(options);
  binary.add(x, labels);
  Ablation softmax = Model::from(two).ablation(options);
  softmax.add(x, labels);
  const RemovalCurve seen = binary.curves().front();
  const RemovalCurve expected = softmax.curves().front();
  EXPECT_EQ(seen.accuracy, expected.accuracy);
  EXPECT_LT(relative_error(seen.mean_output, expected.mean_output), 1e-12);
  EXPECT_LT(relative_error(seen.cross_entropy, expected.cross_entropy), 1e-12);
  EXPECT_THAT([&] { Model::from(one).ablation(options).add(x, labels + 1); },
              ThrowsMessage<InputError>(HasSubstr("labels go from 0 to 1")));
}

TEST(Several, OneOutputIsTheFirstAsLongAsNoLabelIsTheSecond) {
  const at::Tensor x = samples(6);
  const at::Tensor zeros = at::zeros({6}, at::kLong);
  const at::Tensor labels = at::tensor({0, 1, 1, 0, 1, 0}, at::kLong);
  const Model model =
      Model::from(module_of("def forward(self, x):\n  return (torch.relu(x @ self.w1) @ self.w2).select(1, 0)\n"));
  AttributionOptions options;
  options.layers = {"forward"};
  options.methods = {Method::gradient, Method::gradient_x_centred_activation, Method::activation, Method::ablation};
  AttributionOptions of_index = options;
  of_index.target = Target::index(0);
  Attribution expected = model.attribution(of_index);
  expected.add(x);
  Attribution seen = model.attribution(options);
  seen.add(x, zeros);
  expect_same(seen.scores(), expected.scores());
  // A label of 1 shows that 0 has been the other class all the time, here and in what is merged.
  seen.add(x, labels);
  Attribution whole = model.attribution(options);
  whole.add(at::cat({x, x}), at::cat({zeros, labels}));
  expect_same(seen.scores(), whole.scores());
  Attribution merged = model.attribution(options);
  merged.add(x, zeros);
  Attribution other = model.attribution(options);
  other.add(x, labels);
  merged.merge(other.save());
  expect_same(merged.scores(), whole.scores());
  EXPECT_LT(relative_error(whole.scores().of("forward", 0, Method::gradient).mean,
                           expected.scores().of("forward", 0, Method::gradient).mean),
            10);
  AblationOptions curves;
  curves.orders = {{"forward", 0, 0, Method::gradient, Aggregate::mean, 0, {3, 1, 0, 2, 4}}};
  Ablation ablation = model.ablation(curves);
  ablation.add(x, zeros);
  EXPECT_TRUE(std::isnan(ablation.curves().front().accuracy.front()));
  EXPECT_NEAR(ablation.curves().front().mean_output.front(), model.forward(x).mean().item<double>(), 1e-12);
  ablation.add(x, labels);
  const at::Tensor all = at::cat({zeros, labels});
  const at::Tensor output = model.forward(x).repeat({2});
  EXPECT_NEAR(ablation.curves().front().accuracy.front(), output.gt(0).eq(all).to(at::kDouble).mean().item<double>(),
              1e-12);
}

TEST(Several, ModelsOfSixteenBitsTakeEitherType) {
  const at::Tensor x = samples(5).to(at::kFloat);
  for (const at::ScalarType type : {at::kBFloat16, at::kHalf}) {
    const auto half_module = [&](const std::string& forward) {
      torch::jit::Module module = module_of(forward);
      module.to(type);
      return module;
    };
    const torch::jit::Module takes_half = half_module(plain);
    const std::string casts = std::string("def forward(self, x):\n  h = x.to(self.w1.dtype) @ self.w1\n") +
                              "  return torch.relu(h) @ self.w2\n";
    const auto gradients = [](const torch::jit::Module& module, const at::Tensor& inputs) {
      AttributionOptions options;
      options.layers = {"forward"};
      options.target = Target::index(1);
      Attribution attribution = Model::from(module).attribution(options);
      attribution.add(inputs);
      return attribution.scores();
    };
    const Scores expected = gradients(takes_half, x.to(type));
    expect_same(gradients(takes_half, x), expected);
    expect_same(gradients(half_module(casts), x), expected);
    expect_same(gradients(half_module(casts), x.to(type)), expected);
  }
}

TEST(Several, LabelsPerPositionLeaveOutWhatHasNone) {
  const at::Tensor x = at::stack({samples(4), samples(4) * 0.3, samples(4).flip(1)}, 1);
  const at::Tensor labels = at::tensor({0, 2, -100, 1, -100, 0, 2, 2, 1, -100, -100, 0}, at::kLong).view({4, 3});
  const Model model = Model::from(module_of("def forward(self, x):\n  return torch.relu(x @ self.w1) @ self.w2\n"));
  AblationOptions options;
  options.orders = {{"forward", 0, 0, Method::gradient, Aggregate::mean, 0, {3, 1, 0, 2, 4}}};
  Ablation ablation = model.ablation(options);
  ablation.add(x, labels);
  const RemovalCurve curve = ablation.curves().front();
  const at::Tensor outputs = model.forward(x);
  const at::Tensor counted = labels.ne(-100);
  const at::Tensor right = outputs.argmax(2).eq(labels).logical_and(counted);
  EXPECT_NEAR(curve.accuracy.front(), right.sum().item<double>() / counted.sum().item<double>(), 1e-12);
  const at::Tensor entropies = at::log_softmax(outputs, 2).gather(2, labels.clamp_min(0).unsqueeze(2)).squeeze(2);
  EXPECT_NEAR(curve.cross_entropy.front(),
              -entropies.masked_select(counted).sum().item<double>() / counted.sum().item<double>(), 1e-10);
  Ablation halves = model.ablation(options);
  halves.add(x.slice(0, 0, 1), labels.slice(0, 0, 1));
  Ablation rest = model.ablation(options);
  rest.add(x.slice(0, 1), labels.slice(0, 1));
  halves.merge(rest.save());
  EXPECT_EQ(halves.curves().front().accuracy, curve.accuracy);
  EXPECT_THAT([&] { ablation.add(x, labels.slice(1, 0, 2)); },
              ThrowsMessage<InputError>(HasSubstr("labels for 2 positions per sample")));
  EXPECT_THAT([&] { ablation.add(x, at::full_like(labels, 3)); },
              ThrowsMessage<InputError>(HasSubstr("-100 where a position does not count")));
}

/// Inputs as layers, and paths in the space of embeddings, of a model of tokens of two kinds and of numbers.
class InputLayersTest : public testing::TestWithParam<std::string> {
 protected:
  Model model_ = Model::load(fixture_path("inputs/review." + GetParam()));
  Arrays arrays_ = read_npz(fixture_path("inputs/review.npz"));
  Inputs inputs_ = inputs_with(arrays_.at("input_ids"), arrays_.at("price"));

  Inputs inputs_with(const at::Tensor& ids, const at::Tensor& price) const {
    return Inputs::of({{"input_ids", ids},
                       {"token_type_ids", arrays_.at("token_type_ids").slice(0, 0, ids.size(0))},
                       {"attention_mask", arrays_.at("attention_mask").slice(0, 0, ids.size(0))},
                       {"price", price}});
  }

  /// Every token counts, so that the model at the baseline's tokens is the model with their vectors.
  Inputs full_inputs(const at::Tensor& ids, const at::Tensor& price) const {
    return Inputs::of({{"input_ids", ids},
                       {"token_type_ids", at::arange(ids.numel()).remainder(2).view_as(ids)},
                       {"attention_mask", at::ones_like(ids)},
                       {"price", price}});
  }

  static AttributionOptions options_with(std::vector<std::string> layers, std::vector<Method> methods) {
    AttributionOptions options;
    options.layers = std::move(layers);
    options.methods = std::move(methods);
    options.steps = 12;
    return options;
  }

  std::vector<NamedTensor> baselines() const {
    return {{"input_ids", arrays_.at("baseline_ids")}, {"price", arrays_.at("baseline_price")}};
  }
};

TEST_P(InputLayersTest, ScoresAndPathsAreThoseOfEagerPyTorch) {
  std::map<std::string, Golden> truths;
  for (auto& row : read_csv(fixture_path("golden/inputs.csv"))) {
    add_truth(truths, row);
  }
  ASSERT_EQ(truths.size(), 3);
  for (const auto& [variant, truth] : truths) {
    SCOPED_TRACE(variant);
    AttributionOptions options =
        variant == "plain" ? options_with({"input:input_ids", "input:price"},
                                          {Method::gradient, Method::gradient_x_preactivation, Method::activation,
                                           Method::integrated_gradients, Method::ablation})
                           : options_with({"input:input_ids", "input:price", "act"},
                                          {Method::conductance, Method::internal_influence});
    if (variant == "given") {
      options.input_baselines = baselines();
    }
    Attribution attribution = model_.attribution(options);
    attribution.add(inputs_, arrays_.at("y"), arrays_.at("cluster"));
    expect_truth(attribution.scores(), truth);
  }
}

TEST_P(InputLayersTest, ConductanceOfTheInputsAddsUpToTheDifferenceOfTheOutputs) {
  const at::Tensor ids = at::tensor({1, 5, 9, 12, 3, 2, 2, 7, 11, 4}, at::kLong).view({2, 5});
  const at::Tensor price = arrays_.at("price").slice(0, 0, 2);
  AttributionOptions options = options_with({"input:*"}, {Method::conductance});
  options.steps = 400;
  options.target = Target::index(1);
  options.input_baselines = baselines();
  Attribution attribution = model_.attribution(options);
  attribution.add(full_inputs(ids, price), {}, at::arange(2));
  const Scores scores = attribution.scores();
  const at::Tensor end = model_.forward(full_inputs(ids, price)).select(1, 1);
  const at::Tensor start =
      model_
          .forward(full_inputs(arrays_.at("baseline_ids").expand({2, 5}), arrays_.at("baseline_price").expand({2, 3})))
          .select(1, 1);
  for (std::int64_t sample = 0; sample < 2; ++sample) {
    double sum = 0;
    for (const char* layer : {"input:input_ids", "input:price"}) {
      for (const double each : scores.of(layer, sample, Method::conductance).mean) {
        sum += each;
      }
    }
    EXPECT_NEAR(sum, (end - start)[sample].item<double>(), 1e-3 * (end - start).abs().max().item<double>());
    // What kind a token is of, the path leaves alone.
    EXPECT_EQ(scores.of("input:token_type_ids", sample, Method::conductance).mean, std::vector<double>(6, 0));
  }
}

TEST_P(InputLayersTest, KindsOfTokensMoveWhereTheirBaselineIsGiven) {
  AttributionOptions options = options_with({"input:token_type_ids"}, {Method::conductance});
  options.input_baselines = baselines();
  options.input_baselines.push_back({"token_type_ids", at::ones({5}, at::kLong)});
  Attribution attribution = model_.attribution(options);
  attribution.add(inputs_, arrays_.at("y"));
  EXPECT_THAT(attribution.scores().of("input:token_type_ids", 0, Method::conductance).rms,
              testing::Each(testing::Gt(1e-4)));
  options.input_baselines.push_back({"attention_mask", at::ones({5}, at::kLong)});
  EXPECT_THAT([&] { model_.attribution(options).add(inputs_, arrays_.at("y")); },
              ThrowsMessage<InputError>(HasSubstr("'attention_mask', whose values are of type Long and enter no "
                                                  "embedding")));
  options.reading.mask = "attention_mask";
  model_.attribution(options).add(inputs_, arrays_.at("y"));
  options.input_baselines = {{"input_ids", at::ones({5})}};
  EXPECT_THAT([&] { model_.attribution(options).add(inputs_, arrays_.at("y")); },
              ThrowsMessage<InputError>(HasSubstr("has type Float for inputs of type Long")));
  options.input_baselines = {{"words", at::ones({5})}};
  EXPECT_THAT([&] { model_.attribution(options); },
              ThrowsMessage<ArgumentError>(HasSubstr("the model has no such input")));
}

TEST_P(InputLayersTest, AreListedCheckedAndRemoved) {
  std::vector<std::string> names;
  for (const Layer& layer : model_.layers(inputs_, {"input:*"})) {
    names.push_back(layer.name);
    EXPECT_EQ(layer.op, "input");
    EXPECT_EQ(layer.neurons, layer.name == "input:price" ? 3 : 6);
  }
  EXPECT_THAT(names, testing::UnorderedElementsAre("input:input_ids", "input:token_type_ids", "input:price"));
  for (const Layer& layer : model_.layers()) {
    EXPECT_THAT(layer.name, testing::Not(testing::StartsWith("input:")));
  }
  CheckOptions checked;
  checked.layers = {"input:input_ids", "input:price"};
  Check check = model_.check(checked);
  check.add(inputs_, arrays_.at("y"));
  ASSERT_EQ(check.results().size(), 2);
  for (const LayerCheck& result : check.results()) {
    EXPECT_TRUE(result.passed) << result.layer << " " << result.gradient_error;
  }
  AblationOptions options;
  options.target = Target::index(2);
  options.orders = {{"input:price", 0, 0, Method::gradient, Aggregate::mean, 0, {0, 1, 2}}};
  Ablation ablation = model_.ablation(options);
  ablation.add(inputs_, arrays_.at("y"));
  const at::Tensor without = model_.forward(inputs_with(arrays_.at("input_ids"), at::zeros({9, 3})));
  EXPECT_NEAR(ablation.curves().front().mean_output.back(), without.select(1, 2).mean().item<double>(), 1e-5);
}

TEST_P(InputLayersTest, PaddingThatTheMaskLeavesOutHasNoPart) {
  AttributionOptions options =
      options_with({"input:input_ids"}, {Method::gradient, Method::activation, Method::conductance});
  options.reading.mask = "attention_mask";
  Attribution padded = model_.attribution(options);
  padded.add(inputs_, arrays_.at("y"), at::arange(9));
  for (const std::int64_t sample : {0, 1, 3, 4}) {
    const std::int64_t length = arrays_.at("attention_mask")[sample].sum().item<std::int64_t>();
    const auto cut = [&](const char* name) {
      return arrays_.at(name).slice(0, sample, sample + 1).slice(1, 0, length);
    };
    Attribution alone = model_.attribution(options);
    alone.add(Inputs::of({{"input_ids", cut("input_ids")},
                          {"token_type_ids", cut("token_type_ids")},
                          {"attention_mask", cut("attention_mask")},
                          {"price", arrays_.at("price").slice(0, sample, sample + 1)}}),
              arrays_.at("y").slice(0, sample, sample + 1));
    for (const Method method : options.methods) {
      EXPECT_LT(relative_error(padded.scores().of("input:input_ids", sample, method).mean,
                               alone.scores().of("input:input_ids", 0, method).mean),
                promised_of_golden_values)
          << sample << " " << name_of(method);
    }
  }
}

TEST_P(InputLayersTest, AMaskIsNoLayer) {
  const auto named = [&] {
    model_.attribution(options_with({"input:attention_mask"}, {Method::gradient})).add(inputs_, arrays_.at("y"));
  };
  EXPECT_THAT(named, ThrowsMessage<LayerError>(HasSubstr("'input:attention_mask' has type Long")));
  EXPECT_THROW(static_cast<void>(model_.layers(inputs_, {"input:attention_mask"})), LayerError);
  EXPECT_THAT([&] { model_.attribution(options_with({"input:cost"}, {Method::gradient})); },
              ThrowsMessage<LayerError>(HasSubstr("the model has no input 'cost' that is a layer: name ")));
}

INSTANTIATE_TEST_SUITE_P(Forms, InputLayersTest, testing::Values("scripted.pt", "traced.pt", "exported.pt2"),
                         [](const auto& form) { return form.param.substr(0, form.param.find('.')); });

TEST(InputLayers, AnInputThatEntersSeveralTablesIsRefusedByNameAndMovesInAll) {
  const Model model = Model::from(
      module_of("def forward(self, ids):\n"
                "  return torch.relu(torch.embedding(self.w1, ids).sum(1)) @ self.w2 + torch.embedding(self.w2, "
                "ids).sum(1)\n"));
  AttributionOptions options;
  options.layers = {"input:ids"};
  options.target = Target::index(2);
  EXPECT_THAT([&] { model.attribution(options); },
              ThrowsMessage<LayerError>(HasSubstr("'input:ids' enters several embeddings")));
  options.layers = {"input:*"};
  EXPECT_THROW(model.attribution(options), LayerError);
  // Behind the activation everything is linear, so its conductance is what it adds to the output.
  options.layers = {"forward"};
  options.methods = {Method::conductance};
  const at::Tensor ids = at::tensor({0, 1, 4, 3, 2, 2}, at::kLong).view({3, 2});
  Attribution attribution = model.attribution(options);
  attribution.add(ids);
  const at::Tensor numbers = at::arange(30, at::kDouble);
  const at::Tensor w1 = numbers.sin().reshape({6, 5});
  const at::Tensor w2 = numbers.slice(0, 0, 15).cos().reshape({5, 3});
  const at::Tensor truth = (at::relu(at::embedding(w1, ids).sum(1)) * w2.select(1, 2)).mean(0);
  const auto seen = attribution.scores().of("forward", 0, Method::conductance).mean;
  EXPECT_TRUE(at::allclose(at::tensor(seen, at::kDouble), truth, 1e-10, 1e-12));
}

TEST(InputLayers, NumbersThatEnterNoEmbeddingHaveNoPath) {
  const Model model =
      Model::from(module_of("def forward(self, ids):\n"
                            "  return torch.relu(torch.eq(ids.unsqueeze(2), torch.arange(6)).sum(1).type_as(self.w1) @ "
                            "self.w1) @ self.w2\n"));
  AttributionOptions options;
  options.layers = {"forward"};
  options.methods = {Method::conductance};
  options.target = Target::index(0);
  const at::Tensor ids = at::tensor({0, 1, 4, 3, 2, 5}, at::kLong).view({3, 2});
  EXPECT_THAT([&] { model.attribution(options).add(ids); },
              ThrowsMessage<InputError>(HasSubstr("enter no embedding that the model shows")));
}

TEST(InputLayers, ElementsOfContainersAndInputsThatMayBeLeftOutAreLayers) {
  const Model model =
      Model::from(module_of("def forward(self, batch: Dict[str, Tensor], more: Optional[Tensor] = None):\n"
                            "  y = torch.relu(batch['x'] @ self.w1) @ self.w2\n"
                            "  if more is not None:\n"
                            "    y = y + more * more\n"
                            "  return y\n"));
  const at::Tensor x = samples(4);
  const at::Tensor kept = x.clone();
  const at::Tensor more = samples(2).view({4, 3});
  AttributionOptions options;
  options.layers = {"input:batch.x", "input:more"};
  options.methods = {Method::gradient, Method::ablation};
  options.target = Target::index(1);
  Attribution attribution = model.attribution(options);
  for (int batch = 0; batch < 2; ++batch) {  // nothing of a batch stays with the caller's tensors
    attribution.add(Inputs::of({{"batch.x", x}, {"more", more}}));
  }
  EXPECT_TRUE(x.equal(kept));
  EXPECT_FALSE(x.requires_grad());
  const at::Tensor leaf = x.clone().requires_grad_();
  const at::Tensor numbers = at::arange(30, at::kDouble);
  const at::Tensor w1 = numbers.sin().reshape({6, 5});
  const at::Tensor w2 = numbers.slice(0, 0, 15).cos().reshape({5, 3});
  at::relu(leaf.matmul(w1)).matmul(w2).select(1, 1).sum().backward();
  const at::Tensor truth = leaf.grad().mean(0);
  const auto seen = attribution.scores().of("input:batch.x", 0, Method::gradient).mean;
  EXPECT_TRUE(at::allclose(at::tensor(seen, at::kDouble), truth, 1e-10, 1e-12));
  const auto of_more = attribution.scores().of("input:more", 0, Method::gradient).mean;
  EXPECT_NEAR(of_more[1], 2 * more.select(1, 1).mean().item<double>(), 1e-12);
  Attribution without = model.attribution(options);
  without.add(Inputs::of({{"batch.x", x}}));
  EXPECT_EQ(without.scores().entries().size(), 2);
}

}  // namespace

}  // namespace pregrad::test::several_test
