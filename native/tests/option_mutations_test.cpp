// Options, inputs and states that no caller should give end in a typed error or in finite scores, of C++ and of C; what
// others compute with the same model stays as it was.

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "fixtures.hpp"
#include "mutations.hpp"
#include "pregrad/pregrad.h"
#include "pregrad/pregrad.hpp"

namespace pregrad::test::option_mutations_test {

namespace {

/// Ends what a number of steps, permutations or positions would have run for hours.
constexpr std::chrono::milliseconds long_enough(500);

/// A model with its data, and what it scores.
struct Subject {
  std::filesystem::path file;
  Data data;
  Model model;
  std::vector<Layer> layers;
  std::string scored;

  Subject(const std::string& name, std::chrono::milliseconds longest)
      : file(fixture_path(name)),
        data(first_of(read_data(fixture_path(name.substr(0, name.find('.')) + ".npz")), 6)),
        model(Model::load(file, c10::kCPU, {.trusted = false, .time_limit = longest})),
        layers(model.layers(data.x)),
        scored(score()) {}

  /// However busy the machine is, the time limit is none of the reasons.
  bool is_as_it_was() const {
    for (;;) {
      try {
        return score() == scored;
      } catch (const CancelledError&) {
        continue;
      }
    }
  }

  std::string score() const {
    AttributionOptions options;
    options.layers = {"all"};
    Attribution attribution = model.attribution(options);
    attribution.add(data.x, data.y, data.cluster);
    return attribution.save();
  }
};

/// With a limit that its own calls keep to, however busy the machine is.
std::shared_ptr<const Subject> opened_subject(const std::string& name) {
  for (std::chrono::milliseconds longest = long_enough;; longest *= 2) {
    try {
      return std::make_shared<const Subject>(name, longest);
    } catch (const CancelledError&) {
      continue;
    }
  }
}

const std::vector<std::string> subjects = {"act-relu.scripted.pt",          "functional.exported.pt2",
                                           "reused.exported.pt2",           "time-distributed.scripted.pt",
                                           "embedding.exported.pt2",        "single-output.scripted.pt",
                                           "tuple-output.exported.pt2",     "conv1d.scripted.pt",
                                           "without-gradient.exported.pt2", "residual.scripted.pt"};

std::string layer(const Subject& subject, Draws& draws) {
  constexpr std::array<const char*, 16> names = {"all",
                                                 "*",
                                                 "*:out",
                                                 "*:in",
                                                 "input:x",
                                                 "input:*",
                                                 "",
                                                 "@",
                                                 "@@1",
                                                 "*@99999999999999999999",
                                                 ":in.7",
                                                 "\x1b[2J\n",
                                                 "forward",
                                                 "*a*a*a*a*a*a*a*a*a*a*a*b",
                                                 "no.such.layer",
                                                 "input:"};
  const std::string known = subject.layers.empty() ? "all" : draws.of(subject.layers).name;
  switch (draws.below(6)) {
    case 0:
      return draws.of(names);
    case 1:
      return known + "@" + std::to_string(draws.integer());
    case 2:
      return damaged_name(known, draws);
    case 3:
      return known + draws.of(std::array<const char*, 4>{":in", ":out", ":gates", ":out.1"});
    default:
      return known;
  }
}

template <typename Enum, std::size_t size>
Enum of_enum(const std::array<Enum, size>& known, Draws& draws) {
  return draws.one_in(6) ? static_cast<Enum>(static_cast<int>(draws.integer())) : draws.of(known);
}

Method method(Draws& draws) { return of_enum(all_methods, draws); }

Target target(Draws& draws) {
  switch (draws.below(6)) {
    case 0:
      return Target::predicted();
    case 1:
      return Target::index(draws.integer());
    case 2:
      return Target::difference(draws.integer(), draws.integer());
    case 3:
      return Target::weights();
    default:
      return Target::label();
  }
}

At at(Draws& draws) {
  switch (draws.below(6)) {
    case 0:
      return At::last();
    case 1:
      return At::first();
    case 2:
      return At::each();
    case 3:
      return At::mean();
    case 4:
      return At::index(draws.integer());
    default:
      return {};
  }
}

Reading reading(Draws& draws) {
  Reading reading;
  constexpr std::array<const char*, 6> names = {"", "logits", "0", "1", "no such output", "\n"};
  constexpr std::array<const char*, 5> masks = {"", "mask", "x", "attention_mask", "\x1b"};
  reading.output_name = draws.one_in(2) ? draws.of(names) : "";
  if (draws.one_in(2)) {
    reading.class_axis = draws.integer();
  }
  reading.at = at(draws);
  reading.multi_label = draws.one_in(4);
  reading.mask = draws.one_in(2) ? draws.of(masks) : "";
  return reading;
}

/// One constant per neuron, or more or fewer, of this layer or another, NaN and infinities among them.
std::vector<NeuronConstants> constants(const Subject& subject, Draws& draws) {
  std::vector<NeuronConstants> all;
  for (const Layer& each : subject.layers) {
    NeuronConstants one{each.name, each.call, std::nullopt, {}};
    std::int64_t neurons = std::max<std::int64_t>(each.neurons, 0);
    if (draws.one_in(4)) {
      neurons = static_cast<std::int64_t>(draws.below(40));
    }
    one.values.assign(static_cast<std::size_t>(neurons), 0.25);
    if (draws.one_in(4) && neurons > 0) {
      one.values[draws.below(one.values.size())] = draws.real();
    }
    if (draws.one_in(8)) {
      one.cluster = draws.integer();
    }
    if (draws.one_in(8)) {
      one.call = draws.integer();
    }
    if (draws.one_in(8)) {
      one.layer = layer(subject, draws);
    }
    if (!draws.one_in(8)) {
      all.push_back(one);
    }
    if (draws.one_in(8)) {
      all.push_back(one);
    }
  }
  return all;
}

at::Tensor damaged(const at::Tensor& tensor, Draws& draws) {
  switch (draws.below(12)) {
    case 0:
      return {};
    case 1:
      return tensor.unsqueeze(static_cast<std::int64_t>(draws.below(static_cast<std::size_t>(tensor.dim()) + 1)));
    case 2:
      return tensor.slice(0, 0, 0);
    case 3:
      return tensor.slice(tensor.dim() - 1, 0, static_cast<std::int64_t>(draws.below(4)));
    case 4: {
      constexpr std::array<at::ScalarType, 10> types = {at::kFloat,        at::kDouble, at::kHalf, at::kBFloat16,
                                                        at::kLong,         at::kInt,    at::kByte, at::kBool,
                                                        at::kComplexFloat, at::kShort};
      return tensor.to(draws.of(types));
    }
    case 5: {
      at::Tensor changed = tensor.clone();
      if (changed.numel() > 0 && changed.is_floating_point()) {
        changed.view(-1)[static_cast<std::int64_t>(draws.below(static_cast<std::size_t>(changed.numel())))] =
            at::scalar_tensor(draws.real(), at::kDouble).to(changed.scalar_type());
      } else if (changed.numel() > 0 && changed.scalar_type() == at::kLong) {
        changed.view(-1)[static_cast<std::int64_t>(draws.below(static_cast<std::size_t>(changed.numel())))] =
            draws.integer();
      }
      return changed;
    }
    case 6:
      return tensor.transpose(0, tensor.dim() - 1);
    case 7:
      return tensor.slice(0, 0, 1).expand_as(tensor);
    case 8:
      return tensor.reshape({-1});
    case 9:
      return tensor.to_sparse();
    case 10:
      return tensor.is_floating_point() ? tensor.detach().clone().requires_grad_(true) : tensor.flatten().repeat({2});
    default:
      return at::zeros({}, tensor.options());
  }
}

AttributionOptions options_of(const Subject& subject, Draws& draws) {
  AttributionOptions options;
  options.layers = {"all"};
  if (draws.one_in(2)) {
    options.methods.clear();
    for (std::size_t count = draws.below(5); count > 0; --count) {
      options.methods.push_back(method(draws));
    }
  }
  for (std::size_t damages = 1 + draws.below(3); damages > 0; --damages) {
    switch (draws.below(18)) {
      case 0:
        options.layers.clear();
        for (std::size_t count = draws.below(4); count > 0; --count) {
          options.layers.push_back(layer(subject, draws));
        }
        break;
      case 1:
        options.target = target(draws);
        break;
      case 2:
        options.output = of_enum(std::array{Output::logit, Output::probability, Output::log_probability}, draws);
        break;
      case 3:
      case 4:
        options.reading = reading(draws);
        break;
      case 5:
        options.steps = draws.integer();
        break;
      case 6:
        options.quadrature =
            of_enum(std::array{Quadrature::gauss_legendre, Quadrature::trapezoid, Quadrature::midpoint}, draws);
        break;
      case 7:
        options.baseline = of_enum(std::array{Baseline::zero, Baseline::mean, Baseline::given}, draws);
        options.methods.push_back(Method::integrated_gradients);
        break;
      case 8:
        options.baseline = Baseline::given;
        options.baselines = constants(subject, draws);
        options.methods.push_back(Method::integrated_gradients);
        break;
      case 9:
        options.input_baseline = damaged(subject.data.x.slice(0, 0, 1), draws);
        options.methods.push_back(Method::conductance);
        break;
      case 10:
        options.input_baselines.push_back(
            {draws.one_in(2) ? "x" : layer(subject, draws), damaged(subject.data.x.slice(0, 0, 1), draws)});
        options.methods.push_back(Method::internal_influence);
        break;
      case 11:
        options.removal = of_enum(std::array{Removal::zero, Removal::zero_preactivation, Removal::mean}, draws);
        options.methods.push_back(Method::ablation);
        break;
      case 12:
        options.removal = Removal::mean;
        options.means = constants(subject, draws);
        options.methods.push_back(Method::ablation);
        break;
      case 13:
        options.seed = static_cast<std::uint64_t>(draws.integer());
        break;
      case 14:
        options.positions = of_enum(std::array{Positions::together, Positions::each}, draws);
        break;
      case 15:
        options.memory_limit = static_cast<std::uint64_t>(draws.integer());
        break;
      case 16:
        options.permutations = draws.integer();
        options.shapley_error = draws.real();
        options.examples = draws.integer();
        break;
      default:
        options.of_z = draws.one_in(2);
        options.corrupt = draws.one_in(2) ? "" : layer(subject, draws);
        options.references.push_back({draws.one_in(2) ? "x" : "", damaged(subject.data.x, draws)});
    }
  }
  return options;
}

void expect_finite(const std::vector<double>& values, const Score& score) {
  EXPECT_EQ(values.size(), score.statistics.mean.size());
  EXPECT_TRUE(std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); }))
      << score.layer << " " << name_of(score.method);
}

