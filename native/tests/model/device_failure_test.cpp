// What a device without memory, and one that breaks, does to an attribution: operators that fail on purpose stand in
// for a GPU, so that it shows on any machine.

#include <atomic>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/frontend/sugared_value.h>
#include <torch/library.h>
#include <torch/script.h>
#include <torch/torch.h>

#include "attribution/attribution_implementation.hpp"
#include "equal_scores.hpp"
#include "fixtures.hpp"
#include "pregrad/pregrad.hpp"
#include "readers/model_loader.hpp"
#include "rounding.hpp"
#include "support/failures.hpp"

namespace pregrad::test::device_failure_test {

namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::ThrowsMessage;

constexpr std::int64_t unlimited = std::numeric_limits<std::int64_t>::max();
constexpr double never_fits = 1e6;  ///< a sample whose first number is larger has no room, alone or with others
constexpr std::int32_t illegal_address = 700;
constexpr std::int32_t invalid_configuration = 9;

std::atomic<std::int64_t> forward_limit = unlimited;   // samples of one forward
std::atomic<std::int64_t> backward_limit = unlimited;  // samples of one backward
std::atomic<std::int32_t> forward_error = 0;           // a CUDA error's code
std::atomic<std::int32_t> backward_error = 0;

void fail(std::int64_t samples, std::int64_t limit, std::int32_t error) {
  if (samples > limit) {
    TORCH_CHECK_WITH(OutOfMemoryError, false,
                     "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79.10 GiB of which "
                     "1.00 GiB is free. Of the allocated memory 70.00 GiB is allocated by PyTorch");
  }
  if (error != 0) {
    throw c10::AcceleratorError({__func__, __FILE__, __LINE__}, error,
                                error == illegal_address
                                    ? "CUDA error: an illegal memory access was encountered\nSearch for "
                                      "`cudaErrorIllegalAddress' in https://docs.nvidia.com for more information.\n"
                                    : "CUDA error: invalid configuration argument\nSearch for "
                                      "`cudaErrorInvalidConfiguration' in https://docs.nvidia.com for more "
                                      "information.\n");
  }
}

at::Tensor limited(const at::Tensor& x) {
  const bool fits = x.select(1, 0).max().item<double>() < never_fits;
  fail(x.size(0), fits ? forward_limit.load() : 0, forward_error);
  return x.mul(1);
}

struct LimitedBackward : torch::autograd::Function<LimitedBackward> {
  static at::Tensor forward(torch::autograd::AutogradContext* /*context*/, const at::Tensor& x) {
    fail(x.size(0), forward_limit, 0);
    return x.mul(1);
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* /*context*/,
                                                 const torch::autograd::variable_list& gradients) {
    fail(gradients[0].size(0), backward_limit, backward_error);
    return gradients;
  }
};

at::Tensor limited_backward(const at::Tensor& x) { return LimitedBackward::apply(x); }

TORCH_LIBRARY(pregrad_test, library) {
  library.def("limited(Tensor x) -> Tensor", &limited);
  library.def("limited_backward(Tensor x) -> Tensor", &limited_backward);
}

struct TestOperators : torch::jit::Resolver {
  std::shared_ptr<torch::jit::SugaredValue> resolveValue(const std::string& name, torch::jit::GraphFunction& function,
                                                         const torch::jit::SourceRange& range) override {
    return name == "test" ? std::make_shared<torch::jit::BuiltinModule>("pregrad_test")
                          : torch::jit::nativeResolver()->resolveValue(name, function, range);
  }
};

torch::jit::Module make_module() {
  torch::manual_seed(5);
  torch::jit::Module module("Limited");
  module.register_parameter("w1", torch::randn({7, 6}), false);
  module.register_parameter("w2", torch::randn({5, 7}), false);
  module.register_parameter("w3", torch::randn({3, 5}), false);
  module.define(R"(
def forward(self, x):
    a = torch.relu(torch.linear(test.limited(x), self.w1))
    b = torch.tanh(torch.linear(test.limited_backward(a), self.w2))
    return torch.linear(b, self.w3)
)",
                std::make_shared<TestOperators>());
  return module;
}

