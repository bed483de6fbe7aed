#include "c_api/arguments.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>
#include <string>
#include <utility>

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/ScalarType.h>
#include <c10/util/ArrayRef.h>
#include <c10/util/Exception.h>
#include <pregrad/error.hpp>

#include "guard.hpp"

namespace pregrad::c_api {
namespace {

constexpr std::array<std::pair<pregrad_dtype, at::ScalarType>, 8> dtypes = {{
    {PREGRAD_FLOAT32, at::kFloat},
    {PREGRAD_FLOAT64, at::kDouble},
    {PREGRAD_FLOAT16, at::kHalf},
    {PREGRAD_BFLOAT16, at::kBFloat16},
    {PREGRAD_INT64, at::kLong},
    {PREGRAD_INT32, at::kInt},
    {PREGRAD_UINT8, at::kByte},
    {PREGRAD_BOOL, at::kBool},
}};

at::ScalarType scalar_type(pregrad_dtype dtype) {
  for (const auto& [ours, theirs] : dtypes) {
    if (ours == dtype) {
      return theirs;
    }
  }
  throw ArgumentError("the dtype " + std::to_string(dtype) + " is unknown; use PREGRAD_FLOAT32 or another constant");
}

void check_shape(at::IntArrayRef shape, std::size_t element_size) {
  constexpr std::int64_t limit = std::numeric_limits<std::int64_t>::max();
  auto bytes = static_cast<std::int64_t>(element_size);
  bool overflow = false;
  bool empty = false;
  for (const std::int64_t size : shape) {
    if (size < 0) {
      throw InputError("the tensor's shape has the negative size " + std::to_string(size) +
                       "; give sizes of 0 or more");
    }
    empty = empty || size == 0;
    overflow = overflow || (size != 0 && bytes > limit / size);
    bytes = overflow || size == 0 ? bytes : bytes * size;
  }
  if (overflow && !empty) {
    throw InputError("the tensor's shape has more elements than memory can hold; check its sizes");
  }
}

at::Tensor borrow(const void* data, at::IntArrayRef shape, at::ScalarType type, const char* what) {
  const std::size_t element_size = c10::elementSize(type);
  check_shape(shape, element_size);
  bool empty = false;
  for (const std::int64_t size : shape) {
    empty = empty || size == 0;
  }
  if (empty) {
    return at::empty(shape, at::TensorOptions().dtype(type));
  }
  if (data == nullptr) {
    throw InputError(std::string("the data of ") + what + " is NULL; point it at the first element");
  }
  if (reinterpret_cast<std::uintptr_t>(data) % element_size != 0) {
    throw InputError(std::string("the data of ") + what + " is not aligned to its elements of " +
                     std::to_string(element_size) + " bytes; copy it to an array of their type");
  }
  // from_blob takes no const; nothing here or in the core writes to inputs, labels or clusters.
  return at::from_blob(const_cast<void*>(data), shape, at::TensorOptions().dtype(type));
}

bool truth(std::int32_t value, const char* what) {
  if (value != 0 && value != 1) {
    throw ArgumentError(std::string(what) + " is " + std::to_string(value) + "; use 0 or 1");
  }
  return value == 1;
}

}  // namespace

at::Tensor borrow(const pregrad_tensor* tensor) {
  const pregrad_tensor given = read_struct(tensor, "pregrad_tensor");
  check_reserved(given.reserved, "pregrad_tensor");
  if (given.rank > 0) {
    required(given.shape, "the shape of pregrad_tensor");
  }
  return borrow(given.data, at::IntArrayRef(given.shape, given.rank), scalar_type(given.dtype), "pregrad_tensor");
}

at::Tensor borrow_optional(const pregrad_tensor* tensor) { return tensor == nullptr ? at::Tensor() : borrow(tensor); }

Inputs borrow(const pregrad_input* inputs, std::size_t count) {
  if (count > 0) {
    required(inputs, "the inputs");
  }
  std::vector<NamedTensor> tensors;
  // A caller's struct may be shorter or longer than this library's: so far apart are its elements.
  const std::size_t size = count == 0 ? 0 : caller_size(inputs, "pregrad_input");
  const auto* bytes = reinterpret_cast<const unsigned char*>(inputs);
  for (std::size_t i = 0; i < count; ++i) {
    const auto given = read_struct(reinterpret_cast<const pregrad_input*>(bytes + i * size), "pregrad_input");
    check_reserved(given.reserved, "pregrad_input");
    tensors.push_back({&required(given.name, "the name of pregrad_input"),
                       borrow(&required(given.tensor, "the tensor of pregrad_input")),
                       truth(given.is_shared, "is_shared of pregrad_input")});
  }
  return Inputs::of(std::move(tensors));
}

at::Tensor borrow(const std::int64_t* values, std::size_t count, const char* what) {
  if (values == nullptr) {
    if (count != 0) {
      throw ArgumentError(std::string(what) + " is NULL but its count is " + std::to_string(count) +
                          "; pass the values, or 0 as the count");
    }
    return {};
  }
  const auto size = static_cast<std::int64_t>(count);
  return borrow(values, at::IntArrayRef(&size, 1), at::kLong, what);
}

pregrad_dtype dtype_of(at::ScalarType type) {
  for (const auto& [ours, theirs] : dtypes) {
    if (theirs == type) {
      return ours;
    }
  }
  return PREGRAD_UNKNOWN_DTYPE;
}

pregrad_dtype dtype_of(const at::Tensor& tensor) {
  if (const pregrad_dtype dtype = dtype_of(tensor.scalar_type()); dtype != PREGRAD_UNKNOWN_DTYPE) {
    return dtype;
  }
  throw UnsupportedModelError(std::string("the model's output has the type ") + c10::toString(tensor.scalar_type()) +
                              ", which C cannot take; let the model return a floating-point tensor");
}

namespace {

static_assert(static_cast<int>(Output::logit) == PREGRAD_OUTPUT_LOGIT);
static_assert(static_cast<int>(Output::probability) == PREGRAD_OUTPUT_PROBABILITY);
static_assert(static_cast<int>(Output::log_probability) == PREGRAD_OUTPUT_LOG_PROBABILITY);

static_assert(static_cast<int>(Quadrature::gauss_legendre) == PREGRAD_QUADRATURE_GAUSS_LEGENDRE);
static_assert(static_cast<int>(Quadrature::trapezoid) == PREGRAD_QUADRATURE_TRAPEZOID);
static_assert(static_cast<int>(Quadrature::midpoint) == PREGRAD_QUADRATURE_MIDPOINT);

static_assert(static_cast<int>(Baseline::zero) == PREGRAD_BASELINE_ZERO);
static_assert(static_cast<int>(Baseline::mean) == PREGRAD_BASELINE_MEAN);

static_assert(static_cast<int>(Positions::together) == PREGRAD_POSITIONS_TOGETHER);
static_assert(static_cast<int>(Positions::each) == PREGRAD_POSITIONS_EACH);

static_assert(static_cast<int>(Removal::zero) == PREGRAD_REMOVAL_ZERO);
static_assert(static_cast<int>(Removal::zero_preactivation) == PREGRAD_REMOVAL_ZERO_PREACTIVATION);
static_assert(static_cast<int>(Removal::mean) == PREGRAD_REMOVAL_MEAN);

static_assert(static_cast<int>(Aggregate::mean) == PREGRAD_AGGREGATE_MEAN);
static_assert(static_cast<int>(Aggregate::mean_abs) == PREGRAD_AGGREGATE_MEAN_ABS);
static_assert(static_cast<int>(Aggregate::rms) == PREGRAD_AGGREGATE_RMS);
static_assert(static_cast<int>(Aggregate::std) == PREGRAD_AGGREGATE_STD);
static_assert(static_cast<int>(Aggregate::cancellation) == PREGRAD_AGGREGATE_CANCELLATION);
static_assert(all_aggregates.size() == 5, "give a new aggregate its constant in pregrad.h");

/// A reading that was given, or the defaults.
pregrad_reading reading_of(const pregrad_reading* reading) {
  const pregrad_reading defaults = PREGRAD_READING_INIT;
  return reading == nullptr ? defaults : read_struct(reading, "pregrad_reading");
}

Reading reading(const pregrad_reading* reading) {
  const pregrad_reading given = reading_of(reading);
  const auto text = [](const char* value) { return std::string(value == nullptr ? "" : value); };
  Reading result;
  result.output_name = text(given.output_name);
  result.at = at_named(text(given.at));
  result.mask = text(given.mask);
  if (truth(given.has_class_axis, "has_class_axis of pregrad_reading")) {
    result.class_axis = given.class_axis;
  }
  result.multi_label = truth(given.multi_label, "multi_label of pregrad_reading");
  return result;
}

Target target(pregrad_target target, std::int64_t index, const pregrad_reading* reading) {
  const std::int64_t minus = reading_of(reading).target_minus;
  if (target != PREGRAD_TARGET_INDEX && target != PREGRAD_TARGET_DIFFERENCE && index != 0) {
    throw ArgumentError("target_index is " + std::to_string(index) +
                        " but the target is neither PREGRAD_TARGET_INDEX nor _DIFFERENCE; set either");
  }
  if (target != PREGRAD_TARGET_DIFFERENCE && minus != 0) {
    throw ArgumentError("target_minus is " + std::to_string(minus) +
                        " but the target is not PREGRAD_TARGET_DIFFERENCE; set either");
  }
  switch (target) {
    case PREGRAD_TARGET_LABEL:
      return Target::label();
    case PREGRAD_TARGET_PREDICTED:
      return Target::predicted();
    case PREGRAD_TARGET_INDEX:
      return Target::index(index);
    case PREGRAD_TARGET_DIFFERENCE:
      return Target::difference(index, minus);
    case PREGRAD_TARGET_WEIGHTS:
      return Target::weights();
    default:
      throw ArgumentError("the target " + std::to_string(target) +
                          " is unknown; use PREGRAD_TARGET_LABEL, _PREDICTED, _INDEX, _DIFFERENCE or _WEIGHTS");
  }
}

Output output(pregrad_output output) {
  switch (output) {
    case PREGRAD_OUTPUT_LOGIT:
    case PREGRAD_OUTPUT_PROBABILITY:
    case PREGRAD_OUTPUT_LOG_PROBABILITY:
      return static_cast<Output>(output);
    default:
      throw ArgumentError("the output " + std::to_string(output) +
                          " is unknown; use PREGRAD_OUTPUT_LOGIT, _PROBABILITY or _LOG_PROBABILITY");
  }
}

Quadrature quadrature(pregrad_quadrature quadrature) {
  switch (quadrature) {
    case PREGRAD_QUADRATURE_GAUSS_LEGENDRE:
    case PREGRAD_QUADRATURE_TRAPEZOID:
    case PREGRAD_QUADRATURE_MIDPOINT:
      return static_cast<Quadrature>(quadrature);
    default:
      throw ArgumentError("the quadrature " + std::to_string(quadrature) +
                          " is unknown; use PREGRAD_QUADRATURE_GAUSS_LEGENDRE, _TRAPEZOID or _MIDPOINT");
  }
}

Baseline baseline(pregrad_baseline baseline) {
  switch (baseline) {
    case PREGRAD_BASELINE_ZERO:
    case PREGRAD_BASELINE_MEAN:
      return static_cast<Baseline>(baseline);
    default:
      throw ArgumentError("the baseline " + std::to_string(baseline) +
                          " is unknown; use PREGRAD_BASELINE_ZERO or _MEAN");
  }
}

Positions positions(pregrad_positions positions) {
  switch (positions) {
    case PREGRAD_POSITIONS_TOGETHER:
    case PREGRAD_POSITIONS_EACH:
      return static_cast<Positions>(positions);
    default:
      throw ArgumentError("the positions " + std::to_string(positions) +
                          " are unknown; use PREGRAD_POSITIONS_TOGETHER or _EACH");
  }
}

Removal removal(pregrad_removal removal) {
  switch (removal) {
    case PREGRAD_REMOVAL_ZERO:
    case PREGRAD_REMOVAL_ZERO_PREACTIVATION:
    case PREGRAD_REMOVAL_MEAN:
      return static_cast<Removal>(removal);
    default:
      throw ArgumentError("the removal " + std::to_string(removal) +
                          " is unknown; use PREGRAD_REMOVAL_ZERO, _ZERO_PREACTIVATION or _MEAN");
  }
}

}  // namespace

std::vector<std::string> layer_names(const char* const* names, std::size_t count, const char* what) {
  if (count > 0) {
    required(names, what);
  }
  std::vector<std::string> layers;
  layers.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    layers.emplace_back(&required(names[i], "a layer name"));
  }
  return layers;
}