void expect_finite(const Scores& scores) {
  for (const Score& score : scores.entries()) {
    EXPECT_GT(score.statistics.count, 0);
    expect_finite(score.statistics.mean, score);
    expect_finite(score.statistics.mean_abs, score);
    expect_finite(score.statistics.rms, score);
    expect_finite(score.statistics.std, score);
  }
}

/// The data with a damage, or none.
Data data_of(const Subject& subject, Draws& draws) {
  Data data = subject.data;
  switch (draws.below(8)) {
    case 0:
      data.x = damaged(data.x, draws);
      break;
    case 1:
      data.y = damaged(data.y, draws);
      break;
    case 2:
      data.cluster = damaged(data.cluster, draws);
      break;
    default:
      break;
  }
  return data;
}

bool attribute(const Subject& subject, Draws& draws) {
  const AttributionOptions options = options_of(subject, draws);
  Attribution attribution = subject.model.attribution(options);
  const Data data = data_of(subject, draws);
  attribution.add(data.x, data.y, data.cluster);
  const Scores scores = attribution.scores();
  expect_finite(scores);
  if (draws.one_in(2)) {
    removal_orders(scores, {all_aggregates.begin(), all_aggregates.end()});
    mean_activations(scores);
  }
  return !scores.entries().empty();
}