constexpr std::int64_t steps = 4;

/// Between a batch and its parts: the three layers forward, two of them back, and the sums of a path's points and
/// inputs.
const double parts_tolerance = apart(at::kFloat, {6, 7, 5, 3, 5, steps, 6});

AttributionOptions options_of(std::vector<Method> methods) {
  AttributionOptions options;
  options.layers = {"forward"};
  options.methods = std::move(methods);
  options.steps = steps;
  return options;
}

class DeviceFailureTest : public testing::Test {
 protected:
  DeviceFailureTest() {
    torch::manual_seed(6);
    x_ = torch::randn({samples, 6});
    y_ = torch::randint(3, {samples}, torch::kLong);
    clusters_ = torch::randint(2, {samples}, torch::kLong);
  }
  ~DeviceFailureTest() override {
    forward_limit = backward_limit = unlimited;
    forward_error = backward_error = 0;
  }

  Scores unlimited_scores(const AttributionOptions& options) const {
    Attribution attribution = model_.attribution(options);
    attribution.add(x_, y_, clusters_);
    return attribution.scores();
  }

  static constexpr std::int64_t samples = 11;
  Model model_ = Model::from(make_module());
  std::vector<Method> all_ = unconditional_methods;
  at::Tensor x_;
  at::Tensor y_;
  at::Tensor clusters_;
};

TEST_F(DeviceFailureTest, ABatchThatDoesNotFitIsAddedInHalves) {
  const AttributionOptions options = options_of(all_);
  const Scores expected = unlimited_scores(options);
  for (const std::int64_t limit : {1, 2, 3, 5, 10}) {
    SCOPED_TRACE(limit);
    forward_limit = limit;
    Attribution attribution = model_.attribution(options);
    attribution.add(x_, y_, clusters_);
    EXPECT_GT(attribution.batches_split(), 0);
    expect_equal_scores(attribution.scores(), expected, parts_tolerance);
    forward_limit = unlimited;
  }
}

TEST_F(DeviceFailureTest, TheScoresAreThoseOfSmallerBatchesToTheLastBit) {
  const AttributionOptions options = options_of(plain_methods);
  forward_limit = 3;
  Attribution seen = model_.attribution(options);
  seen.add(x_, y_, clusters_);
  EXPECT_EQ(seen.batches_split(), 3);  // 11 = 5 + 6 = 2 + 3 + 3 + 3
  Attribution expected = model_.attribution(options);
  std::int64_t first = 0;
  for (const std::int64_t size : {2, 3, 3, 3}) {
    expected.add(x_.slice(0, first, first + size), y_.slice(0, first, first + size),
                 clusters_.slice(0, first, first + size));
    first += size;
  }
  EXPECT_EQ(expected.batches_split(), 0);
  EXPECT_EQ(seen.save(), expected.save());
}

TEST_F(DeviceFailureTest, SamplesAreExplainedAndNumberedInHalves) {
  AttributionOptions options = options_of({Method::gradient, Method::activation, Method::integrated_gradients});
  options.examples = 3;
  Attribution expected = model_.attribution(options);
  expected.add(x_, y_, clusters_);
  const std::vector<Explanation> whole = expected.explain(x_, y_);
  const std::vector<Example> examples = expected.examples();
  forward_limit = 3;
  Attribution attribution = model_.attribution(options);
  const std::vector<Explanation> halves = attribution.explain(x_, y_);
  EXPECT_EQ(attribution.batches_split(), 3);
  ASSERT_EQ(halves.size(), whole.size());
  for (std::size_t i = 0; i < whole.size(); ++i) {
    EXPECT_EQ(halves[i].samples, samples);
    EXPECT_LT(relative_error(halves[i].values, whole[i].values), parts_tolerance);
  }
  attribution.add(x_, y_, clusters_);
  const std::vector<Example> seen = attribution.examples();
  ASSERT_EQ(seen.size(), examples.size());
  for (std::size_t i = 0; i < seen.size(); ++i) {
    EXPECT_EQ(seen[i].sample, examples[i].sample);
  }
}

