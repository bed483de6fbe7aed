// Recorded batches against those that are not, with a recorder on the host in place of CUDA graphs: it shows whether
// the recorded work reads anything but the memory that the next batch is written to.

#include <algorithm>
#include <atomic>
#include <limits>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/frontend/sugared_value.h>
#include <torch/library.h>
#include <torch/script.h>
#include <torch/torch.h>

#include "attribution/attribution_implementation.hpp"
#include "equal_scores.hpp"
#include "fixtures.hpp"
#include "host_recorder.hpp"
#include "model/model_implementation.hpp"
#include "operator_counts.hpp"
#include "pregrad/pregrad.hpp"
#include "readers/model_loader.hpp"
#include "rounding.hpp"

namespace pregrad::test::recorded_plans_test {

namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;
using Implementation = Attribution::Implementation;
using ModelImplementation = std::shared_ptr<const Model::Implementation>;

/// Values of the same kernels on the same shapes, added up in another order: over a hundred thousand samples and
/// positions at most, in float64.
const double tolerance = apart(at::kDouble, {100000});
constexpr std::int64_t before_recording = attribution::RecordedPlans::first_recorded - 1;

const std::vector<Method>& recordable_methods() {
  static const std::vector<Method> methods = {
      Method::gradient,   Method::gradient_x_preactivation,      Method::gradient_x_activation, Method::preactivation,
      Method::activation, Method::gradient_x_centred_activation, Method::activation_rate,       Method::random};
  return methods;
}

ModelImplementation load(const std::filesystem::path& file) {
  return std::make_shared<const Model::Implementation>(readers::load_model(file, c10::kCPU));
}

AttributionOptions options_of(std::vector<std::string> layers, std::vector<Method> methods = recordable_methods()) {
  AttributionOptions options;
  options.layers = std::move(layers);
  options.methods = std::move(methods);
  return options;
}

/// Samples of `data` in another order, in three clusters of other sizes.
Data shuffled(const Data& data, std::int64_t samples) {
  const at::Tensor order = torch::randperm(data.x.size(0)).slice(0, 0, samples);
  const at::Tensor clusters = torch::randint(3, {samples}, torch::kLong);
  clusters.slice(0, 0, 3).copy_(torch::arange(std::min<std::int64_t>(samples, 3)));
  return {data.x.index_select(0, order), data.y.index_select(0, order), clusters};
}

void add(Implementation& attribution, const Data& batch) { attribution.add(batch.x, batch.y, batch.cluster); }

/// Whether the model's code takes a number out of a tensor: of the batch, or, as a trace does with sizes, of one that
/// on a device would lie on the host all the same, which the recorder here cannot tell.
bool reads_numbers(const Fixture& fixture) {
  static const std::set<std::pair<std::string, std::string>> reading = {
      {"act-rrelu", "scripted"},      {"act-rrelu", "traced"},        {"act-rrelu", "exported"},
      {"transformer-relu", "traced"}, {"transformer-gelu", "traced"}, {"vit", "traced"},
      {"cond", "exported"},           {"decomposed", "exported"}};
  return reading.count({fixture.model, fixture.form}) != 0;
}

class RecordedFixtureTest : public testing::TestWithParam<Fixture> {};

TEST_P(RecordedFixtureTest, ReplayedBatchesGiveTheScoresOfTheOthers) {
  torch::manual_seed(11);
  const Data data = read_data(GetParam().data);
  const std::int64_t samples = std::min<std::int64_t>(12, data.x.size(0));
  const ModelImplementation model = load(GetParam().file);
  AttributionOptions options = options_of({});
  for (const Layer& layer : model->layers(data.x.slice(0, 0, samples))) {
    options.layers.push_back(layer.name + "@" + std::to_string(layer.call));
  }
  if (options.layers.empty()) {
    return;
  }
  RecorderCounts counts;
  Implementation seen(model, options, host_recorders(counts));
  Implementation expected(model, options);
  constexpr int batches = 6;
  for (int i = 0; i < batches; ++i) {
    const Data batch = shuffled(data, samples);
    add(seen, batch);
    add(expected, batch);
  }
  const Data last = shuffled(data, samples - 1);
  add(seen, last);
  add(expected, last);
  // Kernels of old instruction sets treat the ends of a row by where it lies in memory, which a recording holds
  // elsewhere.
  expect_equal_scores(seen.scores(), expected.scores(), promised_between_batches);
  EXPECT_EQ(counts.recorders, 1);
  if (reads_numbers(GetParam())) {
    EXPECT_EQ(seen.graph_refusal(), "CUDA error: operation not permitted when stream is capturing");
    EXPECT_EQ(seen.batches_replayed(), 0);
  } else {
    EXPECT_EQ(seen.graph_refusal(), "");
    EXPECT_EQ(seen.batches_replayed(), batches - before_recording);
    EXPECT_EQ(counts.replays, batches - before_recording);
  }
}

std::string fixture_name(const testing::TestParamInfo<Fixture>& fixture) { return test_name(fixture.param); }

INSTANTIATE_TEST_SUITE_P(Fixtures, RecordedFixtureTest, testing::ValuesIn(attributable_fixtures()), fixture_name);

/// Something that goes wrong while it is recorded.
enum class Trouble { none, waits, out_of_memory, always_out_of_memory };
std::atomic<Trouble> trouble = Trouble::none;

at::Tensor troubled(const at::Tensor& x) {
  const bool is_out_of_memory =
      trouble == Trouble::always_out_of_memory ? x.size(0) > 4 : trouble == Trouble::out_of_memory && is_recording();
  TORCH_CHECK_WITH(OutOfMemoryError, !is_out_of_memory, "CUDA out of memory. Tried to allocate 2.00 GiB");
  if (trouble == Trouble::waits && is_recording()) {
    refuse_to_wait();
  }
  return x.mul(1);
}

TORCH_LIBRARY(pregrad_recorder_test, library) { library.def("troubled(Tensor x) -> Tensor", &troubled); }

struct TestOperators : torch::jit::Resolver {
  std::shared_ptr<torch::jit::SugaredValue> resolveValue(const std::string& name, torch::jit::GraphFunction& function,
                                                         const torch::jit::SourceRange& range) override {
    return name == "test" ? std::make_shared<torch::jit::BuiltinModule>("pregrad_recorder_test")
                          : torch::jit::nativeResolver()->resolveValue(name, function, range);
  }
};

ModelImplementation model_of(const std::string& code) {
  torch::manual_seed(5);
  torch::jit::Module module("Recorded");
  module.register_parameter("w1", torch::randn({7, 6}), false);
  module.register_parameter("w2", torch::randn({3, 7}), false);
  module.define(code, std::make_shared<TestOperators>());
  return std::make_shared<const Model::Implementation>(
      graph::ModelGraph(readers::read_module(module, c10::kCPU), c10::kCPU));
}

class RecordedPlansTest : public testing::Test {
 protected:
  RecordedPlansTest() { torch::manual_seed(6); }
  ~RecordedPlansTest() override { trouble = Trouble::none; }