/// States with damages: they are refused, and change nothing.
bool restore(const Subject& subject, Draws& draws) {
  AttributionOptions options;
  options.layers = {"all"};
  options.methods = {Method::gradient, Method::activation};
  options.positions = draws.one_in(3) ? Positions::each : Positions::together;
  Attribution attribution = subject.model.attribution(options);
  attribution.add(subject.data.x, subject.data.y, subject.data.cluster);
  const std::string before = attribution.save();
  std::string state = before;
  for (std::size_t damages = 1 + draws.below(3); damages > 0; --damages) {
    switch (draws.below(4)) {
      case 0:
        state.resize(draws.below(state.size() + 1));
        break;
      case 1:
        shuffle(state, draws);
        break;
      case 2: {
        const std::int64_t number = draws.integer();
        if (state.size() > sizeof number) {
          std::memcpy(state.data() + draws.below(state.size() - sizeof number), &number, sizeof number);
        }
        break;
      }
      default:
        flip(state, draws);
    }
  }
  try {
    if (draws.one_in(2)) {
      attribution.restore(state);
    } else {
      attribution.merge(state);
    }
  } catch (const Error&) {
    EXPECT_EQ(attribution.save(), before);
    throw;
  }
  attribution.scores();
  attribution.add(subject.data.x, subject.data.y, subject.data.cluster);
  attribution.save();
  return true;
}