TEST_F(DeviceFailureTest, ABackwardThatDoesNotFitIsSplitToo) {
  const AttributionOptions options = options_of(all_);
  const Scores expected = unlimited_scores(options);
  for (const std::int64_t limit : {1, 4}) {
    SCOPED_TRACE(limit);
    backward_limit = limit;
    Attribution attribution = model_.attribution(options);
    attribution.add(x_, y_, clusters_);
    EXPECT_GT(attribution.batches_split(), 0);
    expect_equal_scores(attribution.scores(), expected, parts_tolerance);
    backward_limit = unlimited;
  }
}

TEST_F(DeviceFailureTest, SeveralLabelsPerSampleStayWithTheirSamples) {
  const AttributionOptions options = options_of(plain_methods);
  const at::Tensor labels = torch::stack({y_, (y_ + 1) % 3}, 1);
  const at::Tensor clusters = labels + clusters_.unsqueeze(1) * 10;
  Attribution expected = model_.attribution(options);
  expected.add(x_, labels, clusters);
  forward_limit = 4;
  Attribution seen = model_.attribution(options);
  seen.add(x_, labels, clusters);
  EXPECT_EQ(seen.batches_split(), 3);
  expect_equal_scores(seen.scores(), expected.scores(), parts_tolerance);
}

TEST_F(DeviceFailureTest, JoinedRunsComeApartBeforeTheBatchDoes) {
  const AttributionOptions options = options_of(all_);
  forward_limit = 3;
  Attribution seen = model_.attribution(options);
  seen.add(x_.slice(0, 0, 3), y_.slice(0, 0, 3));
  EXPECT_EQ(seen.batches_split(), 0);
  forward_limit = unlimited;
  Attribution expected = model_.attribution(options);
  expected.add(x_.slice(0, 0, 3), y_.slice(0, 0, 3));
  expect_equal_scores(seen.scores(), expected.scores(), parts_tolerance);
}

TEST_F(DeviceFailureTest, ASampleThatDoesNotFitAddsNothingOfItsBatch) {
  Attribution attribution = model_.attribution(options_of(all_));
  attribution.add(x_, y_, clusters_);
  const std::string before = attribution.save();
  at::Tensor large = x_.clone();
  large[samples - 2][0] = 2 * never_fits;
  EXPECT_THAT([&] { attribution.add(large, y_, clusters_); },
              ThrowsMessage<DeviceError>(AllOf(HasSubstr("cpu"), HasSubstr("single sample"),
                                               HasSubstr("(CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a "
                                                         "total capacity of 79.10 GiB of which 1.00 GiB is free)"),
                                               Not(HasSubstr("\n")))));
  EXPECT_EQ(attribution.save(), before);
  EXPECT_EQ(attribution.batches_split(), 0);
  attribution.add(x_, y_, clusters_);
  EXPECT_EQ(attribution.scores().entries().front().statistics.count,
            2 * unlimited_scores(options_of(all_)).entries().front().statistics.count);
}

TEST_F(DeviceFailureTest, OtherErrorsNameTheSampleOfAPart) {
  forward_limit = 6;
  Attribution attribution = model_.attribution(options_of({Method::gradient}));
  at::Tensor labels = y_.clone();
  labels[9] = 99;
  EXPECT_THAT([&] { attribution.add(x_, labels); },
              ThrowsMessage<InputError>(AllOf(HasSubstr("label 99 of sample 4"), HasSubstr("from sample 5"))));
  EXPECT_TRUE(attribution.scores().entries().empty());
}

