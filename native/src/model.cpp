#include "pregrad/model.hpp"

#include <algorithm>
#include <cctype>
#include <iomanip>
#include <new>
#include <sstream>

#include <ATen/Functions.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/jit/api/module.h>

#include "ablation/ablation_implementation.hpp"
#include "attribution/attribution_implementation.hpp"
#include "check/check_implementation.hpp"
#include "graph/neuron_axis.hpp"
#include "graph/small_products.hpp"
#include "model/layer_selection.hpp"
#include "model/model_implementation.hpp"
#include "model/output_differences.hpp"
#include "model/output_reading.hpp"
#include "pregrad/error.hpp"
#include "readers/model_loader.hpp"
#include "support/failures.hpp"
#include "support/own_state.hpp"
#include "support/running_call.hpp"
#include "support/tensors.hpp"
#include "support/threads.hpp"

namespace pregrad {

namespace {

Layer described(const graph::LayerSite& site, std::int64_t call) {
  Layer layer;
  layer.name = site.name;
  layer.call = call;
  layer.op = site.op;
  layer.in_place = site.in_place;
  layer.pre_activation = site.pre_activation;
  layer.operators = site.operators;
  return layer;
}

/// `[8, 64] of type Float`, and with its name where it has one.
std::string shape_and_type(const Inputs& inputs) {
  std::string text;
  for (const NamedTensor& each : inputs) {
    text += (text.empty() ? "" : ", ") + (each.name.empty() ? "" : "'" + each.name + "' ") +
            support::shape_text(each.tensor.sizes()) + " of type " + c10::toString(each.tensor.scalar_type());
  }
  return text;
}

bool have_floats(const Inputs& inputs) {
  return std::any_of(inputs.begin(), inputs.end(),
                     [](const NamedTensor& each) { return at::isFloatingType(each.tensor.scalar_type()); });
}

/// What the caller can do about inputs that an operator of the model did not take.
std::string mend(const Inputs& inputs, std::optional<at::ScalarType> weight_type, const std::string& reason) {
  if (reason.find("boolean mask") != std::string::npos) {
    return "give the mask as booleans, in NumPy with mask.astype(bool)";
  }
  if (weight_type && !have_floats(inputs)) {
    return std::string("its weights are ") + c10::toString(*weight_type) +
           ", so convert the inputs, in NumPy with x.astype(" +
           (*weight_type == at::kDouble ? "np.float64)" : "np.float32)");
  }
  if (reason.find("dtype") != std::string::npos || reason.find("scalar type") != std::string::npos) {
    return "its forward mixes types: give inputs of the type that it takes, or cast inside it and save it again";
  }
  return "give [samples, ...] as its forward expects";
}

std::string text(double value) {
  std::ostringstream stream;
  stream << std::setprecision(2) << value;
  return stream.str();
}

constexpr std::int64_t samples_compared = 4;

/// Larger than any of the batch, smaller, and for numbers that stand for things just others.
at::Tensor replacement(const at::Tensor& samples, double sign) {
  return at::isFloatingType(samples.scalar_type()) ? samples.abs() * (3 * sign) + sign : samples.flip(-1);
}

/// The inputs with another sample in the place of one.
Inputs with_changed(const Inputs& inputs, std::int64_t sample) {
  return inputs.per_sample([&](const at::Tensor& tensor) {
    at::Tensor changed = tensor.clone();
    const bool is_floating = at::isFloatingType(tensor.scalar_type());
    const std::int64_t other = is_floating ? sample : (sample + 1) % tensor.size(0);
    // Of one number there is nothing to turn round.
    const at::Tensor from = tensor.slice(0, other, other + 1);
    changed.slice(0, sample, sample + 1).copy_(is_floating || tensor.dim() > 1 ? replacement(from, 1) : from);
    return changed;
  });
}

at::Tensor is_changed(const at::Tensor& before, const at::Tensor& after) {
  return before.ne(after).logical_and(before.isnan().logical_and(after.isnan()).logical_not()).cpu();
}

/// What an output's arrangement is remembered under.
std::string output_key(const std::string& name) { return ":output " + name; }

bool is_half(at::ScalarType type) { return type == at::kHalf || type == at::kBFloat16; }

/// Whether every `step`-th sample has the same outputs in both.
bool are_equal(const at::Tensor& left, const at::Tensor& right, std::int64_t step) {
  if (left.numel() != right.numel()) {
    return false;
  }
  const at::Tensor expected = left.detach().slice(0, 0, left.size(0), step).to(at::kDouble);
  const at::Tensor seen = right.detach().reshape(left.sizes()).slice(0, 0, left.size(0), step).to(at::kDouble);
  constexpr std::int64_t half_precision = 2;
  const double tolerance = left.element_size() <= half_precision ? 1e-2 : 1e-5;
  return at::allclose(seen, expected, 0, tolerance * expected.abs().max().item<double>(), /*equal_nan=*/true);
}

}  // namespace

Model::Implementation::Implementation(graph::ModelGraph model, std::shared_ptr<support::CallLimits> limits)
    : model_(std::move(model)), limits_(std::move(limits)), untapped_(model_.tapped({})) {}

graph::Run Model::Implementation::run(const graph::TappedGraph& graph, const Inputs& inputs,
                                      const graph::Editor* editor) const {
  support::RunningCall::go_on();
  const graph::ProductsInThisThread alone(graph.has_small_products(inputs));
  return guarded(inputs,
                 [&] { return graph.run(model_.arguments(support::uploaded(inputs, model_.device())), editor); });
}

void Model::Implementation::rethrow_for(const Inputs& inputs) const {
  try {
    throw;
  } catch (const Error&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    // What a device has no memory for may still fit in part, which a caller finds out who knows how to take it apart;
    // whatever else a device does is no fault of the inputs either.
    if (support::device_failure(error) != support::DeviceFailure::none) {
      throw;
    }
    const std::string reason = support::first_sentence(error);
    switch (support::run_failure(error)) {
      case support::RunFailure::divided:
        throw ModelError(reason);
      case support::RunFailure::raised:
        throw InputError("the model's own code refuses inputs " + shape_and_type(inputs) + ": " + reason +
                         "; give inputs that its forward accepts");
      case support::RunFailure::not_implemented:
        throw UnsupportedModelError("LibTorch cannot run this model on device " + model_.device().str() + ": " +
                                    reason + "; use another device or type, or replace that operator in the model");
      case support::RunFailure::not_recorded:
        throw UnsupportedModelError("LibTorch cannot differentiate this model: " + reason +
                                    "; check that the same model trains in PyTorch");
      case support::RunFailure::operators:
        throw InputError("the model cannot take inputs " + shape_and_type(inputs) + ": " + reason + "; " +
                         mend(inputs, model_.weight_type(), reason));
    }
    throw;
  }
}

Inputs Model::Implementation::accepted(const Inputs& given, const std::string& mask) const {
  const bool is_mask_alone = !mask.empty() && model_.arguments().of(mask) == nullptr;
  const Inputs inputs = is_mask_alone ? given.without(mask) : given;
  if (inputs.size() == 0) {
    throw InputError("the inputs are empty: give at least one sample");
  }
  model_.arguments().require_names(inputs);
  const NamedTensor* first = nullptr;
  for (const NamedTensor& each : inputs) {
    if (!each.tensor.defined() || (!each.is_shared && each.tensor.dim() == 0) || each.tensor.numel() == 0) {
      throw InputError("the inputs" + (each.name.empty() ? "" : " '" + each.name + "'") +
                       " are empty: give at least one sample");
    }
    if (each.tensor.layout() != at::kStrided) {
      throw InputError("the inputs" + (each.name.empty() ? "" : " '" + each.name + "'") + " are not dense (" +
                       c10::str(each.tensor.layout()) + "): give x.to_dense()");
    }
    if (each.is_shared) {
      continue;
    }
    first = first == nullptr ? &each : first;
    if (each.tensor.size(0) != first->tensor.size(0)) {
      throw InputError("there are " + std::to_string(first->tensor.size(0)) + " samples of '" + first->name + "' and " +
                       std::to_string(each.tensor.size(0)) + " of '" + each.name +
                       "': give one of each per sample, or share what is the same for all");
    }
  }
  std::size_t changed = 0;
  c10::SmallVector<at::Tensor, 1> all;
  for (const NamedTensor& each : inputs) {
    all.push_back(converted(each));
    changed += all.back().is_same(each.tensor) ? 0 : 1;
  }
  // Forward may want float32 of a model of 16 bits: then it is what it gets.
  if (changed == 0 || takes_single_precision(inputs)) {
    return inputs;
  }
  std::size_t next = 0;
  return inputs.mapped([&](const at::Tensor&) { return all[next++]; });
}

c10::IValue Model::Implementation::returned(const Inputs& inputs) const {
  const at::NoGradGuard no_gradients;
  return run(untapped_, inputs).output;
}

at::Tensor Model::Implementation::forward(const Inputs& inputs, const std::string& name) const {
  return output_of(returned(inputs), name, inputs.samples());
}

NamedTensor Model::Implementation::chosen(const c10::IValue& returned, const std::string& name) const {
  if (name.empty() && returned.isTensor() && returned.toTensor().defined()) {
    return {model_.name_of_only_output(), returned.toTensor()};
  }
  const std::vector<NamedTensor> outputs = model_.outputs(returned);
  if (outputs.empty()) {
    throw UnsupportedModelError("the model returns " + returned.type()->repr_str() +
                                ", and no tensor in it: wrap it in a module that returns its logits");
  }
  std::vector<std::string> names;
  for (const NamedTensor& each : outputs) {
    if (each.name == name) {
      return each;
    }
    names.push_back(each.name);
  }
  if (name.empty()) {
    const auto logits = std::find(names.begin(), names.end(), "logits");
    // A tuple's elements have numbers for names, and the first is the one that counts.
    const bool has_first = outputs.size() == 1 || names.front().empty() || std::isdigit(names.front().front()) != 0;
    if (logits != names.end() || has_first) {
      return outputs[logits != names.end() ? static_cast<std::size_t>(logits - names.begin()) : 0];
    }
  }
  throw ArgumentError((name.empty() ? "the model returns several outputs: choose one of "
                                    : "the model has no output '" + name + "': choose one of ") +
                      (outputs.size() == 1 && names.front().empty() ? "one without a name" : support::quoted(names)));
}

at::Tensor Model::Implementation::output_of(const c10::IValue& returned, const std::string& name,
                                            std::int64_t samples) const {
  at::Tensor output = chosen(returned, name).tensor;
  if (const auto arrangement = output_arrangement(name)) {
    const at::Tensor arranged = arrangement->arranged(output, samples);
    return arranged.defined() ? arranged : output;  // whoever looks at its shape refuses it
  }
  return output;
}

std::optional<std::int64_t> Model::Implementation::class_axis(const NamedTensor& chosen) const {
  const auto known = model_.class_axes().find(chosen.name);
  if (known == model_.class_axes().end()) {
    return std::nullopt;
  }
  const std::int64_t rank = chosen.tensor.dim();
  const std::int64_t axis = graph::resolve_neuron_axis(known->second, rank);
  return axis < 0 || axis >= rank ? std::nullopt : std::optional(axis);
}

std::optional<model::Arrangement> Model::Implementation::output_arrangement(const std::string& name) const {
  return arrangement_of(output_key(name), 0);
}

at::Tensor Model::Implementation::untouched_forward(const Inputs& inputs, const std::string& name) const {
  return guarded(inputs, [&] {
    // What writes into its input must not write into the caller's memory. With gradients, as the graphs of this model
    // take those branches of its code that training takes.
    const auto run = [&](bool with_gradients) {
      const c10::AutoGradMode mode(with_gradients);
      const Inputs copy =
          support::uploaded(inputs, model_.device()).mapped([](const at::Tensor& tensor) { return tensor.clone(); });
      return output_of(model_.untouched().run(model_.arguments(copy)), name, inputs.samples()).detach();
    };
    try {
      return run(true);
    } catch (const std::exception& error) {
      if (support::run_failure(error) != support::RunFailure::not_recorded) {
        throw;
      }
    }
    return run(false);
  });
}

void Model::Implementation::require_same_outputs(const Inputs& inputs, const at::Tensor& outputs,
                                                 const at::Tensor& expected, double size,
                                                 const std::string& name) const {
  const double difference = model::relative_difference(outputs, expected, size);
  const double rounding = model::rounding_of(model::coarser(expected.scalar_type(), model_.coarsest_type()));
  if (difference <= rounding) {
    return;
  }
  // A model that magnifies what it gets magnifies its rounding too.
  double magnified = 0;
  if (have_floats(inputs)) {
    const Inputs own = model::with_floats(inputs, model_.weight_type());
    magnified = model::relative_difference(untouched_forward(own.mapped(model::nudged), name),
                                           untouched_forward(own, name), size);
  }
  constexpr double operators_in_a_row = 256;
  if (difference <= operators_in_a_row * magnified) {
    return;
  }
  throw UnsupportedModelError(
      "the model gives other outputs when PreGrad runs it than it gives by itself: they differ by " + text(difference) +
      " of the largest output, where rounding makes " + text(rounding) +
      " at most, so something in its forward would be lost: save it in another form (torch.export.save, "
      "torch.jit.script or torch.jit.trace)");
}

std::vector<Layer> Model::Implementation::layers() const {
  std::vector<Layer> layers;
  std::map<std::string, std::int64_t> calls;
  for (const graph::LayerSite& site : model_.sites().activations) {
    layers.push_back(described(site, site.call.value_or(calls[site.name])));
    ++calls[site.name];
  }
  return layers;
}

std::vector<Layer> Model::Implementation::layers(const Inputs& example) const {
  model::LayerSelection every;
  for (const graph::LayerSite& site : model_.sites().activations) {
    every.sites.push_back({&site, 0, {}, true});
  }
  return layers_of(example, every);
}

std::vector<Layer> Model::Implementation::layers(const Inputs& example, const std::vector<std::string>& names) const {
  return layers_of(example, model::select_layers(model_.sites(), names));
}

std::vector<Layer> Model::Implementation::layers_of(const Inputs& example,
                                                    const model::LayerSelection& selection) const {
  const Inputs inputs = accepted(example);
  std::vector<graph::Tap> taps;
  for (const model::SelectedSite& selected : selection.sites) {
    taps.push_back({selected.site, {}, {}});
  }
  const at::NoGradGuard no_gradients;
  std::vector<Layer> layers;
  const std::vector<graph::Execution> executions = run(model_.tapped(taps), inputs).executions;
  for (std::size_t i = 0; i < selection.sites.size(); ++i) {
    const graph::LayerSite& site = *selection.sites[i].site;
    const bool has_run = std::any_of(executions.begin(), executions.end(),
                                     [&](const graph::Execution& execution) { return execution.site == i; });
    if (site.graph_input && selection.sites[i].is_named && !has_run) {
      throw LayerError("'" + site.name +
                       "' is no layer of these inputs: it was left out, or holds no floating-point values and enters "
                       "no embedding; name another layer");
    }
  }
  for (const graph::Execution& execution : executions) {
    const model::SelectedSite& selected = selection.sites[execution.site];
    Layer layer = described(*selected.site, selected.site->call.value_or(execution.call));
    if (!selected.wants(layer.call)) {
      continue;
    }
    layer.shape = execution.z.shape;
    const auto rank = static_cast<std::int64_t>(layer.shape.size());
    if (rank > 1) {
      layer.neuron_axis = graph::resolve_neuron_axis(selected.site->neuron_axis, rank);
      layer.neurons = layer.shape.at(static_cast<std::size_t>(layer.neuron_axis));
    }
    layers.push_back(std::move(layer));
  }
  return layers;
}

void Model::Implementation::require_independent_samples(const Inputs& inputs, const std::string& name) const {
  if (name.empty() && is_independent_.load(std::memory_order_relaxed)) {
    return;
  }
  if (!name.empty()) {
    const std::lock_guard lock(mutex_);
    if (independent_outputs_.count(name) != 0) {
      return;
    }
  }
  // Two copies of a single sample make a batch in which one can change without the other.
  Inputs batch = inputs.samples() == 1 ? inputs.copies(2) : inputs.slice(0, samples_compared);
  at::Tensor output;
  try {
    output = forward(batch, name);
  } catch (const InputError&) {
    if (inputs.samples() == 1) {
      return;  // the model takes one sample at a time
    }
    batch = inputs;
    output = forward(batch, name);
  }
  const auto is_per_sample = [&] {
    return output.dim() > 0 && output.size(0) == batch.samples() && output.numel() > 0;
  };
  const bool is_plain = is_per_sample();
  if (!is_plain) {
    learn_output_arrangement(batch, name);
    output = forward(batch, name);
  }
  if (!is_per_sample() || !at::isFloatingType(output.scalar_type())) {
    static_cast<void>(model::plain_rows(output, batch.samples()));  // says what is wrong
  }
  model::require_finite_outputs({output, 1, false});
  if (!are_equal(output, forward(batch, name), 1)) {
    throw UnsupportedModelError("two runs on the same inputs give different outputs: remove what is random in forward");
  }
  require_untouched_outputs(batch, output, name);
  bool depends = depends_on_others(batch, output, name);
  if (depends && is_plain) {
    // Another axis may have happened to be as long as the batch.
    learn_output_arrangement(batch, name);
    if (output_arrangement(name)) {
      output = forward(batch, name);
      depends = !is_per_sample() || depends_on_others(batch, output, name);
    }
  }
  if (depends) {
    throw UnsupportedModelError(
        "the output of a sample changes with the other samples of its batch, so samples have no gradient of their own: "
        "use a model whose forward treats samples separately (batch statistics, or a mean over axis 0, do not)" +
        std::string(inputs.size() > 1 ? ", and share inputs that have no batch axis (--shared)" : ""));
  }
  if (name.empty()) {
    is_independent_.store(true, std::memory_order_relaxed);
  } else {
    const std::lock_guard lock(mutex_);
    independent_outputs_.insert(name);
  }
}

bool Model::Implementation::depends_on_others(const Inputs& batch, const at::Tensor& output,
                                              const std::string& name) const {
  const std::int64_t pairs = batch.samples() / 2;
  for (const double sign : {1.0, -1.0}) {
    const Inputs other = batch.per_sample([&](const at::Tensor& tensor) {
      at::Tensor changed = tensor.clone();
      changed.slice(0, 1, 2 * pairs, 2).copy_(replacement(tensor.slice(0, 0, 2 * pairs, 2), sign));
      return changed;
    });
    try {
      if (!are_equal(output, forward(other, name), 2)) {
        return true;
      }
    } catch (const InputError&) {
      // The model does not take such values.
    }
    if (!have_floats(batch)) {
      break;  // the other sign gives the same batch
    }
  }
  return false;
}

void Model::Implementation::remember(const std::string& layer, std::int64_t call,
                                     const model::Arrangement& arrangement) const {
  const std::lock_guard lock(mutex_);
  arrangements_[{layer, call}] = arrangement;
  has_arrangements_.store(true, std::memory_order_release);
}

std::optional<model::Arrangement> Model::Implementation::arrangement_of(const std::string& layer,
                                                                        std::int64_t call) const {
  if (!has_arrangements_.load(std::memory_order_acquire)) {
    return std::nullopt;
  }
  const std::lock_guard lock(mutex_);
  const auto known = arrangements_.find({layer, call});
  return known == arrangements_.end() ? std::nullopt : std::optional(known->second);
}

void Model::Implementation::adopt_arrangements(const Implementation& other) {
  const std::scoped_lock lock(mutex_, other.mutex_);
  arrangements_ = other.arrangements_;
  has_arrangements_.store(!arrangements_.empty(), std::memory_order_release);
}

void Model::Implementation::arrange(std::vector<model::LayerBatch>& layers, std::int64_t samples) const {
  for (model::LayerBatch& layer : layers) {
    if (const auto arrangement = arrangement_of(layer.name, layer.call)) {
      layer.arrange(*arrangement, samples);
    }
    model::require_batch_first(layer, samples);
  }
}

void Model::Implementation::learn_output_arrangement(const Inputs& batch, const std::string& name) const {
  const auto output_for = [&](const Inputs& inputs) { return chosen(returned(inputs), name).tensor; };
  const at::Tensor before = output_for(batch);
  std::vector<at::Tensor> changed;
  for (std::int64_t sample = 0; sample < batch.samples(); ++sample) {
    const at::Tensor after = output_for(with_changed(batch, sample));
    if (after.sizes() != before.sizes()) {
      return;
    }
    changed.push_back(is_changed(before, after));
  }
  if (const auto found = model::arrangement_of(changed, std::nullopt)) {
    remember(output_key(name), 0, *found);
  }
}

void Model::Implementation::require_arrangements(const model::LayerSelection& selection, const Inputs& inputs) const {
  const graph::TappedGraph graph = model_.tapped(model::taps_of(selection, {}));
  const auto are_batch_first = [&](const Inputs& some) {
    const at::NoGradGuard no_gradients;
    return model::have_batch_first(model::selected_layers(selection, run(graph, some).executions), some.samples());
  };
  bool is_plain = true;
  try {
    is_plain = are_batch_first(model::of_other_size(inputs));
  } catch (const InputError&) {
    is_plain = are_batch_first(inputs);  // the model takes batches of one size only
  }
  if (!is_plain) {
    learn_arrangements(selection, inputs);
  }
}

void Model::Implementation::learn_arrangements(const model::LayerSelection& selection, const Inputs& inputs) const {
  const graph::TappedGraph graph = model_.tapped(model::taps_of(selection, {{true, false}, {}}));
  const auto layers_for = [&](const Inputs& some) {
    const at::NoGradGuard no_gradients;
    return model::selected_layers(selection, run(graph, some).executions);
  };
  // An odd number is less often the size of something else.
  constexpr std::int64_t few = 3;
  Inputs some = inputs.samples() == 1 ? inputs.copies(2) : inputs.slice(0, few);
  std::vector<model::LayerBatch> before;
  try {
    before = layers_for(some);
  } catch (const InputError&) {
    some = inputs;  // the model takes batches of one size only
    before = layers_for(some);
  }
  const std::int64_t samples = some.samples();
  std::vector<std::vector<model::LayerBatch>> after;
  for (std::int64_t sample = 0; sample < samples && samples > 1; ++sample) {
    after.push_back(layers_for(with_changed(some, sample)));
  }
  for (std::size_t i = 0; i < before.size(); ++i) {
    const model::LayerBatch& layer = before[i];
    const at::Tensor& z = layer.z.value;
    const bool runs_alike = std::all_of(after.begin(), after.end(), [&](const std::vector<model::LayerBatch>& layers) {
      return layers.size() == before.size() && layers[i].z.value.sizes() == z.sizes();
    });
    if (samples == 1 && !model::has_batch_first(layer, 1)) {
      remember(layer.name, layer.call, {0, false, true});
    }
    if (!runs_alike || after.empty()) {
      continue;
    }
    std::vector<at::Tensor> changed;
    changed.reserve(after.size());
    for (const std::vector<model::LayerBatch>& layers : after) {
      changed.push_back(is_changed(z, layers[i].z.value));
    }
    const auto axis =
        z.dim() > 1 ? std::optional(graph::resolve_neuron_axis(layer.neuron_axis, z.dim())) : std::nullopt;
    const auto found = model::arrangement_of(changed, axis);
    const bool is_plain = found && found->axis == 0 && z.size(0) == samples;
    if (found && !is_plain) {
      remember(layer.name, layer.call, *found);
    }
  }
}

at::Tensor Model::Implementation::converted(const NamedTensor& input) const {
  const at::Tensor& tensor = input.tensor;
  const at::ScalarType given = tensor.scalar_type();
  const graph::ForwardArgument* argument = model_.arguments().of(input.name);
  const auto named = [&](const std::string& text) {
    return text + (input.name.empty() || model_.arguments().all().size() == 1 ? "" : " '" + input.name + "'");
  };
  const bool is_told = argument != nullptr && argument->expected;
  if (is_told && at::isFloatingType(given) != at::isFloatingType(argument->expected->type)) {
    throw InputError(named("the inputs") + " have type " + c10::toString(given) + ", and the model was exported for " +
                     c10::toString(argument->expected->type) + ": convert them, in NumPy with " +
                     (at::isFloatingType(argument->expected->type) ? "x.astype(np.float32)" : "x.astype(np.int64)"));
  }
  if (at::isFloatingType(given)) {
    const auto wanted = is_told ? std::optional(argument->expected->type) : model_.weight_type();
    if (const auto sample = support::first_sample_not_finite(tensor)) {
      throw InputError(input.is_shared ? named("the shared input") + " holds NaN or infinity: repair it"
                                       : named("the inputs") + " of sample " + std::to_string(*sample) +
                                             " hold NaN or infinity: remove or repair that sample");
    }
    if (!wanted || *wanted == given) {
      return tensor;
    }
    const bool is_taken = (is_half(*wanted) && given == at::kFloat) || (is_half(given) && *wanted == at::kFloat);
    if (!is_taken) {
      throw InputError(named("the inputs") + " have type " + c10::toString(given) +
                       (is_told ? ", and the model was exported for " : ", the model's weights ") +
                       c10::toString(*wanted) + ": convert the inputs, in NumPy with x.astype(" +
                       (*wanted == at::kDouble ? "np.float64)" : "np.float32)"));
    }
    return tensor.to(*wanted);
  }
  if (!is_told || given == argument->expected->type) {
    return tensor;
  }
  const at::Tensor result = tensor.to(argument->expected->type);
  if (!result.to(given).equal(tensor)) {
    throw InputError(named("the inputs") + " have type " + c10::toString(given) + ", the model was exported for " +
                     c10::toString(argument->expected->type) + ", and not all of their values are such: convert them");
  }
  return result;
}

bool Model::Implementation::takes_single_precision(const Inputs& inputs) const {
  const auto has_single = std::any_of(inputs.begin(), inputs.end(), [&](const NamedTensor& each) {
    const graph::ForwardArgument* argument = model_.arguments().of(each.name);
    return each.tensor.scalar_type() == at::kFloat && argument != nullptr && !argument->expected;
  });
  if (!has_single || !model_.weight_type() || !is_half(*model_.weight_type())) {
    return false;
  }
  if (takes_single_precision_.load(std::memory_order_relaxed) < 0) {
    int takes = 1;
    try {
      static_cast<void>(returned(inputs));
    } catch (const InputError&) {
      takes = 0;
    }
    takes_single_precision_.store(takes, std::memory_order_relaxed);
  }
  return takes_single_precision_.load(std::memory_order_relaxed) == 1;
}

Model::Model(std::shared_ptr<const Implementation> implementation) : implementation_(std::move(implementation)) {}

namespace {

/// The implementation of what `read` gives, which is read, and one day destroyed, on a deep stack.
template <typename Read>
std::shared_ptr<Model::Implementation> implementation_of(c10::Device device,
                                                         const std::shared_ptr<support::CallLimits>& limits,
                                                         const Read& read) {
  return support::on_deep_stack(device, [&] {
    return std::shared_ptr<Model::Implementation>(new Model::Implementation(read(), limits),
                                                  support::DeepDeleter<Model::Implementation>{device});
  });
}

}  // namespace

Model Model::load(const std::filesystem::path& file, c10::Device device) { return load(file, device, ModelOptions()); }

Model Model::load(const std::filesystem::path& file, c10::Device device, const ModelOptions& options) {
  if (options.time_limit.count() < 0) {
    throw ArgumentError("the time limit is " + std::to_string(options.time_limit.count()) +
                        " ms: give a positive one, or 0 for none");
  }
  const support::OwnState own_state;
  const auto limits = std::make_shared<support::CallLimits>(options.time_limit);
  const support::RunningCall call(*limits);
  const c10::Device usable = support::usable_device(device);
  return support::on_device(usable, [&] {
    return Model(implementation_of(usable, limits, [&] { return readers::load_model(file, usable, options.trusted); }));
  });
}

Model Model::from(const torch::jit::Module& module, c10::Device device) {
  const support::OwnState own_state;
  const auto limits = std::make_shared<support::CallLimits>();
  const support::RunningCall call(*limits);
  const c10::Device usable = support::usable_device(device);
  return support::on_device(usable, [&] {
    return Model(implementation_of(usable, limits,
                                   [&] { return graph::ModelGraph(readers::read_module(module, usable), usable); }));
  });
}

void Model::cancel() const { implementation_->limits()->cancel(); }

std::vector<Layer> Model::layers() const { return implementation_->layers(); }

std::vector<Layer> Model::layers(const at::Tensor& example) const { return layers(Inputs(example)); }

std::vector<Layer> Model::layers(const Inputs& example) const {
  const support::OwnState own_state;
  const support::RunningCall call(*implementation_->limits());
  return support::on_device(device(), [&] { return implementation_->layers(support::without_inference(example)); });
}

std::vector<Layer> Model::layers(const at::Tensor& example, const std::vector<std::string>& names) const {
  return layers(Inputs(example), names);
}

std::vector<Layer> Model::layers(const Inputs& example, const std::vector<std::string>& names) const {
  const support::OwnState own_state;
  const support::RunningCall call(*implementation_->limits());
  return support::on_device(device(),
                            [&] { return implementation_->layers(support::without_inference(example), names); });
}

std::vector<Layer> Model::layers(const std::vector<std::int64_t>& input_shape) const {
  return layers(implementation_->zeros(input_shape));
}

std::vector<Layer> Model::layers(const std::vector<std::int64_t>& input_shape,
                                 const std::vector<std::string>& names) const {
  return layers(implementation_->zeros(input_shape), names);
}

at::Tensor Model::Implementation::zeros(const std::vector<std::int64_t>& input_shape) const {
  for (const std::int64_t size : input_shape) {
    if (size < 1) {
      throw InputError("the input shape " + support::shape_text(input_shape) + " has the size " + std::to_string(size) +
                       ": give positive sizes, such as 1 for the batch");
    }
  }
  try {
    return at::zeros(input_shape, model_.weight_type().value_or(at::kFloat));
  } catch (const std::exception& error) {
    if (support::is_out_of_memory(error)) {
      throw std::bad_alloc();  // no batch of anybody's that smaller ones could replace
    }
    throw InputError("there is no input of the shape " + support::shape_text(input_shape) + " (" +
                     support::first_sentence(error) + "): give smaller sizes");
  }
}

at::Tensor Model::forward(const at::Tensor& inputs) const { return forward(Inputs(inputs)); }

at::Tensor Model::forward(const Inputs& inputs) const {
  const support::OwnState own_state;
  const support::RunningCall call(*implementation_->limits());
  return support::on_device(device(), [&] {
    const Inputs accepted = implementation_->accepted(support::without_inference(inputs));
    return implementation_->chosen(implementation_->returned(accepted), "").tensor;
  });
}

std::vector<NamedTensor> Model::outputs(const Inputs& inputs) const {
  const support::OwnState own_state;
  const support::RunningCall call(*implementation_->limits());
  return support::on_device(device(), [&] {
    return implementation_->outputs(implementation_->accepted(support::without_inference(inputs)));
  });
}

std::vector<ModelInput> Model::inputs() const {
  std::vector<ModelInput> inputs;
  for (const graph::ForwardArgument& argument : implementation_->model().arguments().all()) {
    for (const std::string& name : graph::input_names(argument)) {
      ModelInput input;
      input.name = name;
      input.is_optional = argument.fallback.has_value();
      if (argument.expected) {
        input.type = argument.expected->type;
        for (const graph::ExpectedInput::Axis& axis : argument.expected->axes) {
          input.shape.push_back(axis.size.value_or(-1));
        }
      }
      inputs.push_back(std::move(input));
    }
  }
  return inputs;
}

Attribution Model::attribution(const AttributionOptions& options) const {
  const support::OwnState own_state;
  const support::RunningCall call(*implementation_->limits());
  return support::on_device(
      device(), [&] { return Attribution(std::make_shared<Attribution::Implementation>(implementation_, options)); });
}

Ablation Model::ablation(const AblationOptions& options) const {
  const support::OwnState own_state;
  const support::RunningCall call(*implementation_->limits());
  return support::on_device(
      device(), [&] { return Ablation(std::make_shared<Ablation::Implementation>(implementation_, options)); });
}

Check Model::check(const CheckOptions& options) const {
  const support::OwnState own_state;
  const support::RunningCall call(*implementation_->limits());
  return support::on_device(device(),
                            [&] { return Check(std::make_shared<Check::Implementation>(implementation_, options)); });
}

Model Model::randomised(std::uint64_t seed) const {
  const support::OwnState own_state;
  const support::RunningCall call(*implementation_->limits());
  return support::on_device(device(), [&] {
    // What cancels this model's calls is no matter of the other's.
    const auto limits = std::make_shared<support::CallLimits>(implementation_->limits()->time_limit());
    return Model(implementation_of(device(), limits, [&] { return implementation_->model().randomised(seed); }));
  });
}

c10::Device Model::device() const { return implementation_->model().device(); }

}  // namespace pregrad
