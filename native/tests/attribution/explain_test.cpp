// Values of single samples, and the samples of the largest values: against eager PyTorch's golden values, finite
// differences of the model, and a sort of all values.

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include <ATen/Functions.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/api/module.h>

#include "fixtures.hpp"
#include "pregrad/pregrad.hpp"
#include "rounding.hpp"

namespace pregrad::test::explain_test {

namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

/// [samples, positions or 1, neurons]
at::Tensor tensor_of(const Explanation& explanation) {
  return at::tensor(explanation.values, at::kDouble)
      .view({explanation.samples, std::max<std::int64_t>(1, explanation.positions), explanation.neurons});
}

std::vector<double> numbers(const at::Tensor& tensor) {
  const at::Tensor values = tensor.to(at::kDouble).contiguous();
  return {values.const_data_ptr<double>(), values.const_data_ptr<double>() + values.numel()};
}

class ExplainGoldenTest : public testing::TestWithParam<Fixture> {};

TEST_P(ExplainGoldenTest, ValuesOfSamplesHaveTheStatisticsOfEagerPyTorch) {
  const Golden golden = read_golden(GetParam().model);
  if (golden.empty()) {
    return;
  }
  const Data data = read_data(GetParam().data);
  AttributionOptions options;
  for (const auto& [key, statistics] : golden) {
    options.layers.push_back(key.layer);
  }
  options.methods = plain_methods;
  const Attribution attribution = Model::load(GetParam().file).attribution(options);
  std::size_t compared = 0;
  for (const Explanation& explanation : attribution.explain(data.x, data.y)) {
    EXPECT_EQ(explanation.positions, 0);
    const at::Tensor values = tensor_of(explanation).squeeze(1);
    for (const auto& [key, truth] : golden) {
      if (key.layer != explanation.layer || key.call != explanation.call || key.method != explanation.method) {
        continue;
      }
      SCOPED_TRACE(testing::Message() << key.layer << "@" << key.call << " " << key.cluster << " "
                                      << name_of(key.method));
      const at::Tensor some = values.index({data.cluster.eq(key.cluster)});
      EXPECT_LT(relative_error(numbers(some.mean(0)), truth.mean), promised_of_golden_values);
      EXPECT_LT(relative_error(numbers(some.abs().mean(0)), truth.mean_abs), promised_of_golden_values);
      EXPECT_LT(relative_error(numbers(some.std(0, false)), truth.std), promised_of_golden_values);
      ++compared;
    }
  }
  EXPECT_EQ(compared, golden.size());
  EXPECT_TRUE(attribution.scores().entries().empty());
}

INSTANTIATE_TEST_SUITE_P(Fixtures, ExplainGoldenTest, testing::ValuesIn(attributable_fixtures()),
                         [](const auto& fixture) { return test_name(fixture.param); });

Model fixture_model(const std::string& file) { return Model::load(fixture_path(file)); }

TEST(Explain, TellsWhichFeaturesOfASampleMatterAsFiniteDifferencesDo) {
  const Model model = fixture_model("float64.scripted.pt");
  const Data data = first_of(read_data(fixture_path("float64.npz")), 5);
  AttributionOptions options;
  options.layers = {"input:input"};
  options.methods = {Method::gradient, Method::gradient_x_activation};
  const std::vector<Explanation> explanations = model.attribution(options).explain(data.x, data.y);
  ASSERT_EQ(explanations.size(), 2u);
  const at::Tensor saliency = tensor_of(explanations[0]).squeeze(1);
  const auto y_of = [&](const at::Tensor& x) { return model.forward(x).gather(1, data.y.unsqueeze(1)).squeeze(1); };
  constexpr double step = 1e-6;
  at::Tensor differences = at::empty_like(saliency);
  for (std::int64_t j = 0; j < data.x.size(1); ++j) {
    at::Tensor shift = at::zeros_like(data.x);
    shift.select(1, j).fill_(step);
    differences.select(1, j).copy_((y_of(data.x + shift) - y_of(data.x - shift)) / (2 * step));
  }
  EXPECT_TRUE(are_close(saliency, differences, 1e-6));
  EXPECT_TRUE(are_close(tensor_of(explanations[1]).squeeze(1), saliency * data.x, 1e-12));
}

TEST(Explain, IntegratedGradientsOfTheInputAddUpToTheDifferenceOfEachSample) {
  const Model model = fixture_model("digits-mlp-tanh.scripted.pt");
  const Data data = first_of(read_data(fixture_path("digits.npz")), 4);
  AttributionOptions options;
  options.layers = {"input:x"};
  options.methods = {Method::integrated_gradients};
  const at::Tensor values = tensor_of(model.attribution(options).explain(data.x, data.y).at(0)).squeeze(1);
  const auto y_of = [&](const at::Tensor& x) { return model.forward(x).gather(1, data.y.unsqueeze(1)).squeeze(1); };
  EXPECT_TRUE(are_close(values.sum(1), (y_of(data.x) - y_of(at::zeros_like(data.x))).to(at::kDouble), 1e-4));
}

class ExplainTest : public testing::Test {
 protected:
  static constexpr std::int64_t count = 90;
  ExplainTest() {
    options.layers = {"act1", "act2"};
    options.methods = {Method::activation, Method::gradient, Method::gradient_x_centred_activation};
  }
  Data data = first_of(read_data(fixture_path("digits.npz")), count);
  Model model = fixture_model("digits-mlp.scripted.pt");
  AttributionOptions options;
};

TEST_F(ExplainTest, AddsNothing) {
  Attribution attribution = model.attribution(options);
  attribution.add(data.x, data.y, data.cluster);
  const std::string before = attribution.save();
  const std::vector<Explanation> explanations = attribution.explain(data.x.slice(0, 0, 3), data.y.slice(0, 0, 3));
  ASSERT_EQ(explanations.size(), 6u);
  for (std::size_t i = 0; i < explanations.size(); ++i) {
    EXPECT_EQ(explanations[i].layer, i < 3 ? "act1" : "act2");
    EXPECT_EQ(explanations[i].method,
              (std::vector{Method::gradient, Method::activation, Method::gradient_x_centred_activation}[i % 3]));
    EXPECT_EQ(explanations[i].samples, 3);
  }
  EXPECT_EQ(attribution.save(), before);
}

TEST_F(ExplainTest, TheCentredMethodTakesTheMeanOfWhatWasAddedOrThatIsGiven) {
  options.methods = {Method::gradient_x_centred_activation, Method::activation};
  const Attribution empty = model.attribution(options);
  EXPECT_THAT([&] { empty.explain(data.x, data.y); },
              ThrowsMessage<ArgumentError>(AllOf(HasSubstr("gradient-x-centred-activation"), HasSubstr("act1@0"),
                                                 HasSubstr("add samples first, give means"))));
  Attribution added = model.attribution(options);
  added.add(data.x, data.y);
  const std::vector<Explanation> by_added = added.explain(data.x, data.y);
  for (const Score& score : added.scores().entries()) {
    const auto same = std::ranges::find_if(
        by_added, [&](const Explanation& each) { return each.layer == score.layer && each.method == score.method; });
    ASSERT_NE(same, by_added.end());
    EXPECT_LT(relative_error(numbers(tensor_of(*same).mean(0).squeeze(0)), score.statistics.mean), 1e-9);
    EXPECT_LT(relative_error(numbers(tensor_of(*same).abs().mean(0).squeeze(0)), score.statistics.mean_abs), 1e-9);
  }
  options.means = mean_activations(added.scores());
  const std::vector<Explanation> by_given = model.attribution(options).explain(data.x, data.y);
  for (std::size_t i = 0; i < by_given.size(); ++i) {
    EXPECT_TRUE(are_close(tensor_of(by_given[i]), tensor_of(by_added[i]), 1e-9));
  }
}

TEST_F(ExplainTest, RefusesWhatAddRefuses) {
  options.methods = {Method::gradient};
  const Attribution attribution = model.attribution(options);
  EXPECT_THAT([&] { attribution.explain(data.x); }, ThrowsMessage<InputError>(HasSubstr("label")));
  EXPECT_THAT([&] { attribution.explain(data.x, data.y.slice(0, 1)); },
              ThrowsMessage<InputError>(HasSubstr("89 labels for 90 samples")));
  at::Tensor wrong = data.x.clone();
  wrong[3][0] = std::nan("");
  EXPECT_THROW(attribution.explain(wrong, data.y), InputError);
}

using Place = std::tuple<std::string, std::int64_t, std::int64_t, Method, std::int64_t>;
struct Large {
  double value;
  std::int64_t sample;
  std::int64_t position;
};

Place place_of(const Example& example) {
  return {example.layer, example.call, example.cluster, example.method, example.neuron};
}

/// The examples of a sort of all values, whatever they were found by.
std::map<Place, std::vector<Large>> sorted(const std::vector<Explanation>& all, const at::Tensor& clusters,
                                           std::size_t most) {
  std::map<Place, std::vector<Large>> examples;
  for (const Explanation& explanation : all) {
    const at::Tensor values = tensor_of(explanation);
    for (std::int64_t i = 0; i < explanation.samples; ++i) {
      for (std::int64_t j = 0; j < explanation.neurons; ++j) {
        examples[{explanation.layer, explanation.call, clusters[i].item<std::int64_t>(), explanation.method, j}]
            .push_back({values[i][0][j].item<double>(), i, 0});
      }
    }
  }
  for (auto& [place, entries] : examples) {
    std::ranges::stable_sort(entries, std::greater<>(), &Large::value);
    entries.resize(std::min(most, entries.size()));
  }
  return examples;
}

void expect_examples(const std::vector<Example>& seen, const std::map<Place, std::vector<Large>>& truth) {
  std::size_t count = 0;
  for (const auto& [place, entries] : truth) {
    count += entries.size();
  }
  ASSERT_EQ(seen.size(), count);
  for (std::size_t i = 0; i < seen.size(); ++i) {
    const auto rank = static_cast<std::size_t>(seen[i].rank);
    const auto found = truth.find(place_of(seen[i]));
    ASSERT_NE(found, truth.end());
    ASSERT_LT(rank, found->second.size());
    EXPECT_EQ(rank, i > 0 && place_of(seen[i]) == place_of(seen[i - 1]) ? static_cast<std::size_t>(seen[i - 1].rank) + 1
                                                                        : 0u);
    EXPECT_EQ(seen[i].sample, found->second[rank].sample);
    EXPECT_EQ(seen[i].position, found->second[rank].position);
    EXPECT_EQ(seen[i].value, found->second[rank].value);
  }
}

class ExamplesTest : public ExplainTest {
 protected:
  ExamplesTest() { options.examples = most; }

