// Scores of each position, against formulas of a model whose derivatives are known, and golden values of their sums.

#include <algorithm>
#include <cmath>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <ATen/Functions.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/api/module.h>

#include "fixtures.hpp"
#include "npz.hpp"
#include "pregrad/pregrad.hpp"
#include "rounding.hpp"
#include "support/machine_memory.hpp"

namespace pregrad::test::positions_test {

namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr std::int64_t sample_count = 7;
constexpr std::int64_t longest = 4;
constexpr std::int64_t neuron_count = 5;

const std::vector<Method> with_positions = [] {
  std::vector<Method> methods = unconditional_methods;
  std::erase_if(methods, [](Method method) { return method == Method::ablation || method == Method::random; });
  return methods;
}();

/// y = Σₚ (p + 1)·mₚ·relu(xₚ·w₁)·w₂, linear in what the activation gives, so that every path method has a closed form.
struct Weighted {
  at::Tensor w1 = at::arange(30, at::kDouble).sin().reshape({6, neuron_count});
  at::Tensor w2 = at::arange(15, at::kDouble).cos().reshape({neuron_count, 3});
  at::Tensor x = at::arange(sample_count * longest * 6, at::kDouble).mul(0.7).cos().reshape({sample_count, longest, 6});
  std::vector<std::int64_t> lengths = {4, 2, 3, 4, 1, 3, 2};
  at::Tensor mask = at::arange(longest).unsqueeze(0).lt(at::tensor(lengths).unsqueeze(1)).to(at::kLong);
  at::Tensor clusters = at::tensor(std::vector<std::int64_t>{0, -2, 0, 0, -2, -2, 0});

  Model model() const {
    torch::jit::Module module("Weighted");
    module.register_parameter("w1", w1, false);
    module.register_parameter("w2", w2, false);
    module.define(R"(
def forward(self, x, mask):
  places = torch.arange(1, x.size(1) + 1, dtype=x.dtype).unsqueeze(-1)
  return (torch.relu(x @ self.w1) * places * mask.unsqueeze(-1)).sum(1) @ self.w2
)");
    module.eval();
    return Model::from(module);
  }

  /// The values of a method, [samples, positions, neurons].
  at::Tensor truth(Method method) const {
    const at::Tensor z = at::matmul(x, w1);
    const at::Tensor a = z.clamp_min(0);
    const at::Tensor places = at::arange(1, longest + 1, at::kDouble).view({1, longest, 1});
    const at::Tensor by_a = (places * w2.select(1, 1)).expand_as(a);
    const at::Tensor by_z = by_a * (z > 0);
    const at::Tensor counted = mask.unsqueeze(-1).to(at::kDouble);
    const at::Tensor mean = ((a * counted).sum(1) / counted.sum(1)).mean(0);  // of samples, each the mean of its own
    switch (method) {
      case Method::gradient:
        return by_z;
      case Method::gradient_x_preactivation:
        return z * by_z;
      case Method::preactivation:
        return z;
      case Method::activation:
        return a;
      case Method::gradient_x_centred_activation:
        return (a - mean) * by_a;
      case Method::activation_rate:
        return (a > 0).to(at::kDouble);
      case Method::internal_influence:
        return by_a;
      default:
        return a * by_a;
    }
  }

  Inputs inputs(std::int64_t first, std::int64_t last, std::int64_t length) const {
    const auto part = [&](const at::Tensor& all) { return all.slice(0, first, last).slice(1, 0, length); };
    return Inputs::of({{"x", part(x)}, {"mask", part(mask)}});
  }
};

AttributionOptions each_position() {
  AttributionOptions options;
  options.layers = {"forward"};
  options.methods = with_positions;
  options.target = Target::index(1);
  options.reading.mask = "mask";
  options.positions = Positions::each;
  options.steps = 3;
  return options;
}

std::vector<double> numbers(const at::Tensor& tensor) {
  const at::Tensor values = tensor.to(at::kDouble).contiguous();
  return {values.const_data_ptr<double>(), values.const_data_ptr<double>() + values.numel()};
}

class PositionsTest : public testing::Test {
 protected:
  Weighted weighted_;
  Model model_ = weighted_.model();

  Attribution added_whole(const AttributionOptions& options) const {
    Attribution attribution = model_.attribution(options);
    attribution.add(weighted_.inputs(0, sample_count, longest), {}, weighted_.clusters);
    return attribution;
  }

