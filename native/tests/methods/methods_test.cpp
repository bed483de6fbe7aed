#include <cmath>
#include <map>
#include <set>
#include <sstream>

#include <ATen/Functions.h>
#include <gtest/gtest.h>

#include "fixtures.hpp"
#include "pregrad/pregrad.hpp"
#include "rounding.hpp"

namespace pregrad::test::methods_test {

namespace {

constexpr std::int64_t golden_samples = 48;

/// float32 against float64, through sums over 50 points. Where maxima are taken behind the layer, two of them may tie
/// at a point of a path to within float32, and its fiftieth of the gradient goes to either.
double tolerance_for(const std::string& model, const std::string& method) {
  const bool is_path = method == "integrated-gradients" || method == "internal-influence" || method == "conductance";
  return is_path && model == "digits-cnn" ? 1e-4 : 2e-5;
}

std::string fixture_name(const testing::TestParamInfo<Fixture>& fixture) { return test_name(fixture.param); }

/// A method with one of its options, as tests/fixtures/golden/MODEL.methods.csv names them.
struct Variant {
  std::string method;
  std::string name;
  auto operator<=>(const Variant&) const = default;
};

struct Row {
  std::string layer;
  std::int64_t call = 0;
  std::int64_t cluster = 0;
  auto operator<=>(const Row&) const = default;
};

struct Truth {
  std::vector<std::size_t> neurons;
  Statistics statistics;
};

using Truths = std::map<Variant, std::map<Row, Truth>>;

Truths read_truths(const std::string& model) {
  Truths truths;
  for (auto& row : read_csv(fixture_path("golden/" + model + ".methods.csv"))) {
    Truth& truth =
        truths[{row["method"], row["variant"]}][{row["layer"], std::stoll(row["call"]), std::stoll(row["cluster"])}];
    truth.neurons.push_back(std::stoul(row["neuron"]));
    truth.statistics.count = std::stoll(row["count"]);
    truth.statistics.mean.push_back(std::stod(row["mean"]));
    truth.statistics.mean_abs.push_back(std::stod(row["mean_abs"]));
    truth.statistics.rms.push_back(std::stod(row["rms"]));
    truth.statistics.std.push_back(std::stod(row["std"]));
  }
  return truths;
}

std::vector<double> chosen(const std::vector<double>& values, const std::vector<std::size_t>& neurons) {
  std::vector<double> result;
  for (const std::size_t neuron : neurons) {
    result.push_back(values.at(neuron));
  }
  return result;
}

/// Within a bound that is in proportion to the spread of the terms, where they cancel.
void expect_near(const std::vector<double>& seen, const std::vector<double>& truth, double bound, const char* what) {
  ASSERT_EQ(seen.size(), truth.size());
  double error = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    error += (seen[i] - truth[i]) * (seen[i] - truth[i]);
  }
  EXPECT_LE(std::sqrt(error), bound) << what;
}

double norm(const std::vector<double>& values) {
  double squares = 0;
  for (const double value : values) {
    squares += value * value;
  }
  return std::sqrt(squares);
}

Scores scores_of(const Model& model, const Data& data, const std::vector<std::string>& layers,
                 AttributionOptions options) {
  options.layers = layers;
  Attribution attribution = model.attribution(options);
  attribution.add(data.x, data.y, data.cluster);
  return attribution.scores();
}

class MethodsTest : public testing::TestWithParam<Fixture> {};

TEST_P(MethodsTest, ScoresAreThoseOfEagerPyTorch) {
  const Data data = first_of(read_data(GetParam().data), golden_samples);
  const Model model = Model::load(GetParam().file);
  const Truths truths = read_truths(GetParam().model);
  ASSERT_FALSE(truths.empty());
  for (const auto& [variant, rows] : truths) {
    SCOPED_TRACE(testing::Message() << variant.method << " " << variant.name);
    std::set<std::string> layers;
    for (const auto& [row, truth] : rows) {
      layers.insert(row.layer);
    }
    const std::vector<std::string> names(layers.begin(), layers.end());
    AttributionOptions options;
    options.methods = {Method::activation};
    options.means = mean_activations(scores_of(model, data, names, options));
    options.methods = {method_named(variant.method)};
    if (variant.method == "ablation") {
      options.removal = removal_named(variant.name);
    } else if (variant.method == "integrated-gradients") {
      options.baseline = baseline_named(variant.name);
    }
    const Scores scores = scores_of(model, data, names, options);
    for (const auto& [row, truth] : rows) {
      std::ostringstream name;
      name << row.layer << "@" << row.call;
      SCOPED_TRACE(testing::Message() << name.str() << " cluster " << row.cluster);
      const Statistics& seen = scores.of(name.str(), row.cluster, options.methods[0]);
      EXPECT_EQ(seen.count, truth.statistics.count);
      const double bound = tolerance_for(GetParam().model, variant.method) * norm(truth.statistics.rms);
      expect_near(chosen(seen.mean, truth.neurons), truth.statistics.mean, bound, "mean");
      expect_near(chosen(seen.mean_abs, truth.neurons), truth.statistics.mean_abs, bound, "mean_abs");
      expect_near(chosen(seen.rms, truth.neurons), truth.statistics.rms, bound, "rms");
      expect_near(chosen(seen.std, truth.neurons), truth.statistics.std, bound, "std");
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Fixtures, MethodsTest, testing::ValuesIn(fixtures_with("methods")), fixture_name);

double completeness_error(const std::string& file, const std::string& data_file, const std::string& layer,
                          Method method, std::int64_t steps, Quadrature quadrature = Quadrature::gauss_legendre,
                          Baseline baseline = Baseline::zero) {
  const Data data = first_of(read_data(fixture_path(data_file)), golden_samples);
  const Model model = Model::load(fixture_path(file));
  AttributionOptions options;
  options.methods = {Method::activation};
  options.means = mean_activations(scores_of(model, {data.x, data.y, {}}, {layer}, options));
  options.methods = {method};
  options.steps = steps;
  options.quadrature = quadrature;
  options.baseline = baseline;
  const Scores scores = scores_of(model, {data.x, data.y, {}}, {layer}, options);
  return scores.entries().at(0).completeness_error;
}

TEST(CompletenessTest, SmoothModelsSumUpToTheDifferenceOfOutputs) {
  for (const char* layer : {"act1", "act2"}) {
    SCOPED_TRACE(layer);
    for (const Method method : {Method::integrated_gradients, Method::conductance}) {
      EXPECT_LT(completeness_error("digits-mlp-tanh.scripted.pt", "digits.npz", layer, method, 50), 1e-3);
    }
    EXPECT_LT(completeness_error("digits-mlp-tanh.scripted.pt", "digits.npz", layer, Method::integrated_gradients, 50,
                                 Quadrature::gauss_legendre, Baseline::mean),
              1e-3);
  }
  for (const Method method : {Method::integrated_gradients, Method::conductance}) {
    EXPECT_LT(completeness_error("act-gelu.scripted.pt", "act-gelu.npz", "act", method, 50), 1e-3);
  }
}

TEST(CompletenessTest, ConvergesWithStepsOnModelsWithKinks) {
  for (const Method method : {Method::integrated_gradients, Method::conductance}) {
    SCOPED_TRACE(name_of(method));
    const double few = completeness_error("digits-mlp.scripted.pt", "digits.npz", "act1", method, 5);
    const double some = completeness_error("digits-mlp.scripted.pt", "digits.npz", "act1", method, 50);
    const double many = completeness_error("digits-mlp.scripted.pt", "digits.npz", "act1", method, 500);
    EXPECT_LT(some, few / 3);
    EXPECT_LT(many, some / 3);
    EXPECT_LT(many, 1e-3);
  }
}

TEST(CompletenessTest, EveryRuleConverges) {
  for (const Quadrature quadrature : {Quadrature::trapezoid, Quadrature::midpoint}) {
    SCOPED_TRACE(name_of(quadrature));
    for (const Method method : {Method::integrated_gradients, Method::conductance}) {
      EXPECT_LT(completeness_error("digits-mlp-tanh.scripted.pt", "digits.npz", "act1", method, 100, quadrature), 1e-3);
    }
  }
}

TEST(CompletenessTest, TellsThatALayerIsNoCut) {
  // Half of a residual block's way goes past its activation.
  EXPECT_GT(completeness_error("residual.scripted.pt", "residual.npz", "layer1.0.relu@0", Method::conductance, 50),
            0.05);
}

TEST(CompletenessTest, IsUndefinedForOtherMethods) {
  EXPECT_TRUE(
      std::isnan(completeness_error("digits-mlp.scripted.pt", "digits.npz", "act1", Method::internal_influence, 5)));
  EXPECT_TRUE(std::isnan(completeness_error("digits-mlp.scripted.pt", "digits.npz", "act1", Method::gradient, 5)));
}

class OnDigits : public testing::Test {
 protected:
  Scores scores(const AttributionOptions& options) const {
    Attribution attribution = model.attribution(options);
    attribution.add(data.x, data.y, data.cluster);
    return attribution.scores();
  }

  AttributionOptions options_with(std::vector<Method> methods) const {
    AttributionOptions options;
    options.layers = {"act2"};
    options.methods = std::move(methods);
    return options;
  }

  AttributionOptions every_method() const {
    AttributionOptions options = options_with({all_methods.begin(), all_methods.end()});
    options.references = {{"", data.x.slice(0, 0, 3)}};
    options.permutations = 20;
    return options;
  }

  /// The inputs with others to be held against: mirrored ones.
  static Inputs with_corrupt(const at::Tensor& x) { return Inputs::of({{"x", x}, {"corrupt", x.flip({1})}}); }

  Model model = Model::load(fixture_path("digits-mlp.scripted.pt"));
  Data data = first_of(read_data(fixture_path("digits.npz")), golden_samples);
};

using MethodOptionsTest = OnDigits;

TEST_F(MethodOptionsTest, CancellationIsMeanOverMeanAbs) {
  const Scores seen = scores(options_with({Method::gradient}));
  const Statistics& statistics = seen.entries().at(0).statistics;
  const std::vector<double> shares = statistics.cancellation();
  ASSERT_EQ(shares.size(), 64U);
  std::size_t dead = 0;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    if (statistics.mean_abs[i] == 0) {
      EXPECT_TRUE(std::isnan(shares[i]));
      ++dead;
    } else {
      EXPECT_DOUBLE_EQ(shares[i], std::abs(statistics.mean[i]) / statistics.mean_abs[i]);
    }
  }
  EXPECT_LT(dead, shares.size());
}

TEST_F(MethodOptionsTest, RandomIsTheSeedsAlone) {
  AttributionOptions options = options_with({Method::random});
  options.seed = 7;
  const Statistics one = scores(options).of("act2", 0, Method::random);
  EXPECT_EQ(one.mean, scores(options).of("act2", 0, Method::random).mean);
  EXPECT_EQ(one.mean, one.rms);
  EXPECT_EQ(one.std, std::vector<double>(64, 0));
  for (const double value : one.mean) {
    EXPECT_GE(value, 0);
    EXPECT_LT(value, 1);
  }
  EXPECT_EQ(std::set<double>(one.mean.begin(), one.mean.end()).size(), 64U);
  EXPECT_NE(one.mean, scores(options).of("act2", 1, Method::random).mean);
  options.seed = 8;
  EXPECT_NE(one.mean, scores(options).of("act2", 0, Method::random).mean);
}

TEST_F(MethodOptionsTest, AGivenBaselineIsWhereThePathStarts) {
  AttributionOptions options = options_with({Method::activation});
  options.means = mean_activations(scores(options));
  options.methods = {Method::integrated_gradients};
  options.baseline = Baseline::mean;
  const Statistics by_mean = scores(options).of("act2", 0, Method::integrated_gradients);
  options.baseline = Baseline::given;
  options.baselines = options.means;
  EXPECT_EQ(by_mean.mean, scores(options).of("act2", 0, Method::integrated_gradients).mean);
  options.baselines[0].values.assign(64, 0);
  const Statistics by_zeros = scores(options).of("act2", 0, Method::integrated_gradients);
  options.baseline = Baseline::zero;
  EXPECT_EQ(by_zeros.mean, scores(options).of("act2", 0, Method::integrated_gradients).mean);
  EXPECT_NE(by_zeros.mean, by_mean.mean);
}

TEST_F(MethodOptionsTest, AnInputBaselineThatIsTheInputLeavesNoConductance) {
  AttributionOptions options = options_with({Method::conductance});
  options.input_baseline = data.x[0];
  Attribution attribution = model.attribution(options);
  attribution.add(data.x.slice(0, 0, 1), data.y.slice(0, 0, 1));
  const Scores seen = attribution.scores();
  EXPECT_EQ(seen.entries().at(0).statistics.mean, std::vector<double>(64, 0));
}

TEST_F(MethodOptionsTest, BatchesAndThreadsDoNotShow) {
  AttributionOptions options = every_method();
  options.steps = 10;
  Attribution at_once = model.attribution(options);
  at_once.add(with_corrupt(data.x), data.y, data.cluster);
  const Scores whole = at_once.scores();
  Attribution parts = model.attribution(options);
  for (std::int64_t first = 0; first < golden_samples; first += 7) {
    const auto part = [&](const at::Tensor& all) { return all.slice(0, first, first + 7); };
    parts.add(with_corrupt(part(data.x)), part(data.y), part(data.cluster));
  }
  const Scores in_parts = parts.scores();
  ASSERT_EQ(whole.entries().size(), in_parts.entries().size());
  for (std::size_t i = 0; i < whole.entries().size(); ++i) {
    const Score& expected = whole.entries()[i];
    const Score& seen = in_parts.entries()[i];
    SCOPED_TRACE(name_of(expected.method));
    EXPECT_EQ(expected.statistics.count, seen.statistics.count);
    const double size = norm(expected.statistics.rms);
    for (std::size_t j = 0; j < expected.statistics.mean.size(); ++j) {
      EXPECT_NEAR(expected.statistics.mean[j], seen.statistics.mean[j], promised_between_batches * size);
      EXPECT_NEAR(expected.statistics.mean_abs[j], seen.statistics.mean_abs[j], promised_between_batches * size);
    }
  }
}

TEST_F(MethodOptionsTest, ASavedStateGoesOnToTheLastBit) {
  AttributionOptions options = every_method();
  options.steps = 5;
  Attribution straight = model.attribution(options);
  Attribution first = model.attribution(options);
  Attribution second = model.attribution(options);
  const auto half = [&](const at::Tensor& all, bool is_second) {
    return is_second ? all.slice(0, golden_samples / 2) : all.slice(0, 0, golden_samples / 2);
  };
  first.add(with_corrupt(half(data.x, false)), half(data.y, false), half(data.cluster, false));
  second.restore(first.save());
  second.add(with_corrupt(half(data.x, true)), half(data.y, true), half(data.cluster, true));
  for (const bool is_second : {false, true}) {
    straight.add(with_corrupt(half(data.x, is_second)), half(data.y, is_second), half(data.cluster, is_second));
  }
  EXPECT_EQ(straight.save(), second.save());
  const Scores expected = straight.scores();
  const Scores seen = second.scores();
  ASSERT_EQ(expected.entries().size(), seen.entries().size());
  for (std::size_t i = 0; i < expected.entries().size(); ++i) {
    EXPECT_EQ(expected.entries()[i].statistics.mean, seen.entries()[i].statistics.mean);
    EXPECT_EQ(expected.entries()[i].statistics.std, seen.entries()[i].statistics.std);
  }
}

TEST_F(MethodOptionsTest, AForeignOrDamagedStateIsRefused) {
  Attribution gradients = model.attribution(options_with({Method::gradient}));
  gradients.add(data.x, data.y, data.cluster);
  const std::string state = gradients.save();
  EXPECT_THROW(model.attribution(options_with({Method::activation})).restore(state), ArgumentError);
  AttributionOptions other_layer = options_with({Method::gradient});
  other_layer.layers = {"act1"};
  EXPECT_THROW(model.attribution(other_layer).restore(state), ArgumentError);
  for (std::size_t i = 0; i < state.size(); i += 97) {
    std::string damaged = state;
    damaged[i] = static_cast<char>(damaged[i] ^ 4);
    EXPECT_THROW(gradients.restore(damaged), ArgumentError) << "byte " << i;
  }
  for (const std::size_t length : {std::size_t{0}, std::size_t{7}, state.size() / 2, state.size() - 1}) {
    EXPECT_THROW(gradients.restore(state.substr(0, length)), ArgumentError) << length << " bytes";
  }
  gradients.restore(state);
  EXPECT_EQ(gradients.save(), state);
}

TEST_F(MethodOptionsTest, WrongOptionsAreRefusedInOneLine) {
  const auto message_of = [&](const AttributionOptions& options) {
    try {
      scores(options);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  AttributionOptions options = options_with({Method::integrated_gradients});
  options.steps = 0;
  EXPECT_EQ(message_of(options), "there are 0 steps for the rule gauss-legendre: give 1 to 10000");
  options.steps = 1;
  options.quadrature = Quadrature::trapezoid;
  EXPECT_EQ(message_of(options), "there are 1 steps for the rule trapezoid: give 2 to 10000");
  options.steps = 50;
  options.baseline = Baseline::mean;
  EXPECT_NE(message_of(options).find("give those of a first pass with the method activation"), std::string::npos);
  options.baseline = Baseline::given;
  EXPECT_NE(message_of(options).find("give one per layer call"), std::string::npos);
  options.baselines = {{"act2", 0, {}, {1, 2, 3}}};
  EXPECT_EQ(message_of(options), "there are 3 baselines of layer 'act2@0', which has 64 neurons: give one per neuron");
  options.baselines = {{"act1", 0, {}, {1, 2, 3}}};
  EXPECT_EQ(message_of(options),
            "there are no baselines of layer 'act2@0' for cluster 0: give them for every layer call and cluster");
  options = options_with({Method::conductance});
  options.input_baseline = at::zeros({2, 3});
  EXPECT_EQ(message_of(options), "the input baseline has shape [2, 3] for inputs [48, 64]: give one sample");
  options = options_with({Method::ablation});
  options.removal = Removal::mean;
  EXPECT_NE(message_of(options).find("there are no mean activations"), std::string::npos);
}

TEST(ProbeMethodsTest, AProbeCentresByTheMeanOverAllClusters) {
  const at::Tensor x = at::linspace(-1, 2, 40, at::kDouble).reshape({10, 4});
  const at::Tensor weight = at::linspace(-1, 1, 12, at::kDouble).reshape({4, 3});
  const at::Tensor behind = at::linspace(1, -2, 6, at::kDouble).reshape({3, 2});
  const at::Tensor clusters = at::arange(10).remainder(2);
  AttributionOptions options;
  options.methods = {Method::gradient_x_centred_activation, Method::activation_rate};
  options.target = Target::index(1);
  Probe probe(options);
  const at::Tensor z = probe.tap("layer", at::matmul(x, weight));
  const at::Tensor a = probe.activation("layer", at::tanh(z));
  probe.add(at::matmul(a, behind), {}, clusters);

  const at::Tensor activation = at::tanh(at::matmul(x, weight));
  const at::Tensor centred = (activation - activation.mean(0)) * behind.select(1, 1);
  const double tolerance = apart(at::kDouble, {4, 3, 10});
  for (const std::int64_t cluster : {0, 1}) {
    const at::Tensor rows = (clusters == cluster).nonzero().squeeze(1);
    const at::Tensor expected = centred.index_select(0, rows).abs().mean(0);
    const at::Tensor rate = (activation.index_select(0, rows) > 0).to(at::kDouble).mean(0);
    const Scores scores = probe.scores();
    const auto seen = [&](Method method) { return scores.of("layer", cluster, method); };
    EXPECT_TRUE(are_close(at::tensor(seen(Method::gradient_x_centred_activation).mean_abs), expected, tolerance));
    EXPECT_TRUE(are_close(at::tensor(seen(Method::activation_rate).mean), rate, tolerance));
  }
}

TEST(ProbeMethodsTest, AProbeRefusesWhatNeedsTheModel) {
  AttributionOptions options;
  options.methods = {Method::gradient, Method::ablation};
  EXPECT_THROW(Probe probe(options), ArgumentError);
}

TEST(InputPathTest, TokensHaveAPathBetweenTheirVectors) {
  const Data data = read_data(fixture_path("embedding.npz"));
  const Model model = Model::load(fixture_path("embedding.scripted.pt"));
  AttributionOptions options;
  options.layers = {model.layers().at(0).name};
  options.methods = {Method::conductance};
  Attribution attribution = model.attribution(options);
  attribution.add(data.x, data.y, data.cluster);
  EXPECT_LT(attribution.scores().entries().at(0).completeness_error, 0.1);
  options.methods = {Method::integrated_gradients, Method::ablation};
  Attribution in_layer_space = model.attribution(options);
  in_layer_space.add(data.x, data.y, data.cluster);
  EXPECT_LT(in_layer_space.scores().entries().at(0).completeness_error, 0.1);
}

}  // namespace

}  // namespace pregrad::test::methods_test