Method method(pregrad_method method) {
  for (const Method known : all_methods) {
    if (static_cast<pregrad_method>(known) == method) {
      return known;
    }
  }
  throw ArgumentError("the method " + std::to_string(method) +
                      " is unknown; use PREGRAD_METHOD_GRADIENT or another constant");
}

Aggregate aggregate(pregrad_aggregate aggregate) {
  for (const Aggregate known : all_aggregates) {
    if (static_cast<pregrad_aggregate>(known) == aggregate) {
      return known;
    }
  }
  throw ArgumentError("the aggregate " + std::to_string(aggregate) +
                      " is unknown; use PREGRAD_AGGREGATE_MEAN or another constant");
}

AttributionOptions attribution_options(const pregrad_attribution_options* options) {
  const pregrad_attribution_options given = read_struct(options, "pregrad_attribution_options");
  AttributionOptions result;
  result.layers = layer_names(given.layers, given.layer_count, "layers of pregrad_attribution_options");
  if (given.method_count > 0) {
    required(given.methods, "methods of pregrad_attribution_options");
    result.methods.clear();
    std::transform(given.methods, given.methods + given.method_count, std::back_inserter(result.methods), method);
  }
  result.target = target(given.target, given.target_index, given.reading);
  result.reading = reading(given.reading);
  result.output = output(given.output);
  if (given.steps != 0) {
    result.steps = given.steps;
  }
  result.quadrature = quadrature(given.quadrature);
  result.baseline = baseline(given.baseline);
  result.removal = removal(given.removal);
  check_reserved(given.reserved, "pregrad_attribution_options");
  check_reserved(given.reserved_2, "pregrad_attribution_options");
  result.cuda_graphs = !truth(given.no_cuda_graphs, "no_cuda_graphs");
  result.seed = given.seed;
  check_reserved(given.reserved_3, "pregrad_attribution_options");
  result.positions = positions(given.positions);
  result.memory_limit = given.memory_limit;
  result.examples = given.examples;
  if (given.means != nullptr) {
    result.means = mean_activations(open(given.means).scores);
  }
  if (given.input_baseline_count > 0) {
    // The attribution keeps them for longer than the caller's memory is lent.
    const Inputs baselines = borrow(given.input_baselines, given.input_baseline_count);
    for (const NamedTensor& each : baselines) {
      result.input_baselines.push_back({each.name, each.tensor.clone()});
    }
  }
  check_reserved(given.reserved_4, "pregrad_attribution_options");
  result.of_z = truth(given.of_z, "of_z");
  if (given.reference_count > 0) {
    const Inputs references = borrow(given.references, given.reference_count);
    for (const NamedTensor& each : references) {
      result.references.push_back({each.name, each.tensor.clone(), each.is_shared});
    }
  }
  if (given.corrupt != nullptr) {
    result.corrupt = given.corrupt;
  }
  if (given.permutations != 0) {
    result.permutations = given.permutations;
  }
  if (given.shapley_error != 0) {
    result.shapley_error = given.shapley_error < 0 ? 0 : given.shapley_error;
  }
  return result;
}

