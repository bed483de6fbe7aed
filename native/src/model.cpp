#include "pregrad/model.hpp"

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
#include "model/batch_checks.hpp"
#include "model/differentiation.hpp"
#include "model/model_implementation.hpp"
#include "model/output_differences.hpp"
#include "pregrad/error.hpp"
#include "readers/model_loader.hpp"
#include "readers/torchscript_reader.hpp"
#include "support/failures.hpp"
#include "support/own_state.hpp"
#include "support/tensors.hpp"

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

Model::Implementation::Implementation(graph::ModelGraph model)
    : model_(std::move(model)), untapped_(model_.tapped({})) {}

graph::Run Model::Implementation::run(const graph::TappedGraph& graph, const Inputs& inputs) const {
  const graph::ProductsInThisThread alone(graph.has_small_products(inputs));
  return guarded(inputs, [&] { return graph.run(model_.arguments(support::uploaded(inputs, model_.device()))); });
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

at::Tensor Model::Implementation::output_of(const c10::IValue& output) {
  if (output.isTensor() && output.toTensor().defined()) {
    return output.toTensor();
  }
  if (output.isTuple() && !output.toTupleRef().elements().empty() && output.toTupleRef().elements()[0].isTensor()) {
    return output.toTupleRef().elements()[0].toTensor();
  }
  throw UnsupportedModelError("the model returns " + output.type()->repr_str() +
                              ", not a tensor: wrap it in a module that returns its logits");
}

at::Tensor Model::Implementation::forward(const Inputs& inputs) const {
  const at::NoGradGuard no_gradients;
  return output_of(run(untapped_, inputs).output);
}

at::Tensor Model::Implementation::untouched_forward(const Inputs& inputs) const {
  return guarded(inputs, [&] {
    // What writes into its input must not write into the caller's memory. With gradients, as the graphs of this model
    // take those branches of its code that training takes.
    const auto run = [&](bool with_gradients) {
      const c10::AutoGradMode mode(with_gradients);
      const Inputs copy =
          support::uploaded(inputs, model_.device()).mapped([](const at::Tensor& tensor) { return tensor.clone(); });
      return output_of(model_.untouched().run(model_.arguments(copy))).detach();
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
                                                 const at::Tensor& expected, double size) const {
  const double difference = model::relative_difference(outputs, expected, size);
  const double rounding = model::rounding_of(model::coarser(expected.scalar_type(), model_.coarsest_type()));
  if (difference <= rounding) {
    return;
  }
  // A model that magnifies what it gets magnifies its rounding too.
  double magnified = 0;
  if (have_floats(inputs)) {
    const Inputs own = model::with_floats(inputs, model_.weight_type());
    magnified = model::relative_difference(untouched_forward(own.mapped(model::nudged)), untouched_forward(own), size);
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
  model::require_inputs(example, model_.weight_type());
  std::vector<graph::Tap> taps;
  for (const model::SelectedSite& selected : selection.sites) {
    taps.push_back({selected.site, {}, {}});
  }
  const at::NoGradGuard no_gradients;
  std::vector<Layer> layers;
  for (const graph::Execution& execution : run(model_.tapped(taps), example).executions) {
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

void Model::Implementation::require_independent_samples(const Inputs& inputs) const {
  if (is_independent_.load(std::memory_order_relaxed)) {
    return;
  }
  // Two copies of a single sample make a batch in which one can change without the other.
  Inputs batch = inputs.samples() == 1 ? inputs.copies(2) : inputs.slice(0, samples_compared);
  at::Tensor outputs;
  try {
    outputs = forward(batch);
  } catch (const InputError&) {
    if (inputs.samples() == 1) {
      return;  // the model takes one sample at a time
    }
    batch = inputs;
    outputs = forward(batch);
  }
  outputs = model::as_outputs(outputs, batch.samples());
  model::require_finite_outputs(outputs);
  if (!are_equal(outputs, forward(batch), 1)) {
    throw UnsupportedModelError("two runs on the same inputs give different outputs: remove what is random in forward");
  }
  require_untouched_outputs(batch, outputs);
  if (depends_on_others(batch, outputs)) {
    throw UnsupportedModelError(
        "the output of a sample changes with the other samples of its batch, so samples have no gradient of their own: "
        "use a model whose forward treats samples separately (batch statistics, or a mean over axis 0, do not)");
  }
  is_independent_.store(true, std::memory_order_relaxed);
}

bool Model::Implementation::depends_on_others(const Inputs& batch, const at::Tensor& outputs) const {
  const std::int64_t pairs = batch.samples() / 2;
  // Larger than any of the batch, smaller, and for numbers that stand for things just others.
  const auto replacement = [](const at::Tensor& even, double sign) {
    return at::isFloatingType(even.scalar_type()) ? even.abs() * (3 * sign) + sign : even.flip(-1);
  };
  for (const double sign : {1.0, -1.0}) {
    const Inputs other = batch.mapped([&](const at::Tensor& tensor) {
      at::Tensor changed = tensor.clone();
      changed.slice(0, 1, 2 * pairs, 2).copy_(replacement(tensor.slice(0, 0, 2 * pairs, 2), sign));
      return changed;
    });
    try {
      if (!are_equal(outputs, forward(other), 2)) {
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

Model::Model(std::shared_ptr<const Implementation> implementation) : implementation_(std::move(implementation)) {}

Model Model::load(const std::filesystem::path& file, c10::Device device) {
  const support::OwnState own_state;
  const c10::Device usable = support::usable_device(device);
  return support::on_device(usable,
                            [&] { return Model(std::make_shared<Implementation>(readers::load_model(file, usable))); });
}

Model Model::from(const torch::jit::Module& module, c10::Device device) {
  const support::OwnState own_state;
  const c10::Device usable = support::usable_device(device);
  return support::on_device(usable, [&] {
    return Model(std::make_shared<Implementation>(graph::ModelGraph(readers::read_module(module, usable), usable)));
  });
}

std::vector<Layer> Model::layers() const { return implementation_->layers(); }

std::vector<Layer> Model::layers(const at::Tensor& example) const { return layers(Inputs(example)); }

std::vector<Layer> Model::layers(const Inputs& example) const {
  const support::OwnState own_state;
  return support::on_device(device(), [&] { return implementation_->layers(support::without_inference(example)); });
}

std::vector<Layer> Model::layers(const at::Tensor& example, const std::vector<std::string>& names) const {
  return layers(Inputs(example), names);
}

std::vector<Layer> Model::layers(const Inputs& example, const std::vector<std::string>& names) const {
  const support::OwnState own_state;
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
    throw;
  }
}

at::Tensor Model::forward(const at::Tensor& inputs) const { return forward(Inputs(inputs)); }

at::Tensor Model::forward(const Inputs& inputs) const {
  const support::OwnState own_state;
  return support::on_device(device(), [&] {
    model::require_inputs(inputs, implementation_->model().weight_type());
    return implementation_->forward(support::without_inference(inputs));
  });
}

Attribution Model::attribution(const AttributionOptions& options) const {
  const support::OwnState own_state;
  return support::on_device(
      device(), [&] { return Attribution(std::make_shared<Attribution::Implementation>(implementation_, options)); });
}

Ablation Model::ablation(const AblationOptions& options) const {
  const support::OwnState own_state;
  return support::on_device(
      device(), [&] { return Ablation(std::make_shared<Ablation::Implementation>(implementation_, options)); });
}

Check Model::check(const CheckOptions& options) const {
  const support::OwnState own_state;
  return support::on_device(device(),
                            [&] { return Check(std::make_shared<Check::Implementation>(implementation_, options)); });
}

c10::Device Model::device() const { return implementation_->model().device(); }

}  // namespace pregrad
