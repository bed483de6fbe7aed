// The probe in programs that run their own backward, against LibTorch's retain_grad in a twin of the same batch and
// weights in which nothing is changed in place.

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include <ATen/autocast_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "operator_counts.hpp"
#include "pregrad/pregrad.hpp"
#include "rounding.hpp"

namespace pregrad::test::probe_training_test {

namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr std::int64_t classes = 3;
constexpr double promised = 1e-6;

/// What a forward does with its layers: nothing, tap them, or keep them as retain_grad would have to.
struct Taps {
  virtual ~Taps() = default;
  virtual at::Tensor tap(const std::string& /*name*/, const at::Tensor& z) { return z; }
  virtual at::Tensor activation(const std::string& /*name*/, const at::Tensor& a) { return a; }
  virtual bool in_place() const { return true; }
};

struct ProbeTaps : Taps {
  explicit ProbeTaps(Probe& the_probe) : probe(the_probe) {}
  at::Tensor tap(const std::string& name, const at::Tensor& z) override { return probe.tap(name, z); }
  at::Tensor activation(const std::string& name, const at::Tensor& a) override { return probe.activation(name, a); }
  Probe& probe;
};

struct Twin : Taps {
  at::Tensor tap(const std::string& name, const at::Tensor& z) override {
    z.retain_grad();
    kept.push_back({name, calls[name]++, z, {}});
    return z;
  }
  at::Tensor activation(const std::string& name, const at::Tensor& a) override {
    a.retain_grad();
    const auto layer = std::find_if(kept.rbegin(), kept.rend(), [&](const Kept& each) { return each.name == name; });
    layer->a = a;
    return a;
  }
  bool in_place() const override { return false; }