bool ablate(const Subject& subject, Draws& draws) {
  AblationOptions options;
  options.removal = of_enum(std::array{Removal::zero, Removal::zero_preactivation, Removal::mean}, draws);
  options.means = draws.one_in(2) ? constants(subject, draws) : std::vector<NeuronConstants>();
  options.target = draws.one_in(3) ? target(draws) : Target::label();
  options.output = of_enum(std::array{Output::logit, Output::probability, Output::log_probability}, draws);
  options.reading = draws.one_in(3) ? reading(draws) : Reading();
  for (const Layer& each : subject.layers) {
    const std::int64_t neurons = draws.one_in(8) ? draws.integer() % 1000 : each.neurons;
    const std::int64_t repeats = draws.one_in(8) ? draws.integer() % 1000 : 1;
    for (RemovalOrder& order : random_orders(each.name, each.call, 0, neurons, repeats, 1)) {
      if (draws.one_in(6) && !order.neurons.empty()) {
        order.neurons[draws.below(order.neurons.size())] = draws.integer();
      }
      if (draws.one_in(12)) {
        order.neurons.resize(draws.below(order.neurons.size() + 3));
      }
      if (draws.one_in(12)) {
        order.call = draws.integer();
      }
      if (draws.one_in(12)) {
        order.layer = layer(subject, draws);
      }
      if (draws.one_in(12)) {
        order.cluster = draws.integer();
      }
      order.method = method(draws);
      options.orders.push_back(order);
    }
  }
  Ablation ablation = subject.model.ablation(options);
  const Data data = data_of(subject, draws);
  ablation.add(data.x, data.y, data.cluster);
  for (const RemovalCurve& curve : ablation.curves()) {
    EXPECT_EQ(curve.removed.size(), curve.mean_output.size());
    EXPECT_EQ(curve.removed.size(), curve.accuracy.size());
    if (curve.count > 0) {
      EXPECT_TRUE(std::isfinite(curve.mean_output.front())) << curve.order.layer;
      EXPECT_TRUE(std::isfinite(curve.mean_output.back())) << curve.order.layer;
    }
  }
  const std::string before = ablation.save();
  std::string state = before;
  shuffle(state, draws);
  try {
    ablation.restore(state);
  } catch (const Error&) {
    EXPECT_EQ(ablation.save(), before);
  }
  return true;
}

bool check(const Subject& subject, Draws& draws) {
  CheckOptions options;
  options.layers = {draws.one_in(3) ? layer(subject, draws) : "all"};
  options.most_neurons = draws.one_in(2) ? draws.integer() : 2;
  options.target = draws.one_in(3) ? target(draws) : Target::label();
  options.output = of_enum(std::array{Output::logit, Output::probability, Output::log_probability}, draws);
  options.reading = draws.one_in(3) ? reading(draws) : Reading();
  Check check = subject.model.check(options);
  const Data data = data_of(subject, draws);
  check.add(data.x, data.y);
  return !check.results().empty();
}

bool list(const Subject& subject, Draws& draws) {
  std::vector<std::int64_t> shape = subject.data.x.sizes().vec();
  switch (draws.below(4)) {
    case 0:
      shape[draws.below(shape.size())] = draws.integer();
      break;
    case 1:
      shape.resize(draws.below(6), 3);
      break;
    default:
      break;
  }
  // A shape may ask for more memory than there is, but not for all that there is.
  double elements = 1;
  for (const std::int64_t size : shape) {
    elements *= static_cast<double>(size);
  }
  constexpr double gigabyte = 1 << 30;
  if (elements > gigabyte / 64 && elements < 16 * gigabyte) {
    return false;
  }
  const bool has_layers = !subject.model.layers(shape, {layer(subject, draws)}).empty();
  return has_layers && subject.model.forward(damaged(subject.data.x, draws)).defined();
}

template <auto release>
struct Release {
  template <class T>
  void operator()(T* handle) const {
    release(handle);
  }
};

