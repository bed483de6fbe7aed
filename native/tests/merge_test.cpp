// States that are merged against one computation that had all batches.

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <ATen/Functions.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/script.h>

#include "fixtures.hpp"
#include "pregrad/pregrad.hpp"
#include "statistics/cluster_accumulator.hpp"

namespace pregrad::test::merge_test {

namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::ThrowsMessage;

constexpr std::int64_t batch_size = 6;
constexpr std::int64_t batches = 8;

/// As bits, so that NaN is itself.
std::vector<std::uint64_t> bits(const std::vector<double>& values) {
  std::vector<std::uint64_t> all(values.size());
  std::transform(values.begin(), values.end(), all.begin(),
                 [](double value) { return std::bit_cast<std::uint64_t>(value); });
  return all;
}

void expect_same(const Scores& seen, const Scores& expected) {
  ASSERT_EQ(seen.entries().size(), expected.entries().size());
  for (std::size_t i = 0; i < expected.entries().size(); ++i) {
    const Score& score = seen.entries()[i];
    const Score& truth = expected.entries()[i];
    SCOPED_TRACE(testing::Message() << truth.layer << "@" << truth.call << " cluster " << truth.cluster << " "
                                    << name_of(truth.method));
    EXPECT_EQ(score.layer, truth.layer);
    EXPECT_EQ(score.call, truth.call);
    EXPECT_EQ(score.cluster, truth.cluster);
    EXPECT_EQ(score.method, truth.method);
    EXPECT_EQ(score.statistics.count, truth.statistics.count);
    EXPECT_EQ(score.statistics.mean, truth.statistics.mean);
    EXPECT_EQ(score.statistics.mean_abs, truth.statistics.mean_abs);
    EXPECT_EQ(score.statistics.rms, truth.statistics.rms);
    EXPECT_EQ(score.statistics.std, truth.statistics.std);
    EXPECT_EQ(bits({score.completeness_error}), bits({truth.completeness_error}));
  }
}

class MergeTest : public testing::Test {
 protected:
  MergeTest() {
    options.layers = {"act1", "act2"};
    options.methods = unconditional_methods;
    options.steps = 3;
  }

  /// Batch `i`; only every third has cluster 100 + i.
  void add(Attribution& attribution, std::int64_t i) const {
    const auto part = [&](const at::Tensor& all) { return all.slice(0, i * batch_size, (i + 1) * batch_size); };
    attribution.add(part(data.x), part(data.y), i % 3 == 0 ? part(data.cluster) * 0 + 100 + i : part(data.cluster));
  }
  Attribution with(const std::vector<std::int64_t>& some) const {
    Attribution attribution = model.attribution(options);
    for (const std::int64_t i : some) {
      add(attribution, i);
    }
    return attribution;
  }

