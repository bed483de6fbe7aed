#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "java.hpp"
#include "options_reader.hpp"

namespace pregrad::jni {
namespace {

void read_reading(OptionsReader& from, Reading& reading) {
  from.read("outputName", reading.output_name);
  std::vector<std::int64_t> class_axis;
  from.read("classAxis", class_axis);
  if (!class_axis.empty()) {
    reading.class_axis = class_axis.front();
  }
  from.read("at", reading.at, at_named);
  from.read("multiLabel", reading.multi_label);
  from.read("mask", reading.mask);
}

template <class Options>
void read_target(OptionsReader& from, Options& options) {
  from.read("target", options.target, target_named);
  from.read("output", options.output, output_named);
  read_reading(from, options.reading);
}

template <class Options>
void read_layers(OptionsReader& from, Options& options) {
  from.read_each("layers", options.layers, [](std::string_view name) { return std::string(name); });
}

void read_common(OptionsReader& from, AttributionOptions& options) {
  read_target(from, options);
  read_layers(from, options);
  from.read_each("methods", options.methods, method_named);
  from.read("seed", options.seed);
  from.read("positions", options.positions, positions_named);
  from.read("memoryLimit", options.memory_limit);
}

NeuronConstants constants(OptionsReader& from) {
  NeuronConstants result;
  from.read("layer", result.layer);
  from.read("call", result.call);
  std::vector<std::int64_t> cluster;
  from.read("cluster", cluster);
  if (!cluster.empty()) {
    result.cluster = cluster.front();
  }
  from.read("values", result.values);
  return result;
}

RemovalOrder order(OptionsReader& from) {
  RemovalOrder result;
  from.read("layer", result.layer);
  from.read("call", result.call);
  from.read("cluster", result.cluster);
  from.read("method", result.method, method_named);
  from.read("aggregate", result.aggregate, aggregate_named);
  from.read("repeat", result.repeat);
  from.read("neurons", result.neurons);
  from.read("keep", result.keep);
  return result;
}

Score score(OptionsReader& from) {
  Score result;
  from.read("layer", result.layer);
  from.read("call", result.call);
  from.read("cluster", result.cluster);
  from.read("method", result.method, method_named);
  std::vector<std::int64_t> position;
  from.read("position", position);
  if (!position.empty()) {
    result.position = position.front();
  }
  from.read("count", result.statistics.count);
  from.read("mean", result.statistics.mean);
  from.read("meanAbs", result.statistics.mean_abs);
  from.read("rms", result.statistics.rms);
  from.read("std", result.statistics.std);
  return result;
}

PrunedNeurons pruned(OptionsReader& from) {
  PrunedNeurons result;
  from.read("layer", result.layer);
  from.read("call", result.call);
  from.read("neurons", result.neurons);
  return result;
}

/// Options of that type, all of which `fill` must read.
template <class Options, class Fill>
Options options_of(JNIEnv* env, jbyteArray packed, Fill&& fill) {
  const std::string bytes = text(env, packed);
  OptionsReader from(bytes);
  Options options;
  fill(from, options);
  from.finish();
  return options;
}

}  // namespace

std::pair<c10::Device, ModelOptions> model_options(JNIEnv* env, jbyteArray packed) {
  c10::Device device(c10::kCPU);
  const auto options = options_of<ModelOptions>(env, packed, [&](OptionsReader& from, ModelOptions& read) {
    from.read("device", device, [](std::string_view name) { return c10::Device(std::string(name)); });
    from.read("trusted", read.trusted);
    std::int64_t milliseconds = 0;
    from.read("timeLimit", milliseconds);
    read.time_limit = std::chrono::milliseconds(milliseconds);
  });
  return {device, options};
}

AttributionOptions probe_options(JNIEnv* env, jbyteArray packed) {
  return options_of<AttributionOptions>(env, packed, read_common);
}

AttributionOptions attribution_options(JNIEnv* env, jbyteArray packed) {
  return options_of<AttributionOptions>(env, packed, [](OptionsReader& from, AttributionOptions& options) {
    read_common(from, options);
    from.read("steps", options.steps);
    from.read("quadrature", options.quadrature, quadrature_named);
    from.read("baseline", options.baseline, baseline_named);
    from.read_all("baselines", options.baselines, constants);
    from.read("removal", options.removal, removal_named);
    from.read_all("means", options.means, constants);
    from.read("cudaGraphs", options.cuda_graphs);
    from.read("examples", options.examples);
    from.read("ofZ", options.of_z);
    from.read("corrupt", options.corrupt);
    from.read("permutations", options.permutations);
    from.read("shapleyError", options.shapley_error);
  });
}

AblationOptions ablation_options(JNIEnv* env, jbyteArray packed) {
  return options_of<AblationOptions>(env, packed, [](OptionsReader& from, AblationOptions& options) {
    read_target(from, options);
    from.read_all("orders", options.orders, order);
    from.read("removal", options.removal, removal_named);
    from.read_all("means", options.means, constants);
  });
}

std::vector<Difference> differences(JNIEnv* env, jbyteArray packed) {
  return options_of<std::vector<Difference>>(env, packed, [](OptionsReader& from, std::vector<Difference>& result) {
    std::vector<Score> scores;
    from.read_all("scores", scores, score);
    std::int64_t against = 0;
    from.read("against", against);
    Aggregate aggregate = Aggregate::mean;
    from.read("aggregate", aggregate, aggregate_named);
    double confidence = 0;
    from.read("confidence", confidence);
    result = pregrad::differences(Scores(std::move(scores), {}), against, aggregate, confidence);
  });
}

PruningOptions pruning_options(JNIEnv* env, jbyteArray packed) {
  return options_of<PruningOptions>(env, packed, [](OptionsReader& from, PruningOptions& options) {
    read_reading(from, options.reading);
    // What is explained by scores; what goes is measured by accuracy alone.
    Target target = Target::label();
    from.read("target", target, target_named);
    Output output = Output::logit;
    from.read("output", output, output_named);
    from.read_all("neurons", options.neurons, pruned);
    from.read_all("scores", options.scores, constants);
    from.read("share", options.share);
    from.read("keep", options.keep);
  });
}

CheckOptions check_options(JNIEnv* env, jbyteArray packed) {
  return options_of<CheckOptions>(env, packed, [](OptionsReader& from, CheckOptions& options) {
    read_target(from, options);
    read_layers(from, options);
    from.read("mostNeurons", options.most_neurons);
  });
}

}  // namespace pregrad::jni