  void add_alone(Attribution& attribution, std::int64_t first, std::int64_t last) const {
    for (std::int64_t i = first; i < last; ++i) {
      attribution.add(weighted_.inputs(i, i + 1, weighted_.lengths[static_cast<std::size_t>(i)]), {},
                      weighted_.clusters.slice(0, i, i + 1));
    }
  }

  /// What every statistic is by formula, and nothing else.
  void expect_truth(const Scores& scores) const {
    std::size_t expected_entries = 0;
    for (const Method method : with_positions) {
      const at::Tensor values = weighted_.truth(method);
      for (const std::int64_t cluster : {-2, 0}) {
        for (std::int64_t position = 0; position < longest; ++position) {
          SCOPED_TRACE(testing::Message() << name_of(method) << " " << cluster << " at " << position);
          const at::Tensor counted =
              weighted_.mask.select(1, position).eq(1).logical_and(weighted_.clusters == cluster);
          const at::Tensor some = values.select(1, position).index({counted});
          if (some.size(0) == 0) {
            EXPECT_THAT([&] { scores.of("forward", cluster, method, position); },
                        ThrowsMessage<ArgumentError>(HasSubstr("at position " + std::to_string(position) +
                                                               ": name one that counts for some sample")));
            continue;
          }
          ++expected_entries;
          const Statistics& seen = scores.of("forward", cluster, method, position);
          EXPECT_EQ(seen.count, some.size(0));
          EXPECT_LT(relative_error(seen.mean, numbers(some.mean(0))), 1e-12);
          EXPECT_LT(relative_error(seen.mean_abs, numbers(some.abs().mean(0))), 1e-12);
          EXPECT_LT(relative_error(seen.rms, numbers(some.square().mean(0).sqrt())), 1e-12);
          const at::Tensor spread = (some - some.mean(0)).square().mean(0).sqrt();
          for (std::int64_t j = 0; j < neuron_count; ++j) {
            EXPECT_NEAR(seen.std[static_cast<std::size_t>(j)], spread[j].item<double>(), 1e-7);
          }
        }
      }
    }
    EXPECT_EQ(scores.entries().size(), expected_entries);
  }
};

TEST_F(PositionsTest, EachHasTheStatisticsOfTheSamplesForWhichItCounts) {
  expect_truth(added_whole(each_position()).scores());
}

TEST_F(PositionsTest, BatchesOfOtherLengthsAddUpToThoseOfOnePaddedBatch) {
  Attribution alone = model_.attribution(each_position());
  add_alone(alone, 0, sample_count);
  expect_truth(alone.scores());
}

TEST_F(PositionsTest, StatesAreRestoredAndMerged) {
  Attribution first = model_.attribution(each_position());
  add_alone(first, 1, 3);
  Attribution second = model_.attribution(each_position());
  second.restore(first.save());
  add_alone(second, 3, 5);
  Attribution third = model_.attribution(each_position());
  add_alone(third, 0, 1);
  add_alone(third, 5, sample_count);
  third.merge(second.save());
  expect_truth(third.scores());

  AttributionOptions together = each_position();
  together.positions = Positions::together;
  Attribution other = model_.attribution(together);
  EXPECT_THAT([&] { other.restore(third.save()); }, ThrowsMessage<ArgumentError>(HasSubstr("'positions each'")));
  EXPECT_THAT([&] { third.merge(other.save()); }, ThrowsMessage<ArgumentError>(HasSubstr("'positions each'")));
  const std::string state = third.save();
  for (std::size_t size = 0; size < state.size(); size += 97) {
    EXPECT_THROW(third.restore(state.substr(0, size)), ArgumentError);
  }
  expect_truth(third.scores());
}

TEST_F(PositionsTest, ThreadsMayShareThem) {
  Attribution attribution = model_.attribution(each_position());
  std::vector<std::thread> threads;
  for (std::int64_t i = 0; i < sample_count; ++i) {
    threads.emplace_back([&, i] { add_alone(attribution, i, i + 1); });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  expect_truth(attribution.scores());
}

TEST_F(PositionsTest, TheirTermsAddUpToTheScoresOfAllTogether) {
  AttributionOptions options = each_position();
  const Scores each = added_whole(options).scores();
  options.positions = Positions::together;
  for (const Score& score : added_whole(options).scores().entries()) {
    const bool is_value = score.method == Method::preactivation || score.method == Method::activation ||
                          score.method == Method::activation_rate;
    if (is_value) {
      continue;  // a mean of samples' means, which positions that count for some samples only do not give
    }
    std::vector<double> sum(neuron_count, 0);
    for (const Score& part : each.entries()) {
      for (std::size_t j = 0; part.cluster == score.cluster && part.method == score.method && j < sum.size(); ++j) {
        sum[j] += part.statistics.mean[j] * static_cast<double>(part.statistics.count) /
                  static_cast<double>(score.statistics.count);
      }
    }
    EXPECT_LT(relative_error(sum, score.statistics.mean), 1e-12) << name_of(score.method) << " " << score.cluster;
  }
}

TEST_F(PositionsTest, WhatConcernsANeuronAtAllOfThemHasOneScore) {
  AttributionOptions options = each_position();
  options.methods = {Method::gradient, Method::ablation, Method::random, Method::integrated_gradients};
  const Scores each = added_whole(options).scores();
  options.positions = Positions::together;
  const Scores together = added_whole(options).scores();
  for (const Method method : {Method::ablation, Method::random}) {
    EXPECT_EQ(each.of("forward", 0, method).mean, together.of("forward", 0, method).mean);
    EXPECT_THAT([&] { each.of("forward", 0, method, 0); },
                ThrowsMessage<ArgumentError>(HasSubstr("of all positions together: name none")));
  }
  EXPECT_THAT([&] { each.of("forward", 0, Method::gradient); },
              ThrowsMessage<ArgumentError>(HasSubstr("are those of its positions: name one, up to 3")));
  EXPECT_THAT([&] { together.of("forward", 0, Method::gradient, 1); },
              ThrowsMessage<ArgumentError>(HasSubstr("of all positions together: name none")));
  for (const Score& score : each.entries()) {
    EXPECT_EQ(score.position.has_value(),
              score.method == Method::gradient || score.method == Method::integrated_gradients);
    EXPECT_TRUE(std::isnan(score.completeness_error)) << "nothing is complete at one position";
  }
}

TEST_F(PositionsTest, MeansOfNeuronsAreNotTakenFromThem) {
  EXPECT_THAT([&] { mean_activations(added_whole(each_position()).scores()); },
              ThrowsMessage<ArgumentError>(HasSubstr("take positions together")));
}

TEST_F(PositionsTest, OrdersOfNeuronsAreNotTakenFromThem) {
  EXPECT_THAT([&] { removal_orders(added_whole(each_position()).scores(), {Aggregate::mean}); },
              ThrowsMessage<ArgumentError>(HasSubstr("take positions together")));
}

TEST_F(PositionsTest, WhatDoesNotFitIntoMemoryIsRefusedAndNotCounted) {
  AttributionOptions options = each_position();
  options.methods = {Method::gradient, Method::activation};
  options.memory_limit = 1000;
  Attribution none = model_.attribution(options);
  EXPECT_THAT([&] { none.add(weighted_.inputs(0, 3, longest), {}, weighted_.clusters.slice(0, 0, 3)); },
              ThrowsMessage<ArgumentError>(AllOf(HasSubstr("bytes of memory where the memory limit is 1000"),
                                                 HasSubstr("take positions together"), HasSubstr("raise the limit"))));
  EXPECT_TRUE(none.scores().entries().empty());

  // As much as two positions of one cluster need; neither a longer batch nor another cluster fits beside it.
  const auto add = [&](Attribution& to, std::int64_t sample, std::int64_t length) {
    to.add(weighted_.inputs(sample, sample + 1, length), {}, weighted_.clusters.slice(0, sample, sample + 1));
  };
  std::uint64_t fitting = 1000;
  for (bool fits = false; !fits; fitting += 200) {
    ASSERT_LT(fitting, 100000u);
    options.memory_limit = fitting;
    Attribution attempt = model_.attribution(options);
    try {
      add(attempt, 0, 2);
      fits = true;
    } catch (const ArgumentError&) {
      EXPECT_TRUE(attempt.scores().entries().empty());
    }
  }
  Attribution some = model_.attribution(options);
  add(some, 0, 2);
  const std::string before = some.save();
  EXPECT_THROW(add(some, 2, 3), ArgumentError);
  EXPECT_THROW(add(some, 1, 2), ArgumentError);
  EXPECT_EQ(some.save(), before);
  add(some, 2, 2);
  EXPECT_EQ(some.scores().of("forward", 0, Method::gradient, 1).count, 2);

  // States bring memory too.
  options.memory_limit = 0;
  Attribution large = model_.attribution(options);
  large.add(weighted_.inputs(0, sample_count, longest), {}, weighted_.clusters);
  const std::string held = some.save();
  EXPECT_THROW(some.merge(large.save()), ArgumentError);
  EXPECT_THROW(some.restore(large.save()), ArgumentError);
  EXPECT_EQ(some.save(), held);
}

TEST_F(PositionsTest, ManyClustersAreHeldAgainstTheLimitToo) {
  AttributionOptions options = each_position();
  options.positions = Positions::together;
  options.methods = {Method::gradient};
  options.memory_limit = 2000;
  Attribution attribution = model_.attribution(options);
  attribution.add(weighted_.inputs(0, 1, longest));
  EXPECT_THAT([&] { attribution.add(weighted_.inputs(0, sample_count, longest), {}, at::arange(sample_count)); },
              ThrowsMessage<ArgumentError>(HasSubstr("choose fewer layers, methods or clusters, or raise the limit")));
  EXPECT_EQ(attribution.scores().entries().size(), 1u);
}

TEST(MemoryLimit, ABatchThatIsRefusedDecidesNothingAboutLaterOnes) {
  AttributionOptions options;
  options.target = Target::index(0);
  options.memory_limit = 5000;
  Probe probe(options);
  const auto forward = [&](std::int64_t neurons) {
    const at::Tensor z = probe.tap("layer", at::ones({2, neurons}, at::kDouble).requires_grad_());
    return at::stack({z.sum(1), z.sum(1)}, 1);
  };
  EXPECT_THAT([&] { probe.add(forward(1000)); }, ThrowsMessage<ArgumentError>(HasSubstr("the memory limit is 5000")));
  probe.add(forward(5));
  EXPECT_EQ(probe.scores().of("layer", 0, Method::gradient).count, 2);
}

TEST(Positions, AreNumberedRowMajorOverTheirAxes) {
  AttributionOptions options;
  options.positions = Positions::each;
  options.target = Target::index(0);
  Probe probe(options);
  const at::Tensor weights = at::arange(3 * 2 * 5, at::kDouble).reshape({3, 2, 5}).sin();  // channels, rows, columns
  const auto forward = [&](const at::Tensor& by) {
    const at::Tensor z = probe.tap("map", at::ones_like(by).expand({4, -1, -1, -1}).clone().requires_grad_());
    const at::Tensor flat = probe.tap("flat", (z * by).sum(at::IntArrayRef{2, 3}));
    return at::stack({flat.sum(1), flat.sum(1)}, 1);
  };
  probe.add(forward(weights));
  probe.add(forward(at::cat({weights, weights}, 1)));  // four rows
  const Scores scores = probe.scores();
  for (std::int64_t row = 0; row < 4; ++row) {
    for (std::int64_t column = 0; column < 5; ++column) {
      const Statistics& seen = scores.of("map", 0, Method::gradient, row * 5 + column);
      EXPECT_EQ(seen.mean, numbers(weights.select(2, column).select(1, row % 2))) << row << " " << column;
      EXPECT_EQ(seen.count, row < 2 ? 8 : 4);
    }
  }
  EXPECT_EQ(scores.of("flat", 0, Method::gradient).count, 8) << "a layer without positions has one score";
  EXPECT_THAT([&] { probe.add(forward(weights.slice(2, 0, 4))); },
              ThrowsMessage<InputError>(AllOf(HasSubstr("'map@0' has positions [*, 4] in this batch and [*, 5]"),
                                              HasSubstr("take positions together"))));
  EXPECT_EQ(scores.entries().size(), probe.scores().entries().size());
}

TEST(Positions, AddUpToGoldenValues) {
  const Golden golden = read_golden("digits-cnn");
  const Data data = read_data(fixture_path("digits-images.npz"));
  AttributionOptions options;
  options.layers = {"all"};
  options.methods = plain_methods;
  options.positions = Positions::each;
  Attribution attribution = Model::load(fixture_path("digits-cnn.scripted.pt")).attribution(options);
  for (std::int64_t first = 0; first < data.x.size(0); first += 500) {
    const auto part = [&](const at::Tensor& all) { return all.slice(0, first, first + 500); };
    attribution.add(part(data.x), part(data.y), part(data.cluster));
  }
  std::map<GoldenKey, Statistics> sums;
  std::map<GoldenKey, double> positions;
  for (const Score& score : attribution.scores().entries()) {
    const GoldenKey key{score.layer, score.call, score.cluster, score.method};
    Statistics& sum = sums[key];
    sum.mean.resize(score.statistics.mean.size(), 0);
    std::transform(sum.mean.begin(), sum.mean.end(), score.statistics.mean.begin(), sum.mean.begin(), std::plus<>());
    ++positions[key];
  }
  ASSERT_EQ(sums.size(), golden.size());
  bool has_several = false;
  for (const auto& [key, truth] : golden) {
    std::vector<double>& seen = sums.at(key).mean;
    has_several = has_several || positions.at(key) > 1;
    if (key.method == Method::preactivation || key.method == Method::activation) {
      std::transform(seen.begin(), seen.end(), seen.begin(), [&](double each) { return each / positions.at(key); });
    }
    EXPECT_LT(relative_error(seen, truth.mean), promised_of_golden_values) << key.layer << " " << name_of(key.method);
  }
  EXPECT_TRUE(has_several);
}

TEST(Positions, OfAPaddedBertAreThoseOfItsSamplesAlone) {
  const Model model = Model::load(fixture_path("several/bert.exported.pt2"));
  const std::map<std::string, at::Tensor> arrays = read_npz(fixture_path("several/bert.npz"));
  AttributionOptions options;
  options.layers = {"all"};
  options.methods = {Method::gradient, Method::gradient_x_activation, Method::activation};
  options.reading.mask = "attention_mask";
  options.positions = Positions::each;
  const auto inputs = [&](std::int64_t first, std::int64_t last, std::int64_t length) {
    const auto part = [&](const char* name) { return arrays.at(name).slice(0, first, last).slice(1, 0, length); };
    return Inputs::of({{"input_ids", part("input_ids")}, {"attention_mask", part("attention_mask")}});
  };
  const at::Tensor mask = arrays.at("attention_mask");
  Attribution padded = model.attribution(options);
  padded.add(inputs(0, mask.size(0), mask.size(1)), arrays.at("y"));
  Attribution cut = model.attribution(options);
  for (std::int64_t i = 0; i < mask.size(0); ++i) {
    cut.add(inputs(i, i + 1, mask[i].sum().item<std::int64_t>()), arrays.at("y").slice(0, i, i + 1));
  }
  const Scores expected = cut.scores();
  const Scores seen = padded.scores();
  std::size_t at_positions = 0;
  for (const Score& score : seen.entries()) {
    const Statistics& truth = score.position ? expected.of(score.layer, 0, score.method, *score.position)
                                             : expected.of(score.layer, 0, score.method);
    EXPECT_EQ(score.statistics.count, truth.count);
    EXPECT_LT(relative_error(score.statistics.mean, truth.mean), 1e-5) << score.layer << " " << name_of(score.method);
    at_positions += score.position ? 1 : 0;
  }
  EXPECT_GT(at_positions, 3u * static_cast<std::size_t>(mask.size(1) - 1));
  EXPECT_EQ(seen.entries().size(), expected.entries().size());
}

TEST_F(PositionsTest, ExplainGivesTheValuesOfEachSampleAtEachPosition) {
  AttributionOptions options = each_position();
  options.methods = unconditional_methods;
  std::erase(options.methods, Method::random);  // which has no positions
  const Attribution attribution = added_whole(options);
  const at::Tensor counted = weighted_.mask.to(at::kBool).unsqueeze(-1);
  const std::vector<Explanation> whole = attribution.explain(weighted_.inputs(0, sample_count, longest));
  ASSERT_EQ(whole.size(), options.methods.size());
  for (std::size_t i = 0; i < whole.size(); ++i) {
    SCOPED_TRACE(name_of(whole[i].method));
    if (whole[i].method == Method::ablation) {
      EXPECT_EQ(whole[i].positions, 0);
      EXPECT_EQ(whole[i].values.size(), static_cast<std::size_t>(sample_count * neuron_count));
      continue;
    }
    ASSERT_EQ(whole[i].positions, longest);
    const at::Tensor values = at::tensor(whole[i].values, at::kDouble).view({sample_count, longest, neuron_count});
    const at::Tensor truth = weighted_.truth(whole[i].method);
    EXPECT_TRUE(values.isnan().equal(counted.logical_not().expand_as(values)));
    EXPECT_TRUE(are_close(values.nan_to_num(0), truth * counted, 1e-12));
    // A sample alone, of its own length.
    for (std::int64_t sample = 0; sample < sample_count; ++sample) {
      const std::int64_t length = weighted_.lengths[static_cast<std::size_t>(sample)];
      const Explanation alone = attribution.explain(weighted_.inputs(sample, sample + 1, length)).at(i);
      ASSERT_EQ(alone.positions, length);
      EXPECT_TRUE(are_close(at::tensor(alone.values, at::kDouble).view({length, neuron_count}),
                            truth[sample].slice(0, 0, length), 1e-12));
    }
  }
}

TEST_F(PositionsTest, ExplainTakesPositionsTogetherThatCount) {
  AttributionOptions options = each_position();
  options.positions = Positions::together;
  options.methods = {Method::gradient, Method::activation, Method::gradient_x_centred_activation,
                     Method::integrated_gradients};
  const Attribution attribution = added_whole(options);
  const at::Tensor counted = weighted_.mask.to(at::kDouble).unsqueeze(-1);
  for (const Explanation& explanation : attribution.explain(weighted_.inputs(0, sample_count, longest))) {
    SCOPED_TRACE(name_of(explanation.method));
    const at::Tensor sums = (weighted_.truth(explanation.method) * counted).sum(1);
    EXPECT_EQ(explanation.positions, 0);
    EXPECT_TRUE(are_close(at::tensor(explanation.values, at::kDouble).view({sample_count, neuron_count}),
                          explanation.method == Method::activation ? sums / counted.sum(1) : sums, 1e-12));
  }
}

TEST_F(PositionsTest, ExamplesAreAtPositionsThatCount) {
  AttributionOptions options = each_position();
  options.methods = {Method::preactivation, Method::gradient_x_activation};
  for (const Positions positions : {Positions::together, Positions::each}) {
    options.positions = positions;
    options.examples = sample_count;
    const std::vector<Example> examples = added_whole(options).examples();
    EXPECT_EQ(examples.size(), 2u * sample_count * neuron_count);
    for (const Example& example : examples) {
      const at::Tensor terms = weighted_.truth(example.method).select(0, example.sample).select(1, example.neuron);
      const std::int64_t length = weighted_.lengths[static_cast<std::size_t>(example.sample)];
      EXPECT_EQ(example.position, terms.slice(0, 0, length).argmax().item<std::int64_t>());
    }
  }
}

TEST(MachineMemory, IsTheLeastThatTheMachineAndTheControlGroupsLeave) {
  namespace fs = std::filesystem;
  const fs::path root = fs::path(testing::TempDir()) / "pregrad-machine-memory";
  fs::remove_all(root);
  const auto write = [&](const char* file, const std::string& text) {
    fs::create_directories((root / file).parent_path());
    std::ofstream(root / file) << text;
  };
  EXPECT_EQ(support::available_memory(root), std::nullopt);
  write("proc/meminfo", "MemTotal: 900 kB\nMemFree: 100 kB\nMemAvailable: 500 kB\n");
  EXPECT_EQ(support::available_memory(root), 500u * 1024);
  write("proc/self/cgroup", "0::/outer/inner\n");
  write("sys/fs/cgroup/outer/inner/memory.max", "max\n");
  write("sys/fs/cgroup/outer/inner/memory.current", "1000\n");
  EXPECT_EQ(support::available_memory(root), 500u * 1024);
  write("sys/fs/cgroup/outer/memory.max", "300000\n");
  write("sys/fs/cgroup/outer/memory.current", "200000\n");
  write("sys/fs/cgroup/outer/memory.stat", "anon 5\ninactive_file 50000\n");
  EXPECT_EQ(support::available_memory(root), 150000u);
  write("proc/self/cgroup", "5:cpu,cpuacct:/\n4:memory:/box\n0::/\n");
  write("sys/fs/cgroup/memory/box/memory.limit_in_bytes", "9000\n");
  write("sys/fs/cgroup/memory/box/memory.usage_in_bytes", "9500\n");
  EXPECT_EQ(support::available_memory(root), 0u);
  fs::remove_all(root);
}

}  // namespace

}  // namespace pregrad::test::positions_test