/// The C interface with structs of wrong sizes, pointers that are NULL and numbers that are no constants.
class C {
 public:
  explicit C(Draws& draws) : draws_(draws) {}

  bool attempt(const Subject& subject) {
    pregrad_model_options model_options = PREGRAD_MODEL_OPTIONS_INIT;
    model_options.struct_size = size(sizeof model_options);
    model_options.time_limit_ms = draws_.one_in(8) ? draws_.integer() : 2000;
    model_options.device = draws_.one_in(8) ? "cpu:7" : null_or("cpu", 3);
    pregrad_model* opened = nullptr;
    if (!succeeds(pregrad_model_load(null_or(subject.file.c_str(), 40), null_or(&model_options, 4),
                                     draws_.one_in(40) ? nullptr : &opened))) {
      return false;
    }
    const std::unique_ptr<pregrad_model, Release<pregrad_model_free>> model(opened);
    const std::string name = layer(subject, draws_);
    const std::array<const char*, 2> layers = {null_or("all", 20), name.c_str()};
    std::vector<pregrad_method> methods;
    for (std::size_t count = draws_.below(4); count > 0; --count) {
      methods.push_back(draws_.one_in(8) ? static_cast<pregrad_method>(draws_.integer())
                                         : static_cast<pregrad_method>(draws_.below(12)));
    }
    pregrad_reading reading = PREGRAD_READING_INIT;
    reading.struct_size = size(sizeof reading);
    reading.at = draws_.one_in(4) ? "last" : nullptr;
    reading.mask = draws_.one_in(8) ? "mask" : nullptr;
    reading.class_axis = draws_.one_in(4) ? draws_.integer() : 0;
    reading.has_class_axis = draws_.one_in(8) ? static_cast<std::int32_t>(draws_.integer()) : 0;
    reading.multi_label = draws_.one_in(8) ? static_cast<std::int32_t>(draws_.integer()) : 0;
    pregrad_attribution_options options = PREGRAD_ATTRIBUTION_OPTIONS_INIT;
    options.struct_size = size(sizeof options);
    options.layers = null_or(layers.data(), 20);
    options.layer_count = 1 + draws_.below(2);
    options.methods = null_or(methods.data(), 10);
    options.method_count = methods.size();
    options.target = number(PREGRAD_TARGET_LABEL);
    options.output = number(PREGRAD_OUTPUT_LOGIT);
    options.steps = draws_.one_in(8) ? draws_.integer() : 2;
    options.quadrature = number(PREGRAD_QUADRATURE_GAUSS_LEGENDRE);
    options.baseline = number(PREGRAD_BASELINE_ZERO);
    options.removal = number(PREGRAD_REMOVAL_ZERO);
    options.positions = number(PREGRAD_POSITIONS_TOGETHER);
    options.reading = null_or(&reading, 2);
    options.memory_limit = draws_.one_in(8) ? static_cast<std::uint64_t>(draws_.integer()) : 0;
    pregrad_attribution* begun = nullptr;
    if (!succeeds(pregrad_attribution_open(null_or(model.get(), 40), null_or(&options, 40), &begun))) {
      return false;
    }
    const std::unique_ptr<pregrad_attribution, Release<pregrad_attribution_free>> attribution(begun);
    const at::Tensor x = subject.data.x.contiguous();
    std::vector<std::int64_t> shape = x.sizes().vec();
    pregrad_tensor tensor = PREGRAD_TENSOR_INIT;
    tensor.struct_size = size(sizeof tensor);
    tensor.data = null_or(x.const_data_ptr(), 20);
    tensor.shape = null_or(shape.data(), 20);
    tensor.rank = shape.size();
    tensor.dtype = x.scalar_type() == at::kLong     ? PREGRAD_INT64
                   : x.scalar_type() == at::kDouble ? PREGRAD_FLOAT64
                                                    : PREGRAD_FLOAT32;
    if (draws_.one_in(8)) {
      // What is given must be there: types and shapes may only become smaller, or what none is.
      tensor.dtype = draws_.one_in(2) ? PREGRAD_UINT8 : static_cast<pregrad_dtype>(8 + draws_.below(1000));
    }
    if (draws_.one_in(8)) {
      shape[draws_.below(shape.size())] =
          draws_.of(std::array<std::int64_t, 4>{0, 1, -1, std::numeric_limits<std::int64_t>::min()});
    }
    const auto samples = static_cast<std::size_t>(x.size(0));
    std::vector<std::int64_t> labels(samples, 0);
    std::vector<std::int64_t> clusters(samples, 0);
    if (draws_.one_in(4)) {
      labels[draws_.below(samples)] = draws_.integer();
    }
    if (draws_.one_in(4)) {
      clusters[draws_.below(samples)] = draws_.integer();
    }
    const std::size_t label_count = draws_.one_in(8) ? draws_.below(samples) : samples;
    if (!succeeds(pregrad_attribution_add(attribution.get(), null_or(&tensor, 40), null_or(labels.data(), 10),
                                          label_count, null_or(clusters.data(), 10), samples))) {
      return false;
    }
    pregrad_scores* given = nullptr;
    if (!succeeds(pregrad_attribution_scores(attribution.get(), draws_.one_in(40) ? nullptr : &given))) {
      return false;
    }
    const std::unique_ptr<pregrad_scores, Release<pregrad_scores_free>> scores(given);
    std::size_t count = 0;
    EXPECT_TRUE(succeeds(pregrad_scores_count(scores.get(), &count)));
    for (std::size_t i = 0; i < count; ++i) {
      pregrad_score score = PREGRAD_SCORE_INIT;
      EXPECT_TRUE(succeeds(pregrad_scores_get(scores.get(), i, &score)));
      for (std::size_t neuron = 0; neuron < score.neurons; ++neuron) {
        EXPECT_TRUE(std::isfinite(score.mean[neuron])) << score.layer << " " << score.method;
      }
    }
    pregrad_score beyond = PREGRAD_SCORE_INIT;
    EXPECT_FALSE(succeeds(pregrad_scores_get(scores.get(), count + draws_.below(3), &beyond)));
    beyond.struct_size = size(sizeof beyond);
    succeeds(pregrad_scores_get(scores.get(), 0, &beyond));
    return count > 0;
  }