  static Data batch(std::int64_t samples, std::int64_t clusters = 2) {
    const at::Tensor cluster = torch::arange(samples) % clusters;
    return {torch::randn({samples, 6}), torch::randint(3, {samples}, torch::kLong), cluster};
  }
  Implementation recorded(const AttributionOptions& options) { return {model_, options, host_recorders(counts_)}; }
  Implementation plain(const AttributionOptions& options) const { return {model_, options}; }

  /// Adds batches to both and compares.
  void expect_same_scores(Implementation& seen, const AttributionOptions& options, const std::vector<Data>& batches) {
    Implementation expected = plain(options);
    for (const Data& each : batches) {
      add(seen, each);
      add(expected, each);
    }
    expect_equal_scores(seen.scores(), expected.scores(), tolerance);
  }

  ModelImplementation model_ = model_of(R"(
def forward(self, x):
    a = torch.relu(torch.linear(test.troubled(x), self.w1))
    return torch.linear(a, self.w2)
)");
  AttributionOptions options_ = options_of({"forward"});
  RecorderCounts counts_;
};

std::vector<Data> batches_of(std::int64_t count, std::int64_t samples) {
  std::vector<Data> batches;
  for (std::int64_t i = 0; i < count; ++i) {
    batches.push_back(
        {torch::randn({samples, 6}), torch::randint(3, {samples}, torch::kLong), torch::arange(samples) % 2});
  }
  return batches;
}

TEST_F(RecordedPlansTest, EveryTargetAndOutputIsRecorded) {
  for (const Target target : {Target::label(), Target::predicted(), Target::index(2)}) {
    for (const Output output : {Output::logit, Output::probability, Output::log_probability}) {
      AttributionOptions options = options_;
      options.target = target;
      options.output = output;
      Implementation seen = recorded(options);
      expect_same_scores(seen, options, batches_of(5, 8));
      EXPECT_EQ(seen.batches_replayed(), 3);
    }
  }
}

TEST_F(RecordedPlansTest, LabelsAndClustersMayBeLeftOut) {
  AttributionOptions options = options_;
  options.target = Target::predicted();
  std::vector<Data> batches = batches_of(5, 8);
  for (Data& each : batches) {
    each.y = each.cluster = at::Tensor();
  }
  Implementation seen = recorded(options);
  expect_same_scores(seen, options, batches);
  EXPECT_EQ(seen.batches_replayed(), 3);
}

TEST_F(RecordedPlansTest, AMethodAloneIsRecordedToo) {
  for (const Method method : recordable_methods()) {
    const AttributionOptions options = options_of({"forward"}, {method});
    Implementation seen = recorded(options);
    expect_same_scores(seen, options, batches_of(5, 8));
    EXPECT_EQ(seen.batches_replayed(), 3) << name_of(method);
  }
}

TEST_F(RecordedPlansTest, ASingleSampleIsAShapeToo) {
  Implementation seen = recorded(options_);
  expect_same_scores(seen, options_, batches_of(9, 1));
  EXPECT_EQ(seen.batches_replayed(), 7);
}

TEST_F(RecordedPlansTest, ManyClustersInManyChunks) {
  std::vector<Data> batches;
  for (int i = 0; i < 5; ++i) {
    Data each = {torch::randn({3000, 6}), torch::randint(3, {3000}, torch::kLong),
                 torch::randint(200, {3000}, torch::kLong)};
    each.cluster.slice(0, 0, 200).copy_(torch::randperm(200));
    batches.push_back(each);
  }
  Implementation seen = recorded(options_);
  expect_same_scores(seen, options_, batches);
  EXPECT_EQ(seen.batches_replayed(), 3);
}

TEST_F(RecordedPlansTest, InputsMayLieInMemoryAsTheyLike) {
  std::vector<Data> batches = batches_of(10, 8);
  for (std::size_t i = 0; i < batches.size(); i += 2) {
    batches[i].x = batches[i].x.t().contiguous().t();
  }
  Implementation seen = recorded(options_);
  expect_same_scores(seen, options_, batches);
  EXPECT_EQ(seen.batches_replayed(), 6) << "two shapes";
}

TEST_F(RecordedPlansTest, NoMoreThanSomeShapesAreRecorded) {
  std::vector<Data> batches;
  for (std::int64_t samples = 2; samples < 10; ++samples) {
    const std::vector<Data> some = batches_of(5, samples);
    batches.insert(batches.end(), some.begin(), some.end());
  }
  Implementation seen = recorded(options_);
  expect_same_scores(seen, options_, batches);
  EXPECT_EQ(counts_.recordings, attribution::RecordedPlans::most_shapes);
  EXPECT_EQ(seen.batches_replayed(), 3 * static_cast<std::int64_t>(attribution::RecordedPlans::most_shapes));
}

TEST_F(RecordedPlansTest, ShapesThatComeOnceAreForgotten) {
  Implementation seen = recorded(options_);
  std::vector<Data> batches;
  for (std::int64_t samples = 2; samples < 300; ++samples) {
    batches.push_back(batch(samples));
  }
  expect_same_scores(seen, options_, batches);
  EXPECT_EQ(counts_.recorders, 0);
}

TEST_F(RecordedPlansTest, AnotherNumberOfClustersIsAnotherShape) {
  Implementation seen = recorded(options_);
  std::vector<Data> batches;
  for (int i = 0; i < 5; ++i) {
    batches.push_back(batch(8, 2));
    batches.push_back(batch(8, 3));
  }
  expect_same_scores(seen, options_, batches);
  EXPECT_EQ(counts_.recordings, 2);
  EXPECT_EQ(seen.batches_replayed(), 6);
}

TEST_F(RecordedPlansTest, AReplayRunsTheModelOnce) {
  Implementation seen = recorded(options_);
  for (const Data& each : batches_of(4, 8)) {
    add(seen, each);
  }
  const Data next = batch(8);
  const OperatorCounts replayed = operator_counts(at::RecordScope::FUNCTION, [&] { add(seen, next); });
  EXPECT_EQ(replayed.at("aten::linear"), 2);
  EXPECT_EQ(replayed.count("aten::item"), 0) << "nothing is asked for one by one";
  EXPECT_EQ(counts_.replays, 3);
}

TEST_F(RecordedPlansTest, WhatCannotBeRecordedIsAddedAllTheSame) {
  trouble = Trouble::waits;
  Implementation seen = recorded(options_);
  expect_same_scores(seen, options_, batches_of(8, 8));
  EXPECT_EQ(seen.graph_refusal(), "CUDA error: operation not permitted when stream is capturing");
  EXPECT_EQ(seen.batches_replayed(), 0);
  EXPECT_EQ(counts_.recorders, 1) << "it is not tried again";
}

TEST_F(RecordedPlansTest, AModelThatLooksAtItsNumbersIsNotRecorded) {
  model_ = model_of(R"(
def forward(self, x):
    z = torch.linear(x, self.w1)
    if bool(z.sum() > 0):
        z = z * 2
    return torch.linear(torch.relu(z), self.w2)
)");
  Implementation seen = recorded(options_);
  EXPECT_THROW(add(seen, batch(8)), UnsupportedModelError) << "its samples depend on each other";
  model_ = model_of(R"(
def forward(self, x):
    z = torch.linear(x, self.w1)
    if bool((x > 1000).any()):
        z = z * 0
    return torch.linear(torch.relu(z), self.w2)
)");
  Implementation looking = recorded(options_);
  expect_same_scores(looking, options_, batches_of(5, 8));
  EXPECT_THAT(looking.graph_refusal(), HasSubstr("not permitted when stream is capturing"));
}

TEST_F(RecordedPlansTest, ADeviceWithoutMemoryForARecordingMakesNone) {
  trouble = Trouble::out_of_memory;
  Implementation seen = recorded(options_);
  std::vector<Data> batches = batches_of(6, 8);
  const std::vector<Data> others = batches_of(6, 5);
  batches.insert(batches.end(), others.begin(), others.end());
  expect_same_scores(seen, options_, batches);
  EXPECT_THAT(seen.graph_refusal(), HasSubstr("CUDA out of memory"));
  EXPECT_EQ(counts_.recorders, 1);
  EXPECT_EQ(seen.batches_split(), 0);
}

TEST_F(RecordedPlansTest, RecordingsMakeRoomForABatchThatDoesNotFit) {
  Implementation seen = recorded(options_);
  expect_same_scores(seen, options_, batches_of(4, 3));
  EXPECT_EQ(seen.batches_replayed(), 2);
  trouble = Trouble::always_out_of_memory;
  add(seen, batch(8));
  EXPECT_EQ(seen.batches_split(), 1);
  EXPECT_THAT(seen.graph_refusal(), HasSubstr("too little memory"));
  add(seen, batch(3));
  EXPECT_EQ(seen.batches_replayed(), 2);
}

TEST_F(RecordedPlansTest, AReplayThatDoesNotFitIsDoneInHalves) {
  Implementation seen = recorded(options_);
  Implementation expected = plain(options_);
  const std::vector<Data> batches = batches_of(5, 8);
  for (std::size_t i = 0; i < batches.size(); ++i) {
    trouble = i == 4 ? Trouble::always_out_of_memory : Trouble::none;
    add(seen, batches[i]);
    trouble = Trouble::none;
    add(expected, batches[i]);
  }
  // Halves are another shape: two products forward, one back.
  expect_equal_scores(seen.scores(), expected.scores(), apart(at::kFloat, {6, 7, 3}));
  EXPECT_EQ(seen.batches_replayed(), 2);
  EXPECT_EQ(seen.batches_split(), 1);
}

TEST_F(RecordedPlansTest, WhatIsWrongWithABatchIsSaidAndAddsNothing) {
  Implementation seen = recorded(options_);
  for (const std::int64_t good : {2, 3}) {  // the next one would be recorded, or replayed
    for (const Data& each : batches_of(good, 8)) {
      add(seen, each);
    }
    const std::string before = seen.save();
    Data wrong = batch(8);
    wrong.y = wrong.y.clone();
    wrong.y[5] = 3;
    EXPECT_THAT([&] { add(seen, wrong); }, ThrowsMessage<InputError>(HasSubstr("label 3 of sample 5")));
    wrong.y = at::Tensor();
    EXPECT_THAT([&] { add(seen, wrong); }, ThrowsMessage<InputError>(HasSubstr("there are no labels")));
    Data infinite = batch(8);
    infinite.x[6].fill_(std::numeric_limits<float>::max());
    EXPECT_THAT([&] { add(seen, infinite); }, ThrowsMessage<InputError>(HasSubstr("sample 6 is NaN or infinite")));
    EXPECT_EQ(seen.save(), before);
  }
  EXPECT_EQ(seen.graph_refusal(), "");
  EXPECT_EQ(seen.batches_replayed(), 3);
}

TEST_F(RecordedPlansTest, AStateGoesOn) {
  const std::vector<Data> batches = batches_of(9, 8);
  Implementation whole = recorded(options_);
  Implementation first = recorded(options_);
  Implementation second = recorded(options_);
  for (std::size_t i = 0; i < batches.size(); ++i) {
    add(whole, batches[i]);
    if (i < 4) {
      add(first, batches[i]);
    }
  }
  second.restore(first.save());
  for (std::size_t i = 4; i < batches.size(); ++i) {
    add(second, batches[i]);
    add(first, batches[i]);
  }
  expect_equal_scores(second.scores(), whole.scores(), tolerance);
  EXPECT_EQ(first.save(), whole.save());
}

TEST_F(RecordedPlansTest, ThreadsAtOnceAddWhatOneWould) {
  constexpr int threads = 6;
  constexpr int rounds = 40;
  std::vector<Data> batches = batches_of(threads * rounds, 8);
  Implementation seen = recorded(options_);
  Implementation expected = plain(options_);
  std::vector<std::thread> at_once;
  for (int thread = 0; thread < threads; ++thread) {
    at_once.emplace_back([&, thread] {
      for (int i = 0; i < rounds; ++i) {
        add(seen, batches[static_cast<std::size_t>(thread * rounds + i)]);
      }
    });
  }
  for (std::thread& thread : at_once) {
    thread.join();
  }
  for (const Data& each : batches) {
    add(expected, each);
  }
  expect_equal_scores(seen.scores(), expected.scores(), tolerance);
  EXPECT_EQ(counts_.recordings, 1);
  EXPECT_GT(seen.batches_replayed(), 0);
}

TEST_F(RecordedPlansTest, ThreadsMayFindNoMemoryWhileOthersReplay) {
  std::vector<Data> batches = batches_of(120, 3);
  Implementation seen = recorded(options_);
  for (const Data& each : batches_of(4, 3)) {
    add(seen, each);
  }
  std::vector<std::thread> at_once;
  for (int thread = 0; thread < 4; ++thread) {
    at_once.emplace_back([&, thread] {
      for (std::size_t i = static_cast<std::size_t>(thread); i < batches.size(); i += 4) {
        if (i == 60) {
          trouble = Trouble::always_out_of_memory;
          add(seen, batch(8));
        }
        add(seen, batches[i]);
      }
    });
  }
  for (std::thread& thread : at_once) {
    thread.join();
  }
  EXPECT_EQ(seen.batches_split(), 1);
  std::int64_t count = 0;
  for (const Score& score : seen.scores().entries()) {
    count += score.method == Method::gradient ? score.statistics.count : 0;
  }
  EXPECT_EQ(count, (120 + 4) * 3 + 8);
}

TEST_F(RecordedPlansTest, SwitchedOffNothingIsRecorded) {
  AttributionOptions options = options_;
  options.cuda_graphs = false;
  Implementation seen = recorded(options);
  expect_same_scores(seen, options, batches_of(5, 8));
  EXPECT_EQ(counts_.recorders, 0);
  EXPECT_EQ(seen.batches_replayed(), 0);
}

TEST_F(RecordedPlansTest, MethodsThatRunTheModelAgainAreNotRecorded) {
  for (const Method method : {Method::integrated_gradients, Method::conductance, Method::ablation}) {
    AttributionOptions options = options_of({"forward"}, {Method::gradient, method});
    options.steps = 3;
    Implementation seen = recorded(options);
    expect_same_scores(seen, options, batches_of(4, 8));
  }
  EXPECT_EQ(counts_.recorders, 0);
}

TEST_F(RecordedPlansTest, SeveralLabelsPerSampleGiveTheSameScores) {
  for (const std::int64_t samples : {4, 80}) {  // run as copies, and as one forward with a backward per label
    Implementation seen = recorded(options_);
    Implementation expected = plain(options_);
    for (int i = 0; i < 5; ++i) {
      const at::Tensor x = torch::randn({samples, 6});
      const at::Tensor y = torch::randint(3, {samples, 2}, torch::kLong);
      seen.add(x, y, y);
      expected.add(x, y, y);
    }
    expect_equal_scores(seen.scores(), expected.scores(), tolerance);
  }
}

}  // namespace

}  // namespace pregrad::test::recorded_plans_test