  Model model = Model::load(fixture_path("digits-mlp.scripted.pt"));
  Data data = read_data(fixture_path("digits.npz"));
  AttributionOptions options;
};

TEST_F(MergeTest, StatesOfSeveralProcessesAddUpToOnesOfAll) {
  const Scores expected = with({0, 1, 2, 3, 4, 5, 6, 7}).scores();
  const std::vector<std::string> states = {with({0, 3, 6}).save(), with({1, 4, 7}).save(), with({2, 5}).save()};
  std::vector<std::size_t> order = {0, 1, 2};
  do {
    Attribution merged = model.attribution(options);
    for (const std::size_t i : order) {
      merged.merge(states[i]);
    }
    SCOPED_TRACE(testing::Message() << "in the order " << order[0] << order[1] << order[2]);
    expect_same(merged.scores(), expected);
  } while (std::next_permutation(order.begin(), order.end()));

  // Batches may come before and after.
  Attribution going_on = with({0, 1});
  going_on.merge(with({4, 5, 6}).save());
  add(going_on, 7);
  going_on.merge(with({2, 3}).save());
  expect_same(going_on.scores(), expected);
}

TEST_F(MergeTest, TheSameStatesInTheSameOrderGiveTheSameBytes) {
  const std::string first = with({0, 1, 2}).save();
  const std::string second = with({3, 4}).save();
  const auto merged = [&] {
    Attribution attribution = model.attribution(options);
    attribution.merge(first);
    attribution.merge(second);
    return attribution.save();
  };
  EXPECT_EQ(merged(), merged());
  // What nothing was added to changes nothing, on either side.
  Attribution nothing = model.attribution(options);
  const std::string empty = nothing.save();
  nothing.merge(first);
  EXPECT_EQ(nothing.save(), first);
  nothing.merge(empty);
  EXPECT_EQ(nothing.save(), first);
}

TEST_F(MergeTest, MeansOfAFirstPassAddUp) {
  options.methods = {Method::activation};
  const std::vector<NeuronConstants> expected = mean_activations(with({0, 1, 2, 3, 4}).scores());
  Attribution merged = with({4, 0});
  merged.merge(with({3}).save());
  merged.merge(with({2, 1}).save());
  const std::vector<NeuronConstants> seen = mean_activations(merged.scores());
  ASSERT_EQ(seen.size(), expected.size());
  for (std::size_t i = 0; i < seen.size(); ++i) {
    EXPECT_EQ(seen[i].values, expected[i].values);
  }
}

TEST_F(MergeTest, ThreadsMayMergeWhileOthersAdd) {
  const Scores expected = with({0, 1, 2, 3, 4, 5, 6, 7}).scores();
  const std::vector<std::string> states = {with({0, 1}).save(), with({2, 3}).save()};
  Attribution shared = model.attribution(options);
  std::vector<std::thread> threads;
  for (std::int64_t i = 4; i < batches; ++i) {
    threads.emplace_back([&, i] { add(shared, i); });
  }
  for (const std::string& state : states) {
    threads.emplace_back([&] { shared.merge(state); });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  const Scores seen = shared.scores();
  ASSERT_EQ(seen.entries().size(), expected.entries().size());
  for (std::size_t i = 0; i < expected.entries().size(); ++i) {
    EXPECT_EQ(seen.entries()[i].statistics.count, expected.entries()[i].statistics.count);
    // Threads that compute at once may be given other kernels.
    EXPECT_LT(relative_error(seen.entries()[i].statistics.mean_abs, expected.entries()[i].statistics.mean_abs), 1e-5);
  }
}

TEST_F(MergeTest, AForeignOrDamagedStateIsRefusedAndChangesNothing) {
  Attribution attribution = with({0, 1});
  const std::string before = attribution.save();
  const auto refused = [&](const std::string& state, const std::string& part) {
    EXPECT_THAT([&] { attribution.merge(state); },
                ThrowsMessage<ArgumentError>(AllOf(HasSubstr(part), HasSubstr(": take "), Not(HasSubstr("\n")))));
    EXPECT_EQ(attribution.save(), before);
  };
  const auto state_with = [&](auto&& change) {
    AttributionOptions other = options;
    change(other);
    return model.attribution(other).save();
  };
  refused(state_with([](auto& other) { other.layers = {"act2"}; }), "layer 'act2@0' where the layer 'act1@0' is");
  refused(state_with([](auto& other) { other.layers = {"act1"}; }), "no more layers where the layer 'act2@0' is");
  refused(state_with([](auto& other) { other.methods.pop_back(); }), "no more methods where the method 'random' is");
  refused(state_with([](auto& other) { other.target = Target::index(3); }),
          "option 'target 3' where the option 'target label' is");
  refused(state_with([](auto& other) { other.output = Output::probability; }), "'output probability'");
  refused(state_with([](auto& other) { other.steps = 4; }), "'steps 4' where the option 'steps 3'");
  refused(state_with([](auto& other) { other.quadrature = Quadrature::midpoint; }), "'quadrature midpoint'");
  refused(state_with([](auto& other) { other.seed = 9; }), "'seed 9' where the option 'seed 0'");
  refused(state_with([](auto& other) { other.removal = Removal::zero_preactivation; }), "'removal zero-preactivation'");
  refused(state_with([](auto& other) { other.input_baseline = at::ones({1, 64}); }), "'input_baseline [1, 64] Float ");
  const auto with_means = [&](double mean) {
    return [this, mean](auto& other) {
      other.baseline = Baseline::mean;
      for (const Layer& layer : model.layers(data.x.slice(0, 0, 1))) {
        other.means.push_back(
            {layer.name, layer.call, {}, std::vector<double>(static_cast<std::size_t>(layer.neurons), mean)});
      }
    };
  };
  refused(state_with(with_means(1)), "'baseline mean'");
  AttributionOptions of_means = options;
  with_means(1)(of_means);
  EXPECT_NO_THROW(model.attribution(of_means).merge(state_with(with_means(1))));
  EXPECT_THAT([&] { model.attribution(of_means).merge(state_with(with_means(2))); },
              ThrowsMessage<ArgumentError>(HasSubstr("option 'means ")));

  AblationOptions removal;
  removal.orders = random_orders("act2", 0, 0, 64, 1, 0);
  refused(model.ablation(removal).save(), "is damaged, or none of this kind");
  for (std::size_t i = 0; i < before.size(); i += before.size() / 61) {
    std::string damaged = before;
    damaged[i] = static_cast<char>(damaged[i] ^ 4);
    refused(damaged, "damaged");
  }
  for (const std::size_t length : {std::size_t{0}, std::size_t{7}, before.size() / 2, before.size() - 1}) {
    refused(before.substr(0, length), "damaged");
  }
  refused(before + "x", "damaged");
}

TEST_F(MergeTest, OptionsThatNoMethodLooksAtDoNotMatter) {
  options.methods = {Method::gradient};
  AttributionOptions other = options;
  other.steps = 99;
  other.removal = Removal::zero_preactivation;
  other.cuda_graphs = false;
  Attribution attribution = with({0});
  attribution.merge(model.attribution(other).save());
  options.methods = {Method::activation};
  other = options;
  other.target = Target::predicted();
  EXPECT_NO_THROW(with({0}).merge(model.attribution(other).save()));
}

/// Its layer runs once per step of the input.
Model looping() {
  torch::manual_seed(3);
  torch::jit::Module module("Looping");
  module.register_parameter("w", torch::randn({4, 5}), false);
  module.define(R"(
    def forward(self, x):
        h = torch.zeros([x.size(0), 4])
        for i in range(x.size(1)):
            h = torch.tanh(torch.linear(x[:, i], self.w) + h)
        return h
  )");
  return Model::from(module);
}

TEST(MergeOfLayersTest, CallsThatOnlyOneSideHasAreMerged) {
  const Model model = looping();
  AttributionOptions options;
  options.layers = {"forward"};
  options.target = Target::index(1);
  torch::manual_seed(4);
  const at::Tensor two_steps = torch::randn({6, 2, 5});
  const at::Tensor four_steps = torch::randn({6, 4, 5});
  Attribution expected = model.attribution(options);
  expected.add(two_steps);
  expected.add(four_steps);
  Attribution of_two = model.attribution(options);
  of_two.add(two_steps);
  Attribution of_four = model.attribution(options);
  of_four.add(four_steps);
  const std::string state_of_two = of_two.save();
  of_two.merge(of_four.save());
  of_four.merge(state_of_two);
  ASSERT_EQ(expected.scores().entries().size(), 4U);
  expect_same(of_two.scores(), expected.scores());
  expect_same(of_four.scores(), expected.scores());
}

TEST(MergeOfLayersTest, ALayerOfOtherNeuronsIsRefusedAndChangesNothing) {
  torch::jit::Module module("Wide");
  module.define(R"(
    def forward(self, x):
        a = torch.relu(x * 2.0)
        return torch.stack([a.sum(1), a.mean(1)], 1)
  )");
  const Model model = Model::from(module);
  AttributionOptions options;
  options.layers = {"forward"};
  options.target = Target::index(0);
  const auto of_width = [&](std::int64_t width) {
    Attribution attribution = model.attribution(options);
    attribution.add(at::ones({3, width}));
    return attribution;
  };
  Attribution narrow = of_width(5);
  const std::string before = narrow.save();
  EXPECT_THAT([&] { narrow.merge(of_width(6).save()); },
              ThrowsMessage<ArgumentError>(HasSubstr("layer 'forward@0' has 6 neurons in the saved state and 5 here")));
  EXPECT_EQ(narrow.save(), before);
  // What is merged into nothing decides what may come.
  Attribution empty = model.attribution(options);
  empty.merge(before);
  EXPECT_THROW(empty.add(at::ones({3, 6})), InputError);
  empty.add(at::ones({3, 5}));
  EXPECT_EQ(empty.scores().of("forward", 0, Method::gradient).count, 6);
}

/// The numbers of any spread over accumulators, merged in any order, are those of one.
TEST(MergeOfSumsTest, SumsWithinABillionAreExact) {
  constexpr std::size_t neurons = 7;
  constexpr std::size_t samples = 400;
  std::mt19937_64 random(5);
  std::uniform_real_distribution<double> mantissa(-1, 1);
  std::uniform_int_distribution<int> exponent(-15, 14);
  std::vector<std::vector<double>> values(samples, std::vector<double>(neurons));
  for (std::vector<double>& sample : values) {
    std::generate(sample.begin(), sample.end(), [&] { return std::ldexp(mantissa(random), exponent(random)); });
  }
  statistics::ClusterAccumulator whole(neurons);
  for (const std::vector<double>& sample : values) {
    whole.add(sample);
  }
  const Statistics expected = whole.statistics();
  for (int repeat = 0; repeat < 50; ++repeat) {
    std::vector<statistics::ClusterAccumulator> parts(1 + random() % 9, statistics::ClusterAccumulator(neurons));
    std::shuffle(values.begin(), values.end(), random);
    for (const std::vector<double>& sample : values) {
      parts[random() % parts.size()].add(sample);
    }
    statistics::ClusterAccumulator merged(neurons);
    for (const statistics::ClusterAccumulator& part : parts) {
      merged.add(part);
    }
    const Statistics seen = merged.statistics();
    EXPECT_EQ(seen.count, expected.count);
    EXPECT_EQ(seen.mean, expected.mean);
    EXPECT_EQ(seen.mean_abs, expected.mean_abs);
    for (std::size_t j = 0; j < neurons; ++j) {
      EXPECT_NEAR(seen.rms[j], expected.rms[j], 1e-15 * expected.rms[j]);
      EXPECT_NEAR(seen.std[j], expected.std[j], 1e-15 * expected.std[j]);
    }
  }
}

class MergeOfCurvesTest : public MergeTest {
 protected:
  MergeOfCurvesTest() {
    removal.orders = random_orders("act2", 0, 1, 64, 2, 5);
    const std::vector<RemovalOrder> others = random_orders("act1", 0, 100, 128, 1, 5);
    removal.orders.insert(removal.orders.end(), others.begin(), others.end());
  }

  Ablation measured(const std::vector<std::int64_t>& some) const {
    Ablation ablation = model.ablation(removal);
    for (const std::int64_t i : some) {
      const auto part = [&](const at::Tensor& all) { return all.slice(0, i * batch_size, (i + 1) * batch_size); };
      ablation.add(part(data.x), part(data.y), i == 0 ? part(data.cluster) * 0 + 100 : part(data.cluster));
    }
    return ablation;
  }

  AblationOptions removal;
};

TEST_F(MergeOfCurvesTest, CurvesOfSeveralProcessesAddUpToThoseOfOne) {
  const std::vector<RemovalCurve> expected = measured({0, 1, 2, 3, 4}).curves();
  const std::vector<std::string> states = {measured({0, 3}).save(), measured({1}).save(), measured({2, 4}).save()};
  std::vector<std::size_t> order = {0, 1, 2};
  do {
    Ablation merged = model.ablation(removal);
    for (const std::size_t i : order) {
      merged.merge(states[i]);
    }
    const std::vector<RemovalCurve> seen = merged.curves();
    ASSERT_EQ(seen.size(), expected.size());
    for (std::size_t i = 0; i < seen.size(); ++i) {
      EXPECT_EQ(seen[i].count, expected[i].count);
      EXPECT_EQ(seen[i].outside_count, expected[i].outside_count);
      EXPECT_EQ(bits(seen[i].accuracy), bits(expected[i].accuracy));
      EXPECT_EQ(bits(seen[i].mean_output), bits(expected[i].mean_output));
      EXPECT_EQ(bits(seen[i].cross_entropy), bits(expected[i].cross_entropy));
      EXPECT_EQ(bits(seen[i].outside_accuracy), bits(expected[i].outside_accuracy));
    }
  } while (std::next_permutation(order.begin(), order.end()));
  EXPECT_EQ(expected[2].count, batch_size);
}

TEST_F(MergeOfCurvesTest, AForeignOrDamagedStateIsRefusedAndChangesNothing) {
  Ablation ablation = measured({0, 1});
  const std::string before = ablation.save();
  const auto refused = [&](const std::string& state, const std::string& part) {
    EXPECT_THAT([&] { ablation.merge(state); },
                ThrowsMessage<ArgumentError>(AllOf(HasSubstr(part), Not(HasSubstr("\n")))));
    EXPECT_EQ(ablation.save(), before);
  };
  const auto state_with = [&](auto&& change) {
    AblationOptions other = removal;
    change(other);
    return model.ablation(other).save();
  };
  refused(state_with([](auto& other) { std::swap(other.orders[1].neurons[0], other.orders[1].neurons[1]); }),
          "order 'act2@0, cluster 1, neurons ");
  refused(state_with([](auto& other) { other.orders.pop_back(); }), "no more orders where the order 'act1@0");
  refused(state_with([](auto& other) { other.target = Target::predicted(); }), "'target predicted'");
  refused(state_with([](auto& other) { other.output = Output::log_probability; }), "'output log-probability'");
  refused(state_with([](auto& other) { other.removal = Removal::zero_preactivation; }), "'removal zero-preactivation'");
  refused(with({0}).save(), "damaged, or none of this kind");
  for (std::size_t i = 0; i < before.size(); i += before.size() / 61) {
    std::string damaged = before;
    damaged[i] = static_cast<char>(damaged[i] ^ 4);
    refused(damaged, "damaged");
  }
  for (const std::size_t length : {std::size_t{0}, std::size_t{7}, before.size() / 2, before.size() - 1}) {
    refused(before.substr(0, length), "damaged");
  }
}

TEST(MergeOfOutputsTest, AModelOfOneOutputAddsUp) {
  const Data data = first_of(read_data(fixture_path("single-output.npz")), 12);
  const Model model = Model::load(fixture_path("single-output.scripted.pt"));
  const Layer layer = model.layers(data.x).at(0);
  AblationOptions options;
  options.target = Target::index(0);
  options.orders = random_orders(layer.name, layer.call, 0, layer.neurons, 1, 0);
  const auto part = [&](std::int64_t first) { return data.x.slice(0, first, first + 6); };
  Ablation expected = model.ablation(options);
  expected.add(part(0));
  expected.add(part(6));
  Ablation one = model.ablation(options);
  one.add(part(0));
  Ablation other = model.ablation(options);
  other.merge(model.ablation(options).save());  // which knows nothing of the model's outputs yet
  other.add(part(6));
  one.merge(other.save());
  const RemovalCurve curve = one.curves().at(0);
  EXPECT_TRUE(std::isnan(curve.accuracy.at(0)));
  EXPECT_EQ(curve.mean_output, expected.curves().at(0).mean_output);

  // The same names in a model of several outputs.
  Ablation empty = model.ablation(options);
  empty.merge(one.save());
  EXPECT_TRUE(std::isnan(empty.curves().at(0).accuracy.at(0)));
}

}  // namespace

}  // namespace pregrad::test::merge_test