 private:
  static bool succeeds(pregrad_status status) {
    if (status != PREGRAD_OK) {
      EXPECT_NE(status, PREGRAD_ERROR_INTERNAL) << pregrad_last_error();
      EXPECT_NE(std::string(pregrad_last_error()), "");
      EXPECT_EQ(std::string(pregrad_last_error()).find('\n'), std::string::npos);
    }
    return status == PREGRAD_OK;
  }

  /// Mostly what it is; smaller ones are those of old headers.
  std::size_t size(std::size_t right) {
    if (!draws_.one_in(10)) {
      return right;
    }
    return draws_.one_in(3) ? static_cast<std::size_t>(draws_.integer()) % (right + 1) : draws_.below(right + 1);
  }

  std::int32_t number(std::int32_t usual) {
    return draws_.one_in(10) ? static_cast<std::int32_t>(draws_.integer()) : usual;
  }

  template <typename Pointer>
  Pointer null_or(Pointer pointer, std::size_t one_in) {
    return draws_.one_in(one_in) ? nullptr : pointer;
  }

  Draws& draws_;
};

TEST(OptionMutations, NoneEndsTheProcess) {
  std::vector<std::shared_ptr<const Subject>> opened;
  try_seeds(2000, 0.05, [&](std::uint64_t seed, const std::filesystem::path&) {
    while (opened.size() < subjects.size()) {
      opened.push_back(opened_subject(subjects[opened.size()]));
    }
    Draws draws(seed);
    const Subject& subject = *draws.of(opened);
    SCOPED_TRACE(subject.file.filename());
    bool is_computed = false;
    try {
      switch (draws.below(8)) {
        case 0:
          is_computed = restore(subject, draws);
          break;
        case 1:
          is_computed = ablate(subject, draws);
          break;
        case 2:
          is_computed = check(subject, draws);
          break;
        case 3:
          is_computed = list(subject, draws);
          break;
        case 4:
          is_computed = C(draws).attempt(subject);
          break;
        default:
          is_computed = attribute(subject, draws);
      }
    } catch (const InternalError& error) {
      ADD_FAILURE() << error.what();
    } catch (const Error& error) {
      EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
    } catch (const std::bad_alloc&) {
      is_computed = false;  // a size that no machine has: C and Java have words of their own for it
    }
    EXPECT_TRUE(subject.is_as_it_was());
    return is_computed;
  });
}

}  // namespace

}  // namespace pregrad::test::option_mutations_test
