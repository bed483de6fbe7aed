// Calls that would never end: by a time limit, by cancel() from another thread and by an interrupt they do, and nothing
// of them counts.

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/script.h>

#include "fixtures.hpp"
#include "pregrad/pregrad.h"
#include "pregrad/pregrad.hpp"
#include "support/running_call.hpp"

namespace pregrad::test::cancellation_test {

namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::ThrowsMessage;

std::filesystem::path endless_file() { return fixture_path("special/endless.scripted.pt"); }

at::Tensor x() {
  torch::manual_seed(8);
  return torch::randn({7, 6});
}

/// One that the model never ends with.
at::Tensor endless_x() { return x() + 1000; }

at::Tensor labels() { return torch::arange(7) % 3; }

/// Cancels what runs on the model again and again, until `call` has ended.
void cancelling(const Model& model, const std::function<void()>& call) {
  std::atomic<bool> has_ended = false;
  std::thread other([&] {
    while (!has_ended) {
      model.cancel();
      std::this_thread::yield();
    }
  });
  try {
    call();
  } catch (...) {
    has_ended = true;
    other.join();
    throw;
  }
  has_ended = true;
  other.join();
}

/// The model with a limit that loading keeps to, however busy the machine is.
Model limited(milliseconds& limit) {
  for (limit = milliseconds(100);; limit *= 2) {
    try {
      return Model::load(endless_file(), c10::kCPU, {.trusted = false, .time_limit = limit});
    } catch (const CancelledError&) {
      continue;
    }
  }
}

AttributionOptions attribution_options() {
  AttributionOptions options;
  options.layers = {"act"};
  options.methods = {Method::gradient, Method::integrated_gradients, Method::conductance, Method::ablation};
  options.steps = 4;
  return options;
}

TEST(Cancellation, ATimeLimitEndsCallsThatNeverEnd) {
  milliseconds limit{0};
  const Model model = limited(limit);
  const std::string message = "time limit of " + std::to_string(limit.count()) + " ms";
  EXPECT_THAT([&] { model.forward(endless_x()); }, ThrowsMessage<CancelledError>(HasSubstr(message)));
  EXPECT_THAT([&] { model.layers(endless_x()); }, ThrowsMessage<CancelledError>(HasSubstr(message)));
  Attribution attribution = model.attribution(attribution_options());
  EXPECT_THAT([&] { attribution.add(endless_x(), labels()); }, ThrowsMessage<CancelledError>(HasSubstr(message)));
  EXPECT_EQ(model.forward(x()).sizes(), at::IntArrayRef({7, 3}));
}

TEST(Cancellation, ALimitThatIsNotReachedChangesNothing) {
  const Model free = Model::load(endless_file());
  const Model bound = Model::load(endless_file(), c10::kCPU, {.trusted = false, .time_limit = std::chrono::hours(1)});
  const Model longest = Model::load(endless_file(), c10::kCPU, {.trusted = false, .time_limit = milliseconds::max()});
  EXPECT_TRUE(bound.forward(x()).equal(free.forward(x())));
  EXPECT_TRUE(longest.forward(x()).equal(free.forward(x())));
  EXPECT_THROW(Model::load(endless_file(), c10::kCPU, {.trusted = false, .time_limit = milliseconds(-1)}),
               ArgumentError);
}

TEST(Cancellation, LoadingHasTheLimitToo) {
  // A tenth of what a limit must be that loading keeps to may do; so small a one never does.
  EXPECT_THAT(
      [] {
        Model::load(fixture_path("vit.scripted.pt"), c10::kCPU, {.trusted = false, .time_limit = milliseconds(1)});
      },
      ThrowsMessage<CancelledError>(HasSubstr("time limit of 1 ms")));
}

TEST(Cancellation, OfAnotherThreadEndsEveryKindOfCall) {
  const Model model = Model::load(endless_file());
  const auto is_cancelled = ThrowsMessage<CancelledError>(HasSubstr("was cancelled"));
  EXPECT_THAT([&] { cancelling(model, [&] { model.forward(endless_x()); }); }, is_cancelled);
  EXPECT_THAT([&] { cancelling(model, [&] { model.outputs(endless_x()); }); }, is_cancelled);
  EXPECT_THAT([&] { cancelling(model, [&] { model.layers(endless_x()); }); }, is_cancelled);
  CheckOptions compared;
  compared.layers = {"act"};
  Check check = model.check(compared);
  EXPECT_THAT([&] { cancelling(model, [&] { check.add(endless_x(), labels()); }); }, is_cancelled);
  check.add(x(), labels());
  EXPECT_TRUE(check.results().at(0).passed);
}

TEST(Cancellation, NothingOfACancelledBatchCounts) {
  const Model model = Model::load(endless_file());
  Attribution attribution = model.attribution(attribution_options());
  Attribution plain = model.attribution(attribution_options());
  attribution.add(x(), labels());
  plain.add(x(), labels());
  const std::string before = attribution.save();
  for (int again = 0; again < 3; ++again) {
    EXPECT_THROW(cancelling(model, [&] { attribution.add(endless_x(), labels()); }), CancelledError);
    EXPECT_EQ(attribution.save(), before);
  }
  attribution.add(x() * 0.5, labels());
  plain.add(x() * 0.5, labels());
  EXPECT_EQ(attribution.save(), plain.save());

  AblationOptions removal;
  removal.orders = removal_orders(plain.scores(), {Aggregate::mean});
  Ablation ablation = model.ablation(removal);
  ablation.add(x(), labels());
  const std::string measured = ablation.save();
  EXPECT_THROW(cancelling(model, [&] { ablation.add(endless_x(), labels()); }), CancelledError);
  EXPECT_EQ(ablation.save(), measured);
}

TEST(Cancellation, AFirstBatchThatIsCancelledLeavesNothingBehind) {
  const Model model = Model::load(endless_file());
  Attribution attribution = model.attribution(attribution_options());
  EXPECT_THROW(cancelling(model, [&] { attribution.add(endless_x(), labels()); }), CancelledError);
  attribution.add(x(), labels());
  const Model other = Model::load(endless_file());
  Attribution expected = other.attribution(attribution_options());
  expected.add(x(), labels());
  EXPECT_EQ(attribution.save(), expected.save());
}

TEST(Cancellation, LeavesCallsOfOtherModelsAndLaterOnesAlone) {
  const Model model = Model::load(endless_file());
  const Model other = Model::load(endless_file());
  model.cancel();
  EXPECT_NO_THROW(model.forward(x()));
  cancelling(other, [&] { model.forward(x()); });
}

TEST(Cancellation, AnInterruptOfTheCallersThreadEndsALongCall) {
  const Model model = Model::load(endless_file());
  std::atomic<bool> was_asked = false;
  const auto ask = [](void* asked) {
    *static_cast<std::atomic<bool>*>(asked) = true;
    return true;
  };
  const support::InterruptibleThread interruptible({ask, &was_asked});
  EXPECT_THAT([&] { model.forward(endless_x()); },
              ThrowsMessage<CancelledError>(HasSubstr("its thread was interrupted")));
  EXPECT_TRUE(was_asked);
}

TEST(Cancellation, OfTheCInterface) {
  pregrad_model* model = nullptr;
  ASSERT_EQ(pregrad_model_load(endless_file().c_str(), nullptr, &model), PREGRAD_OK);
  const at::Tensor values = endless_x().contiguous();
  pregrad_tensor input = PREGRAD_TENSOR_INIT;
  input.data = values.const_data_ptr();
  input.shape = values.sizes().data();
  input.rank = 2;
  input.dtype = PREGRAD_FLOAT32;
  std::atomic<bool> has_ended = false;
  std::thread other([&] {
    while (!has_ended) {
      pregrad_model_cancel(model);
      std::this_thread::yield();
    }
  });
  pregrad_result* output = nullptr;
  EXPECT_EQ(pregrad_model_forward(model, &input, &output), PREGRAD_ERROR_CANCELLED);
  has_ended = true;
  other.join();
  EXPECT_THAT(pregrad_last_error(), HasSubstr("was cancelled"));
  pregrad_model_free(model);
  pregrad_model_cancel(nullptr);
}

}  // namespace

}  // namespace pregrad::test::cancellation_test
