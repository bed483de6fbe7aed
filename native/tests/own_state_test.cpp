// What a caller has set for its thread changes no result, and is as it was when a call ends, whichever way it ends.

#include <functional>
#include <memory>
#include <string>

#include <ATen/autocast_mode.h>
#include <c10/core/DefaultDtype.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <torch/script.h>
#include <torch/torch.h>
#include <unistd.h>

#include "fixtures.hpp"
#include "pregrad/pregrad.hpp"
#include "support/own_state.hpp"

namespace pregrad::test::own_state_test {

namespace {

/// Saves its input for the gradient, and makes a tensor without naming its type.
torch::jit::Module weighted_module() {
  torch::manual_seed(21);
  torch::jit::Module module("Weighted");
  module.register_parameter("w1", torch::randn({5, 5}, torch::kFloat), false);
  module.register_parameter("w2", torch::randn({5, 3}, torch::kFloat), false);
  module.define(R"(
    def forward(self, x):
        z = torch.mm(x, self.w1)
        return torch.mm(torch.tanh(z) * x * (torch.ones([5]) * 0.5), self.w2)
  )");
  return module;
}

/// All that a model gives for some inputs, one number after the other.
std::vector<double> everything_of(const Model& model, const at::Tensor& x, const at::Tensor& y) {
  std::vector<double> all;
  const auto append = [&](const std::vector<double>& some) { all.insert(all.end(), some.begin(), some.end()); };
  for (const Layer& layer : model.layers(x)) {
    all.push_back(static_cast<double>(layer.neurons));
  }
  const at::Tensor outputs = model.forward(x).to(at::kDouble).contiguous();
  append({outputs.const_data_ptr<double>(), outputs.const_data_ptr<double>() + outputs.numel()});

  AttributionOptions options;
  options.layers = {"forward"};
  options.methods = {Method::gradient, Method::gradient_x_activation, Method::integrated_gradients, Method::conductance,
                     Method::ablation};
  options.steps = 4;
  Attribution attribution = model.attribution(options);
  attribution.add(x, y, at::zeros_like(y));
  const Scores scores = attribution.scores();
  for (const Score& score : scores.entries()) {
    append(score.statistics.mean);
  }

  AblationOptions removal;
  removal.orders = removal_orders(scores, {Aggregate::mean});
  Ablation ablation = model.ablation(removal);
  ablation.add(x, y);
  for (const RemovalCurve& curve : ablation.curves()) {
    append(curve.mean_output);
  }

  CheckOptions compared;
  compared.layers = {"forward"};
  Check check = model.check(compared);
  check.add(x, y);
  all.push_back(static_cast<double>(check.results().at(0).compared));
  all.push_back(check.results().at(0).passed ? 1 : 0);
  all.push_back(check.results().at(0).hook_error);
  return all;
}

/// What a thread, or the process, has set.
struct Ambient {
  bool records_gradients = at::GradMode::is_enabled();
  bool is_inference = c10::InferenceMode::is_enabled();
  bool passes_autograd_by = c10::impl::tls_is_dispatch_key_excluded(c10::DispatchKey::AutogradCPU);
  bool casts = at::autocast::is_autocast_enabled(at::kCPU);
  at::ScalarType cast_type = at::autocast::get_autocast_dtype(at::kCPU);
  at::ScalarType default_type = c10::get_default_dtype_as_scalartype();
  bool operator==(const Ambient&) const = default;
};

struct AutocastOn {
  AutocastOn() {
    at::autocast::set_autocast_enabled(at::kCPU, true);
    at::autocast::set_autocast_dtype(at::kCPU, at::kHalf);
  }
  ~AutocastOn() {
    at::autocast::set_autocast_enabled(at::kCPU, false);
    at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
  }
  AutocastOn(const AutocastOn&) = delete;
  AutocastOn& operator=(const AutocastOn&) = delete;
};

struct DefaultDouble {
  DefaultDouble() { c10::set_default_dtype(caffe2::TypeMeta::Make<double>()); }
  ~DefaultDouble() { c10::set_default_dtype(caffe2::TypeMeta::Make<float>()); }
  DefaultDouble(const DefaultDouble&) = delete;
  DefaultDouble& operator=(const DefaultDouble&) = delete;
};

struct CallersState {
  const char* name;
  std::function<std::shared_ptr<void>()> enter;
};

void PrintTo(const CallersState& state, std::ostream* stream) { *stream << state.name; }

class CallersStateTest : public testing::TestWithParam<CallersState> {
 protected:
  at::Tensor x_ = (torch::manual_seed(22), torch::randn({6, 5}, torch::kFloat));
  at::Tensor y_ = at::arange(6).remainder(3);
};

TEST_P(CallersStateTest, ChangesNoResultAndIsLeftAsItWas) {
  const std::vector<double> expected = everything_of(Model::from(weighted_module()), x_, y_);

  const std::shared_ptr<void> state = GetParam().enter();
  const Ambient before;
  const at::Tensor x = x_.clone();
  const at::Tensor y = y_.clone();
  ASSERT_EQ(x.is_inference(), before.is_inference);
  const Model model = Model::from(weighted_module());
  EXPECT_EQ(Ambient(), before);
  EXPECT_LT(relative_error(everything_of(model, x, y), expected), 1e-6);
  EXPECT_EQ(Ambient(), before);
}

TEST_P(CallersStateTest, IsLeftAsItWasByACallThatThrows) {
  const Model model = Model::from(weighted_module());
  const std::shared_ptr<void> state = GetParam().enter();
  const Ambient before;
  AttributionOptions options;
  options.layers = {"forward"};
  Attribution attribution = model.attribution(options);
  EXPECT_THROW(attribution.add(x_.slice(1, 0, 3), y_), InputError);
  EXPECT_EQ(Ambient(), before);
}

std::string state_name(const testing::TestParamInfo<CallersState>& state) { return state.param.name; }

template <typename State, auto... arguments>
std::function<std::shared_ptr<void>()> entering() {
  return [] { return std::static_pointer_cast<void>(std::make_shared<State>(arguments...)); };
}

INSTANTIATE_TEST_SUITE_P(States, CallersStateTest,
                         testing::Values(CallersState{"NoGradients", entering<at::NoGradGuard>()},
                                         CallersState{"InferenceMode", entering<c10::InferenceMode, true>()},
                                         CallersState{"BelowAutograd", entering<at::AutoDispatchBelowAutograd>()},
                                         CallersState{"Autocast", entering<AutocastOn>()},
                                         CallersState{"DefaultType", entering<DefaultDouble>()}),
                         state_name);

TEST(OwnState, AModelReadInInferenceModeCanBeUsedOutside) {
  const Data data = first_of(read_data(fixture_path("functional.npz")), 4);
  for (const char* file : {"functional.scripted.pt", "functional.exported.pt2"}) {
    const Model model = [&] {
      const c10::InferenceMode inference;
      return Model::load(fixture_path(file));
    }();
    EXPECT_LT(relative_error(everything_of(model, data.x, data.y),
                             everything_of(Model::load(fixture_path(file)), data.x, data.y)),
              1e-6);
  }
}

TEST(OwnState, AModelThatChangesTheGradientModeAndThrowsChangesNothing) {
  const Model model = Model::load(fixture_path("without-gradient.scripted.pt"));
  const Ambient before;
  EXPECT_THROW(static_cast<void>(model.forward(at::rand({3, 7}))), InputError);
  EXPECT_EQ(Ambient(), before);
}

TEST(OwnState, CallsThatOverlapLeaveTheDefaultTypeAsItWas) {
  const DefaultDouble state;
  auto first = std::make_unique<support::OwnState>();
  auto second = std::make_unique<support::OwnState>();
  EXPECT_EQ(c10::get_default_dtype_as_scalartype(), at::kFloat);
  first.reset();
  EXPECT_EQ(c10::get_default_dtype_as_scalartype(), at::kFloat) << "the other call goes on";
  second.reset();
  EXPECT_EQ(c10::get_default_dtype_as_scalartype(), at::kDouble);
}

TEST(OwnState, OnlyTensorsOfInferenceModeAreCopied) {
  const at::Tensor plain = at::rand({3});
  EXPECT_TRUE(support::without_inference(plain).is_same(plain));
  EXPECT_FALSE(support::without_inference(at::Tensor()).defined());
  const at::Tensor made_inside = [] {
    const c10::InferenceMode inference;
    return at::rand({3});
  }();
  const at::Tensor copy = support::without_inference(made_inside);
  EXPECT_FALSE(copy.is_inference());
  EXPECT_TRUE(copy.equal(made_inside));
}

/// How a child ends in which the body runs. A child that hangs is ended by the operating system, and by no status.
int status_of_child(const std::function<int()>& body) {
  const pid_t child = fork();
  if (child == 0) {
    constexpr unsigned patience_s = 120;
    alarm(patience_s);
    _exit(body());
  }
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(ForkTest, TheChildOfAProcessThatHasComputedIsToldWhatItCannotDo) {
  const Model model = Model::from(weighted_module());
  const at::Tensor x = torch::randn({256, 5}, torch::kFloat);
  AttributionOptions options;
  options.layers = {"forward"};
  Attribution attribution = model.attribution(options);
  attribution.add(x, at::zeros({256}, at::kLong));

  constexpr int refused = 42;
  EXPECT_EQ(status_of_child([&] {
              try {
                attribution.add(x, at::zeros({256}, at::kLong));
              } catch (const StateError& error) {
                return std::string(error.what()).find("was forked") == std::string::npos ? 1 : refused;
              }
              return 0;
            }),
            refused);
  EXPECT_EQ(status_of_child([] {
              try {
                Model::load(fixture_path("digits-mlp.scripted.pt"));
              } catch (const StateError&) {
                return refused;
              }
              return 0;
            }),
            refused);
  // The parent goes on.
  attribution.add(x, at::zeros({256}, at::kLong));
  EXPECT_EQ(attribution.scores().entries().front().statistics.count, 512);
}

}  // namespace

}  // namespace pregrad::test::own_state_test