TEST_F(DeviceFailureTest, RemovalCurvesAreMeasuredInHalves) {
  AblationOptions options;
  options.orders = removal_orders(unlimited_scores(options_of({Method::gradient})), {Aggregate::mean});
  Ablation expected = model_.ablation(options);
  expected.add(x_, y_, clusters_);
  EXPECT_EQ(expected.batches_split(), 0);
  for (const std::int64_t limit : {1, 3}) {
    SCOPED_TRACE(limit);
    forward_limit = limit;
    Ablation seen = model_.ablation(options);
    seen.add(x_, y_, clusters_);
    EXPECT_EQ(seen.batches_split(), limit == 1 ? samples - 1 : 3);
    ASSERT_EQ(seen.curves().size(), expected.curves().size());
    for (std::size_t i = 0; i < expected.curves().size(); ++i) {
      EXPECT_EQ(seen.curves()[i].count, expected.curves()[i].count);
      EXPECT_EQ(seen.curves()[i].outside_count, expected.curves()[i].outside_count);
      EXPECT_EQ(seen.curves()[i].accuracy, expected.curves()[i].accuracy);
      EXPECT_EQ(seen.curves()[i].outside_accuracy, expected.curves()[i].outside_accuracy);
      EXPECT_LE(relative_error(seen.curves()[i].mean_output, expected.curves()[i].mean_output), parts_tolerance);
    }
    const std::string before = seen.save();
    forward_limit = 0;
    EXPECT_THAT([&] { seen.add(x_, y_, clusters_); }, ThrowsMessage<DeviceError>(HasSubstr("single sample")));
    EXPECT_EQ(seen.save(), before);
    forward_limit = unlimited;
  }
}

TEST_F(DeviceFailureTest, WhatIsNoBatchSaysToGiveLess) {
  forward_limit = 4;
  const auto little_memory =
      ThrowsMessage<DeviceError>(AllOf(HasSubstr("too little memory"), HasSubstr("smaller batches")));
  EXPECT_THAT([&] { model_.forward(x_); }, little_memory);
  EXPECT_THAT([&] { model_.layers(x_); }, little_memory);
}

TEST_F(DeviceFailureTest, ABatchIsComparedInHalves) {
  CheckOptions options;
  options.layers = {"forward"};
  Check expected = model_.check(options);
  expected.add(x_, y_);
  for (const std::int64_t limit : {1, 3}) {
    SCOPED_TRACE(limit);
    forward_limit = limit;
    Check seen = model_.check(options);
    seen.add(x_, y_);
    ASSERT_EQ(seen.results().size(), expected.results().size());
    for (std::size_t i = 0; i < expected.results().size(); ++i) {
      const LayerCheck result = seen.results()[i];
      EXPECT_EQ(result.samples, samples);
      EXPECT_EQ(result.compared + result.at_kink, expected.results()[i].compared + expected.results()[i].at_kink);
      EXPECT_TRUE(result.passed);
      EXPECT_NEAR(result.hook_error, expected.results()[i].hook_error, 1e-9);
    }
    forward_limit = 0;
    EXPECT_THAT([&] { seen.add(x_, y_); }, ThrowsMessage<DeviceError>(HasSubstr("single sample")));
    EXPECT_EQ(seen.results().front().samples, samples) << "what failed adds nothing";
    forward_limit = unlimited;
  }
}

TEST_F(DeviceFailureTest, ADeviceThatBreaksIsADeviceError) {
  Attribution attribution = model_.attribution(options_of({Method::gradient}));
  attribution.add(x_, y_, clusters_);
  const std::string before = attribution.save();
  const auto broke = ThrowsMessage<DeviceError>(
      AllOf(HasSubstr("(CUDA error: an illegal memory access was encountered)"), Not(HasSubstr("\n"))));
  forward_error = illegal_address;  // comes out of the interpreter as text
  EXPECT_THAT([&] { attribution.add(x_, y_, clusters_); }, broke);
  forward_error = 0;
  backward_error = illegal_address;  // comes out of autograd with its type
  EXPECT_THAT([&] { attribution.add(x_, y_, clusters_); }, broke);
  backward_error = 0;
  EXPECT_EQ(attribution.save(), before);
  EXPECT_NO_THROW(attribution.add(x_, y_, clusters_)) << "the processor is never lost";
}

void break_device(c10::Device device, std::int32_t code) {
  support::on_device(device, [&] { fail(1, unlimited, code); });
}