  /// Alone, so that the values are those that explain gives for samples alone.
  void add(Attribution& attribution, std::int64_t first, std::int64_t last) const {
    for (std::int64_t i = first; i < last; ++i) {
      attribution.add(data.x.slice(0, i, i + 1), data.y.slice(0, i, i + 1), data.cluster.slice(0, i, i + 1));
    }
  }

  std::vector<Explanation> explained(const Attribution& attribution) const {
    std::vector<Explanation> all;
    for (std::int64_t i = 0; i < count; ++i) {
      std::vector<Explanation> some = attribution.explain(data.x.slice(0, i, i + 1), data.y.slice(0, i, i + 1));
      for (std::size_t j = 0; j < some.size(); ++j) {
        if (i == 0) {
          all.push_back(some[j]);
        } else {
          all[j].values.insert(all[j].values.end(), some[j].values.begin(), some[j].values.end());
          all[j].samples += 1;
        }
      }
    }
    return all;
  }

  static constexpr std::int64_t most = 4;
};

TEST_F(ExamplesTest, AreThoseOfASortOfAllValues) {
  Attribution attribution = model.attribution(options);
  add(attribution, 0, count);
  expect_examples(attribution.examples(), sorted(explained(attribution), data.cluster, most));
  AttributionOptions none = options;
  none.examples = 0;
  Attribution without = model.attribution(none);
  add(without, 0, 3);
  EXPECT_TRUE(without.examples().empty());
}

TEST_F(ExamplesTest, AreTheSameForOtherBatches) {
  Attribution expected = model.attribution(options);
  add(expected, 0, count);
  const std::vector<Example> truth = expected.examples();
  for (const std::int64_t size : {7, 90}) {
    Attribution attribution = model.attribution(options);
    for (std::int64_t first = 0; first < count; first += size) {
      const std::int64_t last = std::min(count, first + size);
      attribution.add(data.x.slice(0, first, last), data.y.slice(0, first, last), data.cluster.slice(0, first, last));
    }
    const std::vector<Example> seen = attribution.examples();
    ASSERT_EQ(seen.size(), truth.size());
    std::size_t others = 0;
    for (std::size_t i = 0; i < seen.size(); ++i) {
      EXPECT_EQ(place_of(seen[i]), place_of(truth[i]));
      EXPECT_NEAR(seen[i].value, truth[i].value, 1e-5 * std::max(1.0, std::abs(truth[i].value)));
      others += seen[i].sample == truth[i].sample ? 0 : 1;
    }
    EXPECT_LT(others, seen.size() / 50);  // rounding may exchange samples whose values are next to each other
  }
}

TEST_F(ExamplesTest, GoOnAfterARestoreAndAMerge) {
  Attribution expected = model.attribution(options);
  add(expected, 0, count);
  const auto truth = sorted(explained(expected), data.cluster, most);
  Attribution first = model.attribution(options);
  add(first, 0, 50);
  Attribution restored = model.attribution(options);
  add(restored, 70, 80);  // forgotten
  restored.restore(first.save());
  add(restored, 50, count);
  expect_examples(restored.examples(), truth);
  EXPECT_EQ(restored.save(), expected.save());
  Attribution second = model.attribution(options);
  add(second, 50, count);
  first.merge(second.save());
  expect_examples(first.examples(), truth);
}

TEST_F(ExamplesTest, AStateOfOtherExamplesIsRefusedByName) {
  Attribution with = model.attribution(options);
  add(with, 0, 5);
  AttributionOptions none = options;
  none.examples = 0;
  Attribution without = model.attribution(none);
  add(without, 0, 5);
  EXPECT_THAT([&] { without.restore(with.save()); }, ThrowsMessage<ArgumentError>(HasSubstr("'examples 4'")));
  EXPECT_THAT([&] { with.merge(without.save()); }, ThrowsMessage<ArgumentError>(HasSubstr("'examples 4'")));
  std::string damaged = with.save();
  damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] + 1);
  EXPECT_THAT([&] { with.restore(damaged); }, ThrowsMessage<ArgumentError>(HasSubstr("damaged")));
}

