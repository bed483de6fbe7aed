// The probe for modules written in C++, against the same model read from a file.

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/script.h>
#include <torch/torch.h>

#include "fixtures.hpp"
#include "pregrad/pregrad.hpp"
#include "rounding.hpp"

namespace pregrad::test::probe_test {

namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

/// The digits MLP, written by hand with the weights of the fixture.
struct Mlp {
  torch::nn::Linear fc1{64, 128};
  torch::nn::Linear fc2{128, 64};
  torch::nn::Linear fc3{64, 10};

  Mlp() {
    const torch::jit::Module file = torch::jit::load(fixture_path("digits-mlp.scripted.pt").string());
    const torch::NoGradGuard no_gradients;
    for (const auto& [name, layer] : {std::pair("fc1", fc1), std::pair("fc2", fc2), std::pair("fc3", fc3)}) {
      const torch::jit::Module source = file.attr(name).toModule();
      layer->weight.copy_(source.attr("weight").toTensor());
      layer->bias.copy_(source.attr("bias").toTensor());
    }
  }

  at::Tensor forward(const at::Tensor& x, Probe& probe) {
    at::Tensor z = probe.tap("act1", fc1->forward(x));
    at::Tensor a = probe.activation("act1", torch::relu(z));
    z = probe.tap("act2", fc2->forward(a));
    a = probe.activation("act2", z.relu_());
    return fc3->forward(a);
  }
};

class ProbeTest : public testing::Test {
 protected:
  static AttributionOptions every_method() {
    AttributionOptions options;
    options.methods = plain_methods;
    return options;
  }

  static void expect_golden(const Scores& scores) {
    const Golden golden = read_golden("digits-mlp");
    ASSERT_EQ(scores.entries().size(), golden.size());
    for (const Score& score : scores.entries()) {
      const Statistics& truth = golden.at({score.layer, score.call, score.cluster, score.method});
      EXPECT_EQ(score.statistics.count, truth.count);
      EXPECT_LT(relative_error(score.statistics.mean, truth.mean), promised_of_golden_values)
          << score.layer << name_of(score.method);
      EXPECT_LT(relative_error(score.statistics.std, truth.std), promised_of_golden_values)
          << score.layer << name_of(score.method);
    }
  }

  Mlp model_;
  Data data_ = read_data(fixture_path("digits.npz"));
};

TEST_F(ProbeTest, MeetsTheGoldenValuesWithAnActivationInPlace) {
  Probe probe(every_method());
  probe.add(model_.forward(data_.x, probe), data_.y, data_.cluster);
  expect_golden(probe.scores());
}

TEST_F(ProbeTest, ServesManyThreadsAtOnce) {
  Probe probe(every_method());
  std::vector<std::thread> workers;
  for (int worker = 0; worker < 4; ++worker) {
    workers.emplace_back([&, worker] {
      for (std::int64_t first = worker * 100; first < data_.x.size(0); first += 400) {
        const at::Tensor logits = model_.forward(data_.x.slice(0, first, first + 100), probe);
        probe.add(logits, data_.y.slice(0, first, first + 100), data_.cluster.slice(0, first, first + 100));
      }
    });
  }
  for (std::thread& worker : workers) {
    worker.join();
  }
  expect_golden(probe.scores());
}

TEST_F(ProbeTest, TakesTheLayersAskedForAndNumbersCalls) {
  AttributionOptions options;
  options.layers = {"act@1"};
  Probe probe(options);
  at::Tensor z = probe.tap("act", model_.fc1->forward(data_.x));
  z = probe.tap("act", model_.fc2->forward(z.relu()));
  ASSERT_EQ(probe.layers().size(), 2U);
  EXPECT_EQ(probe.layers()[1].call, 1);
  EXPECT_EQ(probe.layers()[1].neurons, 64);
  probe.add(model_.fc3->forward(z.relu()), data_.y, data_.cluster);
  const Scores scores = probe.scores();
  EXPECT_LT(relative_error(scores.of("act@1", 2, Method::gradient).mean,
                           read_golden("digits-mlp").at({"act2", 0, 2, Method::gradient}).mean),
            promised_of_golden_values);
}

TEST_F(ProbeTest, LeavesTheWeightsGradientsAlone) {
  Probe probe(every_method());
  probe.add(model_.forward(data_.x, probe), data_.y);
  EXPECT_FALSE(model_.fc1->weight.grad().defined());
}

TEST_F(ProbeTest, SaysWhatIsMissing) {
  Probe probe(every_method());
  const at::Tensor logits = model_.fc1->forward(data_.x);
  EXPECT_THAT([&] { probe.add(logits, data_.y); }, ThrowsMessage<StateError>(HasSubstr("nothing was tapped")));
  EXPECT_THAT([&] { probe.activation("fc1", logits); }, ThrowsMessage<StateError>(HasSubstr("call tap(\"fc1\", z)")));
  probe.tap("fc1", logits);
  EXPECT_THAT([&] { probe.add(logits, data_.y); },
              ThrowsMessage<ArgumentError>(HasSubstr("needs the activation of 'fc1'")));
  EXPECT_THAT([&] { probe.tap("fc1", data_.y); }, ThrowsMessage<InputError>(HasSubstr("type Long")));
  const torch::NoGradGuard no_gradients;
  EXPECT_THAT([&] { probe.tap("fc1", logits); }, ThrowsMessage<StateError>(HasSubstr("gradients are switched off")));
}

TEST_F(ProbeTest, AForwardThatThrewCanBeDiscarded) {
  Probe probe(every_method());
  probe.tap("act1", model_.fc1->forward(data_.x.slice(0, 0, 5)));
  probe.discard();
  probe.add(model_.forward(data_.x, probe), data_.y, data_.cluster);
  expect_golden(probe.scores());
}

}  // namespace

}  // namespace pregrad::test::probe_test