AblationOptions ablation_options(const pregrad_ablation_options* options) {
  const pregrad_ablation_options given = read_struct(options, "pregrad_ablation_options");
  check_reserved(given.reserved, "pregrad_ablation_options");
  AblationOptions result;
  if (given.order_list_count > 0) {
    required(given.orders, "orders of pregrad_ablation_options");
  }
  for (std::size_t i = 0; i < given.order_list_count; ++i) {
    const std::vector<RemovalOrder>& orders = open(given.orders[i]);
    result.orders.insert(result.orders.end(), orders.begin(), orders.end());
  }
  result.removal = removal(given.removal);
  result.target = target(given.target, given.target_index, given.reading);
  result.reading = reading(given.reading);
  result.output = output(given.output);
  if (given.means != nullptr) {
    result.means = mean_activations(open(given.means).scores);
  }
  return result;
}

CheckOptions check_options(const pregrad_check_options* options) {
  const pregrad_check_options given = read_struct(options, "pregrad_check_options");
  CheckOptions result;
  result.layers = layer_names(given.layers, given.layer_count, "layers of pregrad_check_options");
  result.target = target(given.target, given.target_index, given.reading);
  result.reading = reading(given.reading);
  result.output = output(given.output);
  if (given.most_neurons != 0) {
    result.most_neurons = given.most_neurons;
  }
  return result;
}

c10::Device device(const pregrad_model_options* options) {
  if (options == nullptr) {
    return {c10::kCPU};
  }
  const pregrad_model_options given = read_struct(options, "pregrad_model_options");
  if (given.device == nullptr) {
    return {c10::kCPU};
  }
  try {
    const c10::Device parsed(given.device);
    if (parsed.is_cpu() || parsed.is_cuda()) {
      return parsed;
    }
  } catch (const c10::Error&) {
    // LibTorch's message lists devices that PreGrad does not know.
  }
  throw ArgumentError("the device '" + std::string(given.device) + "' is unknown; use cpu, cuda or cuda:N");
}

ModelOptions model_options(const pregrad_model_options* options) {
  ModelOptions result;
  if (options == nullptr) {
    return result;
  }
  const pregrad_model_options given = read_struct(options, "pregrad_model_options");
  check_reserved(given.reserved, "pregrad_model_options");
  result.trusted = truth(given.is_trusted, "is_trusted of pregrad_model_options");
  result.time_limit = std::chrono::milliseconds(given.time_limit_ms);
  return result;
}

}  // namespace pregrad::c_api