  struct Kept {
    std::string name;
    std::int64_t call;
    at::Tensor z;
    at::Tensor a;
  };
  std::vector<Kept> kept;
  std::map<std::string, std::int64_t> calls;
};

const std::vector<Method> methods = {Method::gradient, Method::gradient_x_preactivation, Method::gradient_x_activation,
                                     Method::preactivation, Method::activation};

AttributionOptions options_of(const std::vector<Method>& wanted) {
  AttributionOptions options;
  options.methods = wanted;
  return options;
}

at::Tensor over_positions(const at::Tensor& values, bool is_mean) {
  const at::Tensor flat = values.detach().to(at::kDouble);
  if (flat.dim() == 2) {
    return flat;
  }
  const at::Tensor rows = (flat.dim() == 3 ? flat.transpose(1, 2) : flat).flatten(2);  // of rank 3 neurons are last
  return is_mean ? rows.mean(2) : rows.sum(2);
}

/// [N, neurons], as docs/methods.md has it.
at::Tensor truth_of(const Twin::Kept& layer, Method method, double scale) {
  const auto exact = [](const at::Tensor& tensor) { return tensor.detach().to(at::kDouble); };
  switch (method) {
    case Method::gradient:
      return over_positions(exact(layer.z.grad()) * scale, false);
    case Method::gradient_x_preactivation:
      return over_positions(exact(layer.z) * exact(layer.z.grad()) * scale, false);
    case Method::gradient_x_activation:
      return over_positions(exact(layer.a) * exact(layer.a.grad()) * scale, false);
    case Method::preactivation:
      return over_positions(layer.z, true);
    default:
      return over_positions(layer.a, true);
  }
}

/// Rows of values that some forwards of a twin come to, by layer call and method.
using Truth = std::map<std::tuple<std::string, std::int64_t, Method>, std::vector<at::Tensor>>;

void add_truth(Truth& truth, const Twin& twin, double scale) {
  for (const Twin::Kept& layer : twin.kept) {
    for (const Method method : methods) {
      truth[{layer.name, layer.call, method}].push_back(truth_of(layer, method, scale));
    }
  }
}

void expect_truth(const Scores& scores, const Truth& truth, const at::Tensor& clusters, double tolerance = promised) {
  ASSERT_FALSE(truth.empty());
  ASSERT_EQ(scores.entries().size(), truth.size() * 2);
  for (const auto& [key, rows] : truth) {
    const auto& [name, call, method] = key;
    const at::Tensor all = at::cat(rows);
    for (std::int64_t cluster = 0; cluster < 2; ++cluster) {
      const at::Tensor own = all.index_select(0, (clusters == cluster).nonzero().squeeze(1));
      const Statistics& seen = scores.of(name + "@" + std::to_string(call), cluster, method);
      EXPECT_EQ(seen.count, own.size(0));
      for (const auto& [values, expected] :
           {std::pair(seen.mean, own.mean(0)), std::pair(seen.mean_abs, own.abs().mean(0))}) {
        const at::Tensor difference = at::tensor(values, at::kDouble) - expected;
        EXPECT_LE(difference.norm().item<double>(), tolerance * own.abs().mean(0).norm().item<double>())
            << name << '@' << call << ' ' << name_of(method);
      }
    }
  }
}

/// A batch with two clusters.
struct Batch {
  at::Tensor x;
  at::Tensor y;
  at::Tensor clusters;
};

Batch batch_of(const std::vector<std::int64_t>& shape) {
  const std::int64_t samples = shape.front();
  return {torch::randn(shape), torch::randint(classes, {samples}, torch::kLong), torch::arange(samples).remainder(2)};
}

/// A module of which the tests need the forward alone.
struct Net : torch::nn::Module {
  virtual at::Tensor forward(const at::Tensor& x, Taps& taps) = 0;
};

/// An activation in place, and one that is called twice behind one layer.
struct Mlp : Net {
  Mlp() {
    register_module("fc1", fc1);
    register_module("again", again);
    register_module("out", out);
  }
  at::Tensor forward(const at::Tensor& x, Taps& taps) override {
    at::Tensor h = taps.tap("relu", fc1(x));
    h = taps.activation("relu", taps.in_place() ? h.relu_() : h.relu());
    for (int i = 0; i < 2; ++i) {
      h = taps.tap("tanh", again(h));
      h = taps.activation("tanh", taps.in_place() ? h.tanh_() : h.tanh());
    }
    return out(h);
  }
  torch::nn::Linear fc1{6, 16};
  torch::nn::Linear again{16, 16};
  torch::nn::Linear out{16, classes};
};

/// Batch statistics, an activation in place, and a sum in place that the next pre-activation is.
struct Conv : Net {
  Conv() {
    register_module("conv1", conv1);
    register_module("bn1", bn1);
    register_module("conv2", conv2);
    register_module("out", out);
  }
  at::Tensor forward(const at::Tensor& x, Taps& taps) override {
    at::Tensor h = taps.tap("relu1", bn1(conv1(x)));
    h = taps.activation("relu1", taps.in_place() ? h.relu_() : h.relu());
    at::Tensor z = taps.tap("conv2", conv2(h));
    z = taps.activation("conv2", z);
    z = taps.in_place() ? z.add_(h) : z + h;
    z = taps.tap("relu2", z);
    z = taps.activation("relu2", taps.in_place() ? z.relu_() : z.relu());
    return out(z.mean({2, 3}));
  }
  torch::nn::Conv2d conv1{torch::nn::Conv2dOptions(3, 8, 3).padding(1)};
  torch::nn::BatchNorm2d bn1{8};
  torch::nn::Conv2d conv2{torch::nn::Conv2dOptions(8, 8, 3).padding(1)};
  torch::nn::Linear out{8, classes};
};

template <typename N>
std::pair<std::shared_ptr<N>, std::shared_ptr<N>> two_alike() {
  torch::manual_seed(3);
  auto one = std::make_shared<N>();
  torch::manual_seed(3);
  return {one, std::make_shared<N>()};
}

at::Tensor loss_of(const at::Tensor& logits, const at::Tensor& y) { return at::cross_entropy_loss(logits, y); }

/// The truth of one batch; what it leaves in the weights' gradients is taken away.
Twin twin_of(Net& net, const Batch& batch, double loss_scale = 1) {
  Twin twin;
  std::vector<at::Tensor> before;
  for (at::Tensor& weight : net.parameters()) {
    before.push_back(weight.grad().defined() ? weight.grad().clone() : at::Tensor());
  }
  std::map<std::string, at::Tensor> buffers;
  for (const auto& each : net.named_buffers()) {
    buffers[each.key()] = each.value().clone();
  }
  (loss_of(net.forward(batch.x, twin), batch.y) * loss_scale).backward();
  std::size_t i = 0;
  for (at::Tensor& weight : net.parameters()) {
    weight.mutable_grad() = before[i++];
  }
  for (auto& each : net.named_buffers()) {
    each.value().copy_(buffers[each.key()]);
  }
  return twin;
}

void expect_same_weights(const torch::nn::Module& seen, const torch::nn::Module& truth) {
  const auto weights = truth.named_parameters();
  for (const auto& weight : seen.named_parameters()) {
    EXPECT_TRUE(at::equal(weight.value(), weights[weight.key()])) << weight.key();
  }
}

template <typename N>
void train_beside_a_twin(const std::vector<std::int64_t>& shape) {
  const auto [net, plain] = two_alike<N>();
  torch::optim::SGD optimizer(net->parameters(), torch::optim::SGDOptions(0.1).momentum(0.9));
  torch::optim::SGD plain_optimizer(plain->parameters(), torch::optim::SGDOptions(0.1).momentum(0.9));
  Probe all(options_of(methods));
  Truth truth;
  std::vector<at::Tensor> clusters;
  for (int step = 0; step < 8; ++step) {
    const Batch batch = batch_of(shape);
    const auto samples = static_cast<double>(shape.front());
    const Twin twin = twin_of(*net, batch);
    Truth of_step;
    add_truth(of_step, twin, samples);
    add_truth(truth, twin, samples);
    clusters.push_back(batch.clusters);

    Probe one(options_of(methods));
    for (Probe* probe : {&one, &all}) {
      ProbeTaps taps(*probe);
      optimizer.zero_grad();
      loss_of(net->forward(batch.x, taps), batch.y).backward();
      if (step % 2 == 0) {
        probe->collect(batch.clusters, samples);
      }
      if (probe == &all) {
        optimizer.step();
      }
      optimizer.zero_grad(/*set_to_none=*/step % 4 == 1);
      if (step % 2 == 1) {  // neither the step nor zero_grad reaches what was kept
        probe->collect(batch.clusters, samples);
      }
    }
    expect_truth(one.scores(), of_step, batch.clusters);

    Taps none;
    for (int i = 0; i < 2; ++i) {  // as often, for the running statistics
      plain_optimizer.zero_grad();
      loss_of(plain->forward(batch.x, none), batch.y).backward();
    }
    plain_optimizer.step();
  }
  expect_truth(all.scores(), truth, at::cat(clusters));
  expect_same_weights(*net, *plain);
}

TEST(ProbeTrainingTest, EachStepOfAnMlpAddsWhatRetainGradGives) { train_beside_a_twin<Mlp>({32, 6}); }

TEST(ProbeTrainingTest, EachStepOfAConvolutionalNetAddsWhatRetainGradGives) {
  train_beside_a_twin<Conv>({16, 3, 7, 7});
}

TEST(ProbeTrainingTest, AccumulatedGradientsAreCollectedEachOrAtOnce) {
  torch::manual_seed(4);
  Mlp net;
  Probe each(options_of(methods));
  Probe at_once(options_of(methods));
  Truth truth;
  std::vector<at::Tensor> clusters;
  for (const std::int64_t samples : {8, 8, 5}) {
    const Batch batch = batch_of({samples, 6});
    add_truth(truth, twin_of(net, batch), 2);
    clusters.push_back(batch.clusters);
    for (Probe* probe : {&each, &at_once}) {
      ProbeTaps taps(*probe);
      loss_of(net.forward(batch.x, taps), batch.y).backward();
    }
    each.collect(batch.clusters, 2);
  }
  EXPECT_EQ(at_once.layers().size(), 3U) << "the layers of the last forward";
  at_once.collect(at::cat(clusters), 2);
  expect_truth(each.scores(), truth, at::cat(clusters));
  expect_truth(at_once.scores(), truth, at::cat(clusters));

  ProbeTaps taps(at_once);
  loss_of(net.forward(torch::randn({4, 6}), taps), torch::zeros({4}, torch::kLong)).backward();
  loss_of(net.forward(torch::randn({3, 6}), taps), torch::zeros({3}, torch::kLong)).backward();
  EXPECT_THAT([&] { at_once.collect(torch::zeros({3}, torch::kLong)); },
              ThrowsMessage<InputError>(HasSubstr("7 samples")));
  loss_of(net.forward(torch::randn({4, 6}), taps), torch::zeros({4}, torch::kLong)).backward();
  const at::Tensor logits = net.forward(torch::randn({3, 6}), taps);
  EXPECT_THAT([&] { at_once.add(logits, torch::zeros({3}, torch::kLong)); },
              ThrowsMessage<StateError>(HasSubstr("collect()")));
  expect_truth(at_once.scores(), truth, at::cat(clusters));
}

class Autocast {
 public:
  explicit Autocast(at::ScalarType type) {
    at::autocast::set_autocast_enabled(at::kCPU, true);
    at::autocast::set_autocast_dtype(at::kCPU, type);
  }
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;
  ~Autocast() {
    at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(at::kCPU, false);
    at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
  }
};

TEST(ProbeTrainingTest, HalvesUnderAutocastWithAScaledLoss) {
  torch::manual_seed(5);
  Mlp net;
  torch::optim::SGD optimizer(net.parameters(), 0.1);
  constexpr double loss_scale = 1024;
  for (int step = 0; step < 4; ++step) {
    const Batch batch = batch_of({32, 6});
    Truth truth;
    Probe probe(options_of(methods));
    {
      const Autocast halves(at::kBFloat16);
      const Twin twin = twin_of(net, batch, loss_scale);
      ASSERT_EQ(twin.kept[0].z.scalar_type(), at::kBFloat16);
      add_truth(truth, twin, 1 / loss_scale);
      ProbeTaps taps(probe);
      optimizer.zero_grad();
      (loss_of(net.forward(batch.x, taps), batch.y) * loss_scale).backward();
      probe.collect(batch.clusters, 1 / loss_scale);
      EXPECT_TRUE(at::autocast::is_autocast_enabled(at::kCPU));
    }
    expect_truth(probe.scores(), truth, batch.clusters);
    optimizer.step();
  }
}

/// A forward between a linear layer and another, which may write into what the first one made.
using Middle = std::function<at::Tensor(const at::Tensor& h, Taps& taps)>;

/// Gradients of the weights are those without a probe, and scores those of the twin.
void expect_right(const Middle& middle, bool frozen = false) {
  torch::manual_seed(6);
  torch::nn::Linear first(6, 8);
  torch::nn::Linear last(8, classes);
  for (at::Tensor& weight : first->parameters()) {
    weight.requires_grad_(!frozen);
  }
  const Batch batch = batch_of({10, 6});
  const auto weight_gradients = [&](Taps& taps) {
    first->zero_grad();
    last->zero_grad();
    loss_of(last(middle(first(batch.x), taps)), batch.y).backward();
    return std::vector<at::Tensor>{frozen ? at::Tensor() : first->weight.grad().clone(), last->weight.grad().clone()};
  };
  Taps none;
  const std::vector<at::Tensor> without = weight_gradients(none);
  Twin twin;
  if (!frozen) {
    weight_gradients(twin);
  } else {
    loss_of(last(middle(first(batch.x).requires_grad_(true), twin)), batch.y).backward();
  }
  Truth truth;
  for (const Twin::Kept& layer : twin.kept) {
    for (const Method method : {Method::gradient, Method::gradient_x_preactivation}) {
      truth[{layer.name, layer.call, method}].push_back(truth_of(layer, method, 1));
    }
  }
  Probe probe(options_of({Method::gradient, Method::gradient_x_preactivation}));
  ProbeTaps taps(probe);
  const std::vector<at::Tensor> with = weight_gradients(taps);
  probe.collect(batch.clusters);
  expect_truth(probe.scores(), truth, batch.clusters);
  for (std::size_t i = 0; i < with.size(); ++i) {
    if (with[i].defined()) {
      EXPECT_TRUE(are_close(with[i], without[i], promised)) << (i == 0 ? "first" : "last");
    }
  }
}

TEST(ProbeTrainingTest, AViewChangedInPlaceChangesWhatItViews) {
  {
    SCOPED_TRACE("a part of what is used whole afterwards");
    expect_right([](const at::Tensor& h, Taps& taps) {
      const at::Tensor z = taps.tap("half", h.narrow(1, 2, 4));
      if (taps.in_place()) {
        z.tanh_();
        return h;
      }
      return at::cat({h.narrow(1, 0, 2), z.tanh(), h.narrow(1, 6, 2)}, 1);
    });
  }
  {
    SCOPED_TRACE("and another part is changed later");
    expect_right([](const at::Tensor& h, Taps& taps) {
      const at::Tensor z = taps.tap("half", h.narrow(1, 2, 4));
      if (taps.in_place()) {
        z.mul_(-2);
        h.narrow(1, 0, 4).mul_(3);
        return at::cat({h.narrow(1, 0, 2), z, h.narrow(1, 6, 2)}, 1);
      }
      const at::Tensor a = z * -2;
      return at::cat({h.narrow(1, 0, 2) * 3, a.narrow(1, 0, 2) * 3, a.narrow(1, 2, 2), h.narrow(1, 6, 2)}, 1);
    });
  }
  {
    SCOPED_TRACE("the whole in another shape, not changed itself but through its base");
    expect_right([](const at::Tensor& h, Taps& taps) {
      const at::Tensor z = taps.tap("whole", h.view({-1, 2, 4}).transpose(1, 2));
      if (taps.in_place()) {
        h.tanh_();
        return z.transpose(1, 2).flatten(1);
      }
      return z.tanh().transpose(1, 2).flatten(1);
    });
  }
  {
    SCOPED_TRACE("nobody else holds the base");
    expect_right([](const at::Tensor& h, Taps& taps) {
      at::Tensor z = taps.tap("whole", (h * 1).view({-1, 8}));
      z = taps.in_place() ? z.tanh_() : z.tanh();
      return z;
    });
  }
  {
    SCOPED_TRACE("several views of one tensor, out of place");
    expect_right([](const at::Tensor& h, Taps& taps) {
      const std::vector<at::Tensor> halves = h.chunk(2, 1);
      return at::cat({taps.tap("left", halves[0]).sigmoid(), taps.tap("right", halves[1]).tanh()}, 1);
    });
  }
}

TEST(ProbeTrainingTest, WhoHoldsThePreActivationItselfSeesItsChanges) {
  expect_right([](const at::Tensor& h, Taps& taps) {
    const at::Tensor z = taps.tap("z", h);
    return taps.in_place() ? z.tanh_() + h : z.tanh() + z.tanh();
  });
}

TEST(ProbeTrainingTest, WhatAutogradSavedIsNotTakenForOverwritten) {
  expect_right([](const at::Tensor& h, Taps& taps) {
    const at::Tensor kept = h.sigmoid();  // saves its result
    const at::Tensor z = taps.tap("z", kept);
    return z.mul(2) + kept.exp().narrow(1, 0, 1) * 0;
  });
}

TEST(ProbeTrainingTest, FrozenLayersBeforeTheTapAreNotDifferentiated) {
  expect_right(
      [](const at::Tensor& h, Taps& taps) {
        const at::Tensor z = taps.tap("z", h);
        return taps.in_place() ? z.tanh_() : z.tanh();
      },
      /*frozen=*/true);
}

TEST(ProbeTrainingTest, TheProgramsOwnRetainGradAndHooksGoOn) {
  Probe probe(options_of({Method::gradient}));
  const at::Tensor x = torch::randn({4, 3}).requires_grad_(true);
  const at::Tensor h = x * 2;
  h.retain_grad();
  int hooks = 0;
  h.register_hook([&](const at::Tensor& /*gradient*/) { ++hooks; });
  at::Tensor z = probe.tap("z", h);
  z.register_hook([&](const at::Tensor& /*gradient*/) { ++hooks; });
  z.retain_grad();
  z.mul_(5).sum().backward();
  probe.collect();
  EXPECT_EQ(hooks, 2);
  EXPECT_EQ(z.grad()[0][0].item<float>(), 1);  // as LibTorch has it: of the newest version
  EXPECT_EQ(x.grad()[0][0].item<float>(), 10);
  EXPECT_EQ(probe.scores().of("z", 0, Method::gradient).mean[0], 5);
}

TEST(ProbeTrainingTest, WhatLibTorchRefusesInPlaceItGoesOnRefusing) {
  Probe probe(options_of({Method::gradient}));
  const at::Tensor leaf = torch::randn({4, 3}).requires_grad_(true);
  EXPECT_THROW(probe.tap("leaf", leaf).relu_(), c10::Error);
  const at::Tensor h = leaf * 2;
  EXPECT_THROW(probe.tap("part", h.chunk(3, 1)[0]).relu_(), c10::Error);
  EXPECT_TRUE(leaf.is_leaf());
  probe.discard();
  const at::Tensor data = torch::randn({4, 3});
  static_cast<void>(probe.tap("data", data));
  EXPECT_FALSE(data.requires_grad());
}

TEST(ProbeTrainingTest, BackwardsAreCountedOnce) {
  Probe probe(options_of({Method::gradient}));
  const at::Tensor x = torch::ones({2, 3}).requires_grad_(true);
  const at::Tensor z = probe.tap("z", x * 1);
  const at::Tensor loss = (z * 3).sum();
  loss.backward({}, /*keep_graph=*/true);
  loss.backward({}, /*keep_graph=*/true);
  probe.collect();
  EXPECT_EQ(probe.scores().of("z", 0, Method::gradient).mean[0], 6);
  loss.backward();
  EXPECT_THAT([&] { probe.collect(); }, ThrowsMessage<StateError>(HasSubstr("nothing was tapped")));
  EXPECT_EQ(probe.scores().of("z", 0, Method::gradient).count, 2);

  // Its own backward, where the program's graph is still there.
  const at::Tensor again = probe.tap("z", x * 1);
  const at::Tensor outputs = again * 3;
  outputs.sum().backward({}, /*keep_graph=*/true);
  probe.add(outputs, torch::zeros({2}, torch::kLong));
  EXPECT_EQ(probe.scores().of("z", 0, Method::gradient).count, 4);
}

TEST(ProbeTrainingTest, CollectRunsNoBackward) {
  Probe probe(options_of(methods));
  torch::manual_seed(7);
  Mlp net;
  ProbeTaps taps(probe);
  loss_of(net.forward(torch::randn({4, 6}), taps), torch::zeros({4}, torch::kLong)).backward();
  EXPECT_EQ(total(operator_counts(at::RecordScope::BACKWARD_FUNCTION, [&] { probe.collect(); })), 0);
}

TEST(ProbeTrainingTest, SaysWhatIsMissingAndAddsNothing) {
  Probe probe(options_of({Method::gradient}));
  const at::Tensor x = torch::ones({2, 3}).requires_grad_(true);
  EXPECT_THAT([&] { probe.collect(); }, ThrowsMessage<StateError>(HasSubstr("nothing was tapped")));
  probe.tap("z", x * 1);
  EXPECT_THAT([&] { probe.collect(); }, ThrowsMessage<StateError>(HasSubstr("before collect()")));
  EXPECT_TRUE(probe.layers().empty());

  at::Tensor z = probe.tap("z", x * 1);
  (z + probe.tap("aside", x * 2).detach()).sum().backward();
  EXPECT_THAT([&] { probe.collect(); }, ThrowsMessage<LayerError>(HasSubstr("'aside@0' has no influence on the loss")));

  z = probe.tap("z", x * 1);
  (z * at::tensor({1.0F, 0.0F}).reciprocal().unsqueeze(1)).sum().backward();
  EXPECT_THAT([&] { probe.collect(); },
              ThrowsMessage<InputError>(HasSubstr("by z of 'z@0' is NaN or infinite for sample 1")));

  z = probe.tap("z", (x * 1).to(at::kHalf));
  (z * 60000).sum().backward();
  EXPECT_THAT([&] { probe.collect({}, 0); }, ThrowsMessage<ArgumentError>(HasSubstr("the scale 0")));
  EXPECT_THAT([&] { probe.collect({}, std::nan("")); }, ThrowsMessage<ArgumentError>(HasSubstr("the scale nan")));
  EXPECT_TRUE(probe.scores().entries().empty());
  probe.collect({}, 2);  // more than a half holds
  EXPECT_EQ(probe.scores().of("z", 0, Method::gradient).mean[0], 120000);

  z = probe.tap("z", x * 1);
  const at::Tensor y = (z * z).sum();
  const at::Tensor slope = torch::autograd::grad({y}, {x}, {}, true, /*create_graph=*/true)[0];
  (slope * slope).sum().backward();
  EXPECT_THAT([&] { probe.collect(); }, ThrowsMessage<StateError>(HasSubstr("create_graph")));
  EXPECT_EQ(probe.scores().of("z", 0, Method::gradient).count, 2);
}

TEST(ProbeTrainingTest, MethodsWithoutGradientsNeedNoBackward) {
  Probe probe(options_of({Method::preactivation}));
  const torch::NoGradGuard no_gradients;
  at::Tensor z = probe.tap("z", torch::ones({2, 3}));
  z.zero_();
  probe.collect();
  EXPECT_EQ(probe.scores().of("z", 0, Method::preactivation).mean[0], 1);
}

}  // namespace

}  // namespace pregrad::test::probe_training_test