TEST_F(ExamplesTest, ThreadsFindTheSameValues) {
  Attribution expected = model.attribution(options);
  add(expected, 0, count);
  Attribution attribution = model.attribution(options);
  std::vector<std::thread> threads;
  for (std::int64_t i = 0; i < 3; ++i) {
    threads.emplace_back([&, i] { add(attribution, i * 30, (i + 1) * 30); });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  const std::vector<Example> seen = attribution.examples();
  const std::vector<Example> truth = expected.examples();
  ASSERT_EQ(seen.size(), truth.size());
  for (std::size_t i = 0; i < seen.size(); ++i) {
    EXPECT_EQ(place_of(seen[i]), place_of(truth[i]));
    EXPECT_NEAR(seen[i].value, truth[i].value, 1e-9);  // which sample of equal ones comes first is the threads' matter
  }
}

TEST_F(ExamplesTest, ASampleWithSeveralLabelsHasOneNumber) {
  options.methods = {Method::gradient};
  for (const std::int64_t samples : {5, 80}) {  // as copies of one batch, and as several backwards
    const at::Tensor x = data.x.slice(0, 0, samples);
    const at::Tensor labels = at::stack({data.y.slice(0, 0, samples), (data.y.slice(0, 0, samples) + 1) % 10}, 1);
    Attribution attribution = model.attribution(options);
    attribution.add(x, labels, labels);
    for (const Example& example : attribution.examples()) {
      ASSERT_LT(example.sample, samples);
      EXPECT_TRUE(labels[example.sample].eq(example.cluster).any().item<bool>());
      EXPECT_NEAR(attribution.explain(x.slice(0, example.sample, example.sample + 1), at::tensor({example.cluster}))
                      .at(example.layer == "act1" ? 0 : 1)
                      .values.at(static_cast<std::size_t>(example.neuron)),
                  example.value, 1e-5);
      if (samples > 5 && example.neuron > 3) {
        break;
      }
    }
  }
}

TEST_F(ExamplesTest, CountTowardsTheMemoryLimit) {
  options.memory_limit = 400'000;
  options.methods = {Method::gradient};
  Attribution few = model.attribution(options);
  few.add(data.x, data.y);
  options.examples = 1000;
  Attribution many = model.attribution(options);
  EXPECT_THAT([&] { many.add(data.x, data.y); }, ThrowsMessage<ArgumentError>(HasSubstr("memory limit is 400000")));
  EXPECT_TRUE(many.scores().entries().empty());
  options.examples = -1;
  EXPECT_THAT([&] { model.attribution(options); }, ThrowsMessage<ArgumentError>(HasSubstr("-1 examples")));
}

TEST(Examples, OfOneOutputAreRefusedUntilALabelTellsItsSign) {
  const Model model = fixture_model("single-output.scripted.pt");
  const Data data = read_data(fixture_path("single-output.npz"));
  AttributionOptions options;
  options.layers = {"all"};
  options.examples = 2;
  Attribution attribution = model.attribution(options);
  attribution.add(data.x, at::zeros({data.x.size(0)}, at::kLong));
  EXPECT_THAT([&] { attribution.examples(); }, ThrowsMessage<ArgumentError>(HasSubstr("target 0")));
  const Score score = attribution.scores().entries().front();
  const Explanation values =
      attribution.explain(data.x, at::zeros({data.x.size(0)}, at::kLong)).front();  // of the same sign
  EXPECT_LT(relative_error(numbers(tensor_of(values).mean(0).squeeze(0)), score.statistics.mean), 1e-9);
  attribution.add(data.x, at::ones({data.x.size(0)}, at::kLong));
  EXPECT_FALSE(attribution.examples().empty());
}

TEST(Examples, TellThePositionOfTheLargestTerm) {
  const Model model = fixture_model("digits-cnn.scripted.pt");
  const Data data = first_of(read_data(fixture_path("digits-images.npz")), 20);
  AttributionOptions options;
  options.layers = {"all"};
  options.methods = {Method::activation,
                     Method::gradient,
                     Method::gradient_x_activation,
                     Method::gradient_x_centred_activation,
                     Method::integrated_gradients,
                     Method::ablation};
  options.steps = 2;
  options.examples = 3;
  Attribution attribution = model.attribution(options);
  attribution.add(data.x, data.y);
  AttributionOptions each = options;
  each.positions = Positions::each;
  each.examples = 0;
  each.methods = {Method::activation, Method::gradient, Method::gradient_x_activation, Method::integrated_gradients};
  std::map<std::pair<std::string, Method>, at::Tensor> at_positions;
  for (const Explanation& explanation : model.attribution(each).explain(data.x, data.y)) {
    at_positions[{explanation.layer + std::to_string(explanation.call), explanation.method}] = tensor_of(explanation);
  }
  std::size_t elsewhere = 0;
  std::size_t compared = 0;
  for (const Example& example : attribution.examples()) {
    const Method of = example.method == Method::ablation                        ? Method::activation
                      : example.method == Method::gradient_x_centred_activation ? Method::gradient_x_activation
                                                                                : example.method;
    const at::Tensor terms = at_positions.at({example.layer + std::to_string(example.call), of})
                                 .select(0, example.sample)
                                 .select(1, example.neuron);
    ASSERT_LT(example.position, terms.size(0));
    EXPECT_NEAR(terms[example.position].item<double>(), terms.max().item<double>(),
                1e-5 * terms.abs().max().item<double>());
    elsewhere += example.position > 0 ? 1 : 0;
    ++compared;
  }
  EXPECT_GT(elsewhere, compared / 2);
}

}  // namespace

}  // namespace pregrad::test::explain_test