TEST_F(DeviceFailureTest, ALostDeviceIsNotUsedAgain) {
  const c10::Device lost("cuda:5");
  EXPECT_THAT([&] { break_device(lost, invalid_configuration); },
              ThrowsMessage<DeviceError>(HasSubstr("cuda:5 failed (CUDA error: invalid configuration argument)")));
  EXPECT_NO_THROW(support::require_not_lost(lost));
  EXPECT_THAT([&] { break_device(lost, illegal_address); },
              ThrowsMessage<DeviceError>(AllOf(HasSubstr("cuda:5 is lost (CUDA error: an illegal memory access"),
                                               HasSubstr("restart"), Not(HasSubstr("\n")))));
  const auto refused = ThrowsMessage<DeviceError>(
      AllOf(HasSubstr("cuda:5 was lost earlier"), HasSubstr("(CUDA error: an illegal memory access was encountered)")));
  bool ran = false;
  EXPECT_THAT([&] { support::on_device(lost, [&] { ran = true; }); }, refused);
  EXPECT_FALSE(ran);
  EXPECT_NO_THROW(support::require_not_lost(c10::Device("cuda:6")));
  EXPECT_THAT([&] { Model::from(make_module(), lost); }, refused);
  EXPECT_THAT([&] { Model::load(fixture_path("digits-mlp.scripted.pt"), lost); }, refused);

  // A model that was on it before: nothing is sent there, else this LibTorch would miss CUDA.
  const auto model = std::make_shared<const Model::Implementation>(
      graph::ModelGraph(readers::read_module(make_module(), at::kCPU), lost));
  Attribution attribution(std::make_shared<Attribution::Implementation>(model, options_of({Method::gradient})));
  EXPECT_THAT([&] { attribution.add(x_, y_); }, refused);
  EXPECT_TRUE(attribution.scores().entries().empty()) << "what was scored before can still be read";
}

TEST(DeviceFailures, AreToldByTheirText) {
  using support::DeviceFailure;
  const auto failure = [](const char* message) { return support::device_failure(std::string(message)); };
  EXPECT_EQ(failure("mat1 and mat2 shapes cannot be multiplied"), DeviceFailure::none);
  EXPECT_EQ(failure("CUDA out of memory. Tried to allocate 20.00 MiB."), DeviceFailure::out_of_memory);
  EXPECT_EQ(failure("CUDA error: out of memory\nSearch for `cudaErrorMemoryAllocation' in"),
            DeviceFailure::out_of_memory);
  EXPECT_EQ(failure("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
            DeviceFailure::out_of_memory);
  EXPECT_EQ(failure("CUDA error: CUBLAS_STATUS_NOT_SUPPORTED when calling `cublasGemmEx`"), DeviceFailure::failed);
  EXPECT_EQ(failure("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"), DeviceFailure::failed);
  EXPECT_EQ(failure("CUDA error: no kernel image is available for execution on the device\nSearch for "
                    "`cudaErrorNoKernelImageForDevice' in"),
            DeviceFailure::failed);
  EXPECT_EQ(failure("CUDA error: device-side assert triggered\nSearch for `cudaErrorAssert' in"), DeviceFailure::lost);
  EXPECT_EQ(failure("CUDA error: unspecified launch failure"), DeviceFailure::lost);
  EXPECT_EQ(support::device_failure(InputError("the file 'CUDA out of memory' is none")), DeviceFailure::none);
}

TEST(DeviceFailures, DevicesThatAreNotThereAreNamed) {
  const auto load = [](const char* device) {
    return [device] { Model::load(fixture_path("digits-mlp.scripted.pt"), c10::Device(device)); };
  };
  EXPECT_THAT(load("cuda:99"), ThrowsMessage<DeviceError>(HasSubstr("no device 'cuda:99'")));
  EXPECT_THAT(load("meta"), ThrowsMessage<ArgumentError>(HasSubstr("'meta': choose cpu")));
}

}  // namespace

}  // namespace pregrad::test::device_failure_test
