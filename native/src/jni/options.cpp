#include "options.hpp"

#include <string>
#include <utility>
#include <vector>

#include <pregrad/error.hpp>

#include "convert.hpp"
#include "record_reader.hpp"

namespace pregrad::jni {
namespace {

Target target(RecordReader& records) {
  const auto kind = records.constant(Target::Kind::index, "target");
  const std::int64_t index = records.integer();
  switch (kind) {
    case Target::Kind::label:
      return Target::label();
    case Target::Kind::predicted:
      return Target::predicted();
    case Target::Kind::index:
      return Target::index(index);
  }
  throw InternalError("a target of no kind; please report it");
}

template <class Options>
void read_target(RecordReader& records, Options& options) {
  options.target = target(records);
  options.output = records.constant(Output::log_probability, "output");
}

template <class Options>
void read_layers(RecordReader& records, Options& options) {
  options.layers = records.list([](RecordReader& each) { return each.text(); });
}

Method method(RecordReader& records) { return records.constant(all_methods.back(), "method"); }

AttributionOptions common_options(RecordReader& records) {
  AttributionOptions result;
  read_target(records, result);
  read_layers(records, result);
  result.methods = records.list(method);
  result.seed = static_cast<std::uint64_t>(records.integer());
  return result;
}

NeuronConstants one_set_of_constants(RecordReader& records) {
  NeuronConstants result;
  result.layer = records.text();
  result.call = records.integer();
  const bool has_cluster = records.integer() != 0;
  const std::int64_t cluster = records.integer();
  if (has_cluster) {
    result.cluster = cluster;
  }
  result.values = records.reals();
  return result;
}

std::vector<NeuronConstants> constants(RecordReader& records) { return records.list(one_set_of_constants); }

RemovalOrder order(RecordReader& records) {
  RemovalOrder result;
  result.layer = records.text();
  result.call = records.integer();
  result.cluster = records.integer();
  result.method = method(records);
  result.aggregate = records.constant(all_aggregates.back(), "aggregate");
  result.repeat = records.integer();
  result.neurons = records.integers();
  return result;
}

}  // namespace

AttributionOptions probe_options(JNIEnv* env, jbyteArray packed) {
  const std::string bytes = text(env, packed);
  RecordReader records(bytes);
  return common_options(records);
}

AttributionOptions attribution_options(JNIEnv* env, jbyteArray packed) {
  const std::string bytes = text(env, packed);
  RecordReader records(bytes);
  AttributionOptions result = common_options(records);
  result.steps = records.integer();
  result.quadrature = records.constant(Quadrature::midpoint, "quadrature");
  result.baseline = records.constant(Baseline::given, "baseline");
  result.baselines = constants(records);
  result.removal = records.constant(Removal::mean, "removal");
  result.means = constants(records);
  result.cuda_graphs = records.integer() != 0;
  return result;
}

AblationOptions ablation_options(JNIEnv* env, jbyteArray packed) {
  const std::string bytes = text(env, packed);
  RecordReader records(bytes);
  AblationOptions result;
  read_target(records, result);
  result.orders = records.list(order);
  result.removal = records.constant(Removal::mean, "removal");
  result.means = constants(records);
  return result;
}

CheckOptions check_options(JNIEnv* env, jbyteArray packed) {
  const std::string bytes = text(env, packed);
  RecordReader records(bytes);
  CheckOptions result;
  read_target(records, result);
  read_layers(records, result);
  result.most_neurons = records.integer();
  return result;
}

}  // namespace pregrad::jni
