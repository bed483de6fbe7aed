#include <algorithm>
#include <cmath>
#include <fstream>
#include <iomanip>
#include <limits>
#include <numeric>
#include <set>
#include <sstream>

#include <ATen/Functions.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/jit/ir/alias_analysis.h>
#include <torch/csrc/jit/ir/constants.h>
#include <nlohmann/json.hpp>

#include "graph/graph_checks.hpp"
#include "graph/neuron_axis.hpp"
#include "graph/tap_insertion.hpp"
#include "model/output_differences.hpp"
#include "pregrad/error.hpp"
#include "pregrad/model.hpp"
#include "pregrad/scores.hpp"
#include "pruning/pruning_implementation.hpp"
#include "readers/pt2/exported_reader.hpp"
#include "statistics/layer_reference.hpp"
#include "support/failures.hpp"
#include "support/own_state.hpp"
#include "support/running_call.hpp"
#include "support/tensors.hpp"
#include "support/threads.hpp"

namespace pregrad::pruning {

namespace {

using torch::jit::Node;
using torch::jit::Value;

/// How much outputs may differ, relative to the largest.
constexpr double tolerance = 1e-5;

std::string id_of(const PrunedNeurons& layer) { return statistics::to_string(layer.layer, layer.call); }

std::vector<PrunedNeurons> layers_of(const PruningOptions& options) {
  if (options.neurons.empty() == options.scores.empty()) {
    throw ArgumentError(options.neurons.empty() ? "nothing says which neurons go: give neurons or scores"
                                                : "both neurons and scores are given: give one of them");
  }
  std::vector<PrunedNeurons> layers = options.neurons;
  for (const NeuronConstants& scores : options.scores) {
    layers.push_back({scores.layer, scores.call, {}, 0});
  }
  std::set<std::string> known;
  for (PrunedNeurons& layer : layers) {
    std::sort(layer.neurons.begin(), layer.neurons.end());
    if (!known.insert(id_of(layer)).second) {
      throw ArgumentError("layer '" + id_of(layer) + "' is given twice: give it once");
    }
    if (std::adjacent_find(layer.neurons.begin(), layer.neurons.end()) != layer.neurons.end()) {
      throw ArgumentError("a neuron of layer '" + id_of(layer) + "' is given twice: give each once");
    }
  }
  if (options.neurons.empty() && options.keep < 0 && !(options.share > 0 && options.share < 1)) {
    throw ArgumentError("the share of neurons that goes is " + std::to_string(options.share) +
                        ": give one between 0 and 1");
  }
  return layers;
}

model::LayerSelection selection_of(const graph::LayerSites& sites, const std::vector<PrunedNeurons>& layers) {
  std::vector<std::string> names;
  names.reserve(layers.size());
  for (const PrunedNeurons& layer : layers) {
    names.push_back(id_of(layer));
  }
  return model::select_layers(sites, names);
}

bool edits_activation(const graph::LayerSite& site) { return site.is_activation; }

std::vector<graph::Tap> zeroing_taps(const model::LayerSelection& selection) {
  std::vector<graph::Tap> taps;
  for (const model::SelectedSite& selected : selection.sites) {
    graph::Tap tap;
    tap.site = selected.site;
    (edits_activation(*selected.site) ? tap.edits_a : tap.edits_z) = true;
    taps.push_back(tap);
  }
  return taps;
}

std::int64_t axis_in(const graph::LayerSite& site, const at::Tensor& value) {
  return value.dim() == 1 ? 0 : graph::resolve_neuron_axis(site.neuron_axis, value.dim());
}

/// 0 at the neurons that go and 1 elsewhere, in a shape that spreads over the layer's tensor.
at::Tensor zeros_at(const std::vector<std::int64_t>& neurons, const at::Tensor& value, std::int64_t axis) {
  at::Tensor factors = at::ones({value.size(axis)}, value.options().requires_grad(false));
  if (!neurons.empty()) {
    factors.index_fill_(0, at::tensor(neurons, factors.options().dtype(at::kLong)), 0);
  }
  std::vector<std::int64_t> shape(static_cast<std::size_t>(value.dim()), 1);
  shape[static_cast<std::size_t>(axis)] = value.size(axis);
  return factors.reshape(shape);
}

std::string number(double value) {
  std::ostringstream stream;
  stream << std::setprecision(2) << value;
  return stream.str();
}

/// A few samples, an odd number of them, which is less often the size of something else.
Inputs few_of(const Inputs& inputs) {
  constexpr std::int64_t few = 3;
  return inputs.samples() == 1 ? inputs.copies(2) : inputs.slice(0, std::min(few, inputs.samples()));
}

std::int64_t count_right(const model::OutputRows& outputs, const at::Tensor& labels) {
  const at::Tensor on_device = labels.to(outputs.values.device());
  const at::Tensor values = outputs.values;
  const bool is_sigmoid = outputs.is_sigmoid && !outputs.is_binary;
  const at::Tensor is_right = values.size(1) == 1 ? values.select(1, 0).gt(0).to(at::kLong).eq(on_device)
                              : is_sigmoid        ? values.gather(1, on_device.unsqueeze(1)).squeeze(1).gt(0)
                                                  : values.argmax(1).eq(on_device);
  return is_right.sum().item<std::int64_t>();
}

/// What safetensors calls the types.
const char* type_name(const graph::StateTensor& state) {
  switch (state.tensor.scalar_type()) {
    case at::kDouble:
      return "F64";
    case at::kFloat:
      return "F32";
    case at::kHalf:
      return "F16";
    case at::kBFloat16:
      return "BF16";
    case at::kLong:
      return "I64";
    case at::kInt:
      return "I32";
    case at::kShort:
      return "I16";
    case at::kChar:
      return "I8";
    case at::kByte:
      return "U8";
    case at::kBool:
      return "BOOL";
    default:
      throw UnsupportedModelError("weight '" + state.name + "' has type " + c10::toString(state.tensor.scalar_type()) +
                                  ", which safetensors does not have");
  }
}

}  // namespace

}  // namespace pregrad::pruning

namespace pregrad {

Pruning::Implementation::Implementation(std::shared_ptr<const Model::Implementation> model, PruningOptions options)
    : model_(std::move(model)),
      options_(std::move(options)),
      reading_(model_.get(), Target::predicted(), options_.reading),
      selection_(pruning::selection_of(model_->model().sites(), pruning::layers_of(options_))),
      tapped_(model_->model().tapped(pruning::zeroing_taps(selection_))),
      neurons_(pruning::layers_of(options_)) {}

std::vector<c10::IValue> Pruning::Implementation::arguments(const Inputs& inputs) const {
  return model_->model().arguments(support::uploaded(inputs, model_->model().device()));
}

c10::IValue Pruning::Implementation::run_zeroed(const Inputs& inputs) const {
  const graph::Editor editor = [&](std::size_t site, std::int64_t number, const at::Tensor& value) {
    const auto entry = occurrences_.find({site, number});
    if (entry == occurrences_.end()) {
      return at::Tensor();
    }
    const std::int64_t axis = pruning::axis_in(*selection_.sites[site].site, value);
    return value.mul(pruning::zeros_at(neurons_[entry->second].neurons, value, axis));
  };
  return model_->run(tapped_, inputs, &editor).output;
}

c10::IValue Pruning::Implementation::run_pruned(const Inputs& inputs) const {
  return model_->guarded(inputs, [&] {
    std::vector<c10::IValue> stack = arguments(inputs);
    graph::run_code(pruned_, stack);
    return stack.front();
  });
}

void Pruning::Implementation::find_sizes(const Inputs& example) {
  const graph::Editor look = [&](std::size_t site, std::int64_t number, const at::Tensor& value) {
    if (const auto entry = occurrences_.find({site, number}); entry != occurrences_.end()) {
      neurons_[entry->second].of = value.size(pruning::axis_in(*selection_.sites[site].site, value));
    }
    return at::Tensor();
  };
  std::vector<std::int64_t> entered(selection_.sites.size(), 0);
  for (const graph::Execution& execution : model_->run(tapped_, example).executions) {
    const model::SelectedSite& selected = selection_.sites[execution.site];
    const std::int64_t activation = entered[execution.site]++;
    const std::int64_t call = selected.site->call.value_or(execution.call);
    for (std::size_t i = 0; i < neurons_.size(); ++i) {
      if (neurons_[i].layer == selected.site->name && neurons_[i].call == call) {
        const bool is_a = pruning::edits_activation(*selected.site);
        occurrences_[{execution.site, is_a ? activation : execution.z_occurrence}] = i;
      }
    }
  }
  static_cast<void>(model_->run(tapped_, example, &look));
  for (const PrunedNeurons& layer : neurons_) {
    if (layer.of == 0) {
      throw LayerError("the model does not run layer '" + pruning::id_of(layer) +
                       "' on these inputs: name it as `pregrad layers --data` lists it");
    }
    if (!layer.neurons.empty() && (layer.neurons.front() < 0 || layer.neurons.back() >= layer.of)) {
      const std::int64_t wrong = layer.neurons.front() < 0 ? layer.neurons.front() : layer.neurons.back();
      throw ArgumentError("layer '" + pruning::id_of(layer) + "' has no neuron " + std::to_string(wrong) +
                          ": they are numbered 0 to " + std::to_string(layer.of - 1));
    }
    if (static_cast<std::int64_t>(layer.neurons.size()) == layer.of) {
      throw ArgumentError("all neurons of layer '" + pruning::id_of(layer) + "' are to go: leave at least one");
    }
  }
  for (const NeuronConstants& scores : options_.scores) {
    const auto layer = std::find_if(neurons_.begin(), neurons_.end(), [&](const PrunedNeurons& each) {
      return each.layer == scores.layer && each.call == scores.call;
    });
    if (static_cast<std::int64_t>(scores.values.size()) != layer->of) {
      throw ArgumentError("layer '" + pruning::id_of(*layer) + "' has " + std::to_string(layer->of) + " neurons, and " +
                          std::to_string(scores.values.size()) + " scores are given: give one for each");
    }
    if (options_.keep == 0 || options_.keep > layer->of) {
      throw ArgumentError("layer '" + pruning::id_of(*layer) + "' has " + std::to_string(layer->of) + " neurons, and " +
                          std::to_string(options_.keep) + " are to stay: give a number from 1 to that");
    }
  }
}

Pruning::Implementation::ZeroedGraph Pruning::Implementation::zeroed_graph(const Inputs& example) {
  ZeroedGraph zeroed;
  zeroed.graph = model_->model().copy();
  zeroed.zeroing.resize(neurons_.size());
  zeroed.axes.resize(neurons_.size());
  std::vector<graph::TapPlace> places;
  {
    const torch::jit::AliasDb aliases(zeroed.graph);
    places = graph::find_tap_places(*zeroed.graph, aliases, pruning::zeroing_taps(selection_));
  }
  std::vector<std::pair<std::size_t, torch::jit::Node*>> of_sites;
  for (std::size_t site = places.size(); site-- > 0;) {
    const bool is_a = pruning::edits_activation(*selection_.sites[site].site);
    torch::jit::Value* const value = is_a ? places[site].a : places[site].z;
    torch::jit::Node* const after = is_a ? places[site].activation : places[site].z_after;
    if (after == zeroed.graph->param_node()) {
      throw UnsupportedModelError("layer '" + selection_.sites[site].site->name +
                                  "' is an input of the model, of which nothing can go");
    }
    if (after->owningBlock() != zeroed.graph->block() || !selection_.sites[site].site->call) {
      throw UnsupportedModelError("layer '" + selection_.sites[site].site->name +
                                  "' stands in a loop or a branch of the model, which a plan does not follow");
    }
    const torch::jit::WithInsertPoint guard(after->next());
    torch::jit::Node* const factor = zeroed.graph->insertConstant(at::ones({}))->node();
    torch::jit::Node* const product = zeroed.graph->insertNode(zeroed.graph->create(c10::aten::mul, 1));
    product->output()->setType(c10::TensorType::get());
    product->setScope(after->scope());
    value->replaceAllUsesDominatedByNodeWith(product, product->output());
    product->addInput(value);
    product->addInput(factor->output());
    of_sites.emplace_back(site, product);
  }
  const pruning::Values values = pruning::traced(*zeroed.graph, arguments(example));
  multiply_adds_ = pruning::multiply_adds(*zeroed.graph, values) / example.samples();
  for (const auto& [site, product] : of_sites) {
    const auto entry = occurrences_.find({site, 0});
    if (entry == occurrences_.end()) {
      continue;
    }
    zeroed.zeroing[entry->second] = product;
    zeroed.axes[entry->second] =
        pruning::axis_in(*selection_.sites[site].site, pruning::tensor_of(product->input(0), values));
    const at::Tensor value = pruning::tensor_of(product->input(0), values);
    product->input(1)->node()->t_(torch::jit::attr::value, pruning::zeros_at({}, value, zeroed.axes[entry->second]));
    product->input(1)->setType(c10::TensorType::get());
  }
  return zeroed;
}

void Pruning::Implementation::zero_in(const ZeroedGraph& zeroed) const {
  for (std::size_t i = 0; i < neurons_.size(); ++i) {
    torch::jit::Node* const constant = zeroed.zeroing[i]->input(1)->node();
    const at::Tensor before = torch::jit::toIValue(constant->output())->toTensor();
    constant->t_(torch::jit::attr::value, pruning::zeros_at(neurons_[i].neurons, before, zeroed.axes[i]));
  }
}

void Pruning::Implementation::choose(pruning::Dependence& dependence, const ZeroedGraph& zeroed) {
  // Layers of which the same channel goes with that of another are ranked together.
  std::vector<std::size_t> group(neurons_.size());
  std::iota(group.begin(), group.end(), 0);
  for (std::size_t i = 0; i < neurons_.size() && !zeroed.zeroing.empty(); ++i) {
    dependence.restore();
    dependence.remove(zeroed.zeroing[i]->output(), zeroed.axes[i], {0});
    for (std::size_t other = 0; other < neurons_.size(); ++other) {
      const pruning::Gone gone = dependence.gone(zeroed.zeroing[other]->output(), zeroed.axes[other]);
      if (!gone.empty() && gone.front() && neurons_[i].of == neurons_[other].of) {
        const std::size_t from = group[other];
        std::replace(group.begin(), group.end(), from, group[i]);
      }
    }
  }
  dependence.restore();
  std::map<std::size_t, std::vector<std::size_t>> together;
  for (std::size_t i = 0; i < group.size(); ++i) {
    together[group[i]].push_back(i);
  }
  std::vector<std::vector<std::size_t>> groups;
  for (auto& [first, members] : together) {
    groups.push_back(std::move(members));
  }
  choose_lowest(groups);
}

void Pruning::Implementation::choose_lowest(const std::vector<std::vector<std::size_t>>& together) {
  for (const std::vector<std::size_t>& members : together) {
    const std::int64_t count = neurons_[members.front()].of;
    std::vector<double> sums(static_cast<std::size_t>(count), 0);
    for (const std::size_t member : members) {
      const auto scores =
          std::find_if(options_.scores.begin(), options_.scores.end(), [&](const NeuronConstants& each) {
            return each.layer == neurons_[member].layer && each.call == neurons_[member].call;
          });
      const double size =
          std::accumulate(scores->values.begin(), scores->values.end(), 0.0,
                          [](double sum, double value) { return sum + (std::isnan(value) ? 0 : std::abs(value)); });
      for (std::size_t i = 0; i < sums.size(); ++i) {
        sums[i] += members.size() == 1 || size == 0 ? scores->values[i] : scores->values[i] / size;
      }
    }
    std::vector<std::int64_t> order = ranking(sums);  // NaN stands last in it, and goes first
    const auto wanted = options_.keep >= 0
                            ? count - options_.keep
                            : static_cast<std::int64_t>(std::llround(options_.share * static_cast<double>(count)));
    const std::int64_t goes = std::clamp<std::int64_t>(wanted, 0, count - 1);
    std::vector<std::int64_t> lowest(order.end() - goes, order.end());
    std::sort(lowest.begin(), lowest.end());
    for (const std::size_t member : members) {
      neurons_[member].neurons = lowest;
    }
  }
}

void Pruning::Implementation::make_plan(const Inputs& inputs) {
  model_->require_independent_samples(inputs, reading_.output_name());
  example_ = pruning::few_of(inputs);
  try {
    find_sizes(example_);
  } catch (const InputError&) {
    example_ = inputs;  // the model takes batches of one size only
    find_sizes(example_);
  }
  ZeroedGraph zeroed;
  try {
    zeroed = zeroed_graph(example_);
  } catch (const UnsupportedModelError& error) {
    open_ = error.what();
    if (!options_.scores.empty()) {
      std::vector<std::vector<std::size_t>> alone;
      for (std::size_t i = 0; i < neurons_.size(); ++i) {
        alone.push_back({i});
      }
      choose_lowest(alone);
    }
    return;
  }
  plan_in(zeroed, example_);
}

void Pruning::Implementation::plan_in(const ZeroedGraph& zeroed, const Inputs& example) {
  const std::set<const torch::jit::Node*> transparent(zeroed.zeroing.begin(), zeroed.zeroing.end());
  const graph::Provenance& provenance = model_->model().provenance();
  if (!options_.scores.empty()) {
    const pruning::Values values = pruning::traced(*zeroed.graph, arguments(example));
    pruning::Dependence dependence(*zeroed.graph, values, transparent, provenance);
    choose(dependence, zeroed);
  }
  zero_in(zeroed);
  const pruning::Values values = pruning::traced(*zeroed.graph, arguments(example));
  pruning::Dependence dependence(*zeroed.graph, values, transparent, provenance);
  for (std::size_t i = 0; i < neurons_.size(); ++i) {
    if (!neurons_[i].neurons.empty()) {
      dependence.remove(zeroed.zeroing[i]->output(), zeroed.axes[i], neurons_[i].neurons);
    }
  }
  open_ = dependence.why_not();
  for (std::size_t i = 0; i < neurons_.size() && open_.empty(); ++i) {
    const auto gone = pruning::indices_of(dependence.gone(zeroed.zeroing[i]->output(), zeroed.axes[i]));
    if (gone != neurons_[i].neurons) {
      open_ = std::to_string(gone.size()) + " neurons of layer '" + pruning::id_of(neurons_[i]) +
              "' would have to go with those " + "of the layers that it is added to or multiplied with, and " +
              std::to_string(neurons_[i].neurons.size()) + " are to: let the same go of both";
    }
  }
  if (open_.empty()) {
    compile(zeroed, dependence);
  }
}

void Pruning::Implementation::compile(const ZeroedGraph& zeroed, const pruning::Dependence& dependence) {
  const graph::Provenance& provenance = model_->model().provenance();
  cuts_ = dependence.cut_weights();
  const auto copy = zeroed.graph->copy();
  std::map<const torch::jit::Node*, torch::jit::Node*> copies;
  auto copied = copy->nodes().begin();
  for (const torch::jit::Node* node : zeroed.graph->nodes()) {
    copies.emplace(node, *copied);
    ++copied;
  }
  for (const auto& [value, tensor] : dependence.cut_constants()) {
    torch::jit::Node* const constant = copies.at(value->node());
    constant->t_(torch::jit::attr::value, tensor);
    constant->output()->setType(c10::TensorType::get());
  }
  for (const pruning::ArgumentChange& change : dependence.changes()) {
    torch::jit::Node* const node = copies.at(change.node);
    const torch::jit::WithInsertPoint guard(node);
    torch::jit::Value* const input = node->input(change.input);
    if (change.element < 0) {
      node->replaceInput(change.input, copy->insertConstant(change.value));
    } else if (const auto list = torch::jit::toIValue(input)) {
      std::vector<std::int64_t> numbers = list->toIntVector();
      numbers[static_cast<std::size_t>(change.element)] = change.value;
      node->replaceInput(change.input, copy->insertConstant(c10::IValue(numbers)));
    } else {
      std::vector<torch::jit::Value*> elements(input->node()->inputs().begin(), input->node()->inputs().end());
      elements[static_cast<std::size_t>(change.element)] = copy->insertConstant(change.value);
      node->replaceInput(change.input, copy->insertNode(copy->createList(c10::IntType::get(), elements))->output());
    }
    const auto archived = provenance.archive_nodes.find(graph::scope_of(change.node));
    if (archived == provenance.archive_nodes.end()) {
      unmapped_ = pruning::name_of(change.node);
    } else {
      archive_changes_.push_back(
          {archived->second, change.node->schema().arguments()[change.input].name(),
           change.element < 0 ? std::nullopt : std::optional(static_cast<std::size_t>(change.element)), change.value});
    }
  }
  for (torch::jit::Node* const product : zeroed.zeroing) {
    torch::jit::Node* const node = copies.at(product);
    node->output()->replaceAllUsesWith(node->input(0));
    node->destroy();
  }
  try {
    const pruning::Values values = pruning::traced(*copy, arguments(example_));
    pruned_multiply_adds_ = pruning::multiply_adds(*copy, values) / example_.samples();
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    support::throw_if_device_failure(model_->model().device(), error);
    open_ = "the pruned model does not run: " + support::first_sentence(error);
    return;
  }
  pruned_ = graph::checked_code(copy, "pregrad_pruned");
}

void Pruning::Implementation::add(const Inputs& inputs, const at::Tensor& labels) {
  const std::lock_guard lock(mutex_);
  const at::NoGradGuard no_gradients;
  const model::Batch batch = model::checked_batch(*model_, reading_, inputs, labels, {}, false);
  if (!is_planned_) {
    make_plan(batch.inputs);
    is_planned_ = true;
  }
  const std::int64_t samples = batch.samples();
  const auto rows = [&](const c10::IValue& returned) { return reading_.rows(returned, samples, batch.mask); };
  const model::OutputRows before = rows(model_->returned(batch.inputs));
  model::require_finite_outputs(before);
  const model::OutputRows zeroed = rows(run_zeroed(batch.inputs));
  const bool has_labels = batch.labels.defined() && batch.labels.dim() == 1 && before.values.size(0) == samples;
  if (has_labels && (batch.labels.lt(0).any().item<bool>() ||
                     batch.labels.ge(std::max<std::int64_t>(2, before.outputs())).any().item<bool>())) {
    throw InputError("a label is outside of the model's " + std::to_string(before.outputs()) +
                     " outputs: give labels from 0 on");
  }
  std::optional<model::OutputRows> pruned;
  if (open_.empty()) {
    try {
      pruned = rows(run_pruned(batch.inputs));
    } catch (const InputError& error) {
      open_ = std::string("the pruned model does not run: ") + error.what();
    }
  }
  if (pruned) {
    const double difference = model::relative_difference(pruned->values.to(at::kDouble), zeroed.values.to(at::kDouble),
                                                         zeroed.values.abs().max().item<double>());
    const double allowed = std::max(
        pruning::tolerance, zeroed.values.element_size() <= 2 ? model::rounding_of(zeroed.values.scalar_type()) : 0);
    difference_ = std::max(difference_, difference);
    if (!(difference <= allowed)) {
      open_ = "outputs of the pruned model differ from those with the neurons at 0 by " + pruning::number(difference) +
              " of the largest, more than " + pruning::number(allowed) +
              ": something that the plan does not follow reads them";
    }
  }
  samples_ += samples;
  if (has_labels) {
    labels_ += samples;
    right_ += pruning::count_right(before, batch.labels);
    right_at_zero_ += pruning::count_right(zeroed, batch.labels);
    right_pruned_ += pruned ? pruning::count_right(*pruned, batch.labels) : 0;
  }
}

PruningResult Pruning::Implementation::result() const {
  const std::lock_guard lock(mutex_);
  if (!is_planned_) {
    throw StateError("no batch was added yet, so that there is no plan: add one first");
  }
  PruningResult result;
  result.samples = samples_;
  result.neurons = neurons_;
  result.open = open_;
  result.multiply_adds = multiply_adds_;
  if (labels_ > 0) {
    const auto labels = static_cast<double>(labels_);
    result.accuracy = static_cast<double>(right_) / labels;
    result.accuracy_at_zero = static_cast<double>(right_at_zero_) / labels;
    if (open_.empty()) {
      result.pruned_accuracy = static_cast<double>(right_pruned_) / labels;
    }
  }
  std::set<const void*> counted;
  for (const graph::StateTensor& state : model_->model().provenance().state) {
    if (state.is_persistent && at::isFloatingType(state.tensor.scalar_type()) &&
        counted.insert(state.tensor.const_data_ptr()).second) {
      result.parameters += state.tensor.numel();
    }
  }
  result.pruned_parameters = result.parameters;
  if (!open_.empty()) {
    return result;
  }
  result.difference = difference_;
  result.pruned_multiply_adds = pruned_multiply_adds_;
  std::map<std::string, std::vector<std::int64_t>> shapes;
  counted.clear();
  const std::vector<graph::StateTensor> pruned = pruned_state();
  result.pruned_parameters = 0;
  for (std::size_t i = 0; i < pruned.size(); ++i) {
    const graph::StateTensor& state = model_->model().provenance().state[i];
    shapes[state.name] = pruned[i].tensor.sizes().vec();
    if (state.is_persistent && at::isFloatingType(state.tensor.scalar_type()) &&
        counted.insert(state.tensor.const_data_ptr()).second) {
      result.pruned_parameters += pruned[i].tensor.numel();
    }
    for (const auto& [place, gone] : cuts_) {
      if (place.first == state.name) {
        result.cuts.push_back(
            {state.name, place.second, pruning::indices_of(gone), state.tensor.sizes().vec(), shapes[state.name]});
      }
    }
  }
  std::sort(result.cuts.begin(), result.cuts.end(), [](const WeightCut& left, const WeightCut& right) {
    return std::pair(left.weight, left.axis) < std::pair(right.weight, right.axis);
  });
  return result;
}

std::vector<graph::StateTensor> Pruning::Implementation::pruned_state() const {
  std::vector<graph::StateTensor> pruned = model_->model().provenance().state;
  for (graph::StateTensor& state : pruned) {
    for (const auto& [place, gone] : cuts_) {
      if (place.first == state.name) {
        pruning::Gone kept = gone;
        kept.flip();
        state.tensor = state.tensor.index_select(
            place.second, at::tensor(pruning::indices_of(kept), state.tensor.options().dtype(at::kLong)));
      }
    }
  }
  return pruned;
}

void Pruning::Implementation::require_closed() const {
  if (!is_planned_) {
    throw StateError("no batch was added yet, so that there is no plan: add one first");
  }
  if (!open_.empty()) {
    throw UnsupportedModelError("no weight can be cut, as " + open_);
  }
}

void Pruning::Implementation::save_weights(const std::filesystem::path& file) const {
  const std::lock_guard lock(mutex_);
  require_closed();
  // Eight bytes of length, a JSON object of that length, the bytes of all tensors (huggingface.co/docs/safetensors).
  nlohmann::json header;
  std::vector<at::Tensor> tensors;
  std::int64_t offset = 0;
  for (const graph::StateTensor& state : pruned_state()) {
    if (!state.is_persistent) {
      continue;
    }
    tensors.push_back(state.tensor.cpu().contiguous());
    const std::int64_t end = offset + static_cast<std::int64_t>(tensors.back().nbytes());
    header[state.name] = {{"dtype", pruning::type_name(state)},
                          {"shape", tensors.back().sizes().vec()},
                          {"data_offsets", std::vector<std::int64_t>{offset, end}}};
    offset = end;
  }
  std::string text = header.is_null() ? "{}" : header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  std::ofstream stream(file, std::ios::binary);
  const std::uint64_t length = text.size();
  stream.write(reinterpret_cast<const char*>(&length), sizeof length);
  stream.write(text.data(), static_cast<std::streamsize>(text.size()));
  for (const at::Tensor& tensor : tensors) {
    stream.write(static_cast<const char*>(tensor.const_data_ptr()), static_cast<std::streamsize>(tensor.nbytes()));
  }
  stream.close();
  if (!stream) {
    throw ArgumentError("cannot write '" + file.string() + "': check its folder and the space there");
  }
}

void Pruning::Implementation::save_exported(const std::filesystem::path& source,
                                            const std::filesystem::path& file) const {
  const std::lock_guard lock(mutex_);
  require_closed();
  if (!model_->model().provenance().is_exported) {
    throw UnsupportedModelError(
        "the model is TorchScript, of which no pruned file can be written: save its program with torch.export, or load "
        "the pruned weights into a smaller module");
  }
  if (!unmapped_.empty()) {
    throw UnsupportedModelError("operator " + unmapped_ +
                                " would take another size, and stands for several of the archive's: load the pruned "
                                "weights into a smaller module");
  }
  const at::NoGradGuard no_gradients;
  std::map<std::string, at::Tensor> tensors;
  for (const graph::StateTensor& state : pruned_state()) {
    const bool is_cut =
        std::any_of(cuts_.begin(), cuts_.end(), [&](const auto& entry) { return entry.first.first == state.name; });
    if (is_cut) {
      tensors.emplace(state.name, state.tensor.cpu().contiguous());
    }
  }
  // The tensors in between are computed on the CPU, where archives are read to.
  const std::vector<c10::IValue> arguments = model_->model().arguments(support::uploaded(example_, c10::kCPU));
  pt2::write_pruned(source, file, tensors, archive_changes_, arguments);
  const graph::ModelGraph written(pt2::read_exported(file, c10::kCPU), c10::kCPU);
  const at::Tensor seen = model_->chosen(written.untouched().run(arguments), reading_.output_name()).tensor;
  const at::Tensor expected = model_->chosen(run_pruned(example_), reading_.output_name()).tensor.cpu();
  const double difference = model::relative_difference(seen, expected, expected.abs().max().item<double>());
  if (!(difference <= std::max(pruning::tolerance, model::rounding_of(expected.scalar_type())))) {
    throw UnsupportedModelError("the pruned archive gives outputs that differ by " + pruning::number(difference) +
                                " from those of the pruned model: load the pruned weights into a smaller module");
  }
}

Pruning::Pruning(const Model& model, const PruningOptions& options) {
  const support::OwnState own_state;
  const support::RunningCall call(*model.implementation_->limits());
  implementation_ = support::on_device(
      model.device(), [&] { return std::make_shared<Implementation>(model.implementation_, options); });
}

void Pruning::add(const at::Tensor& inputs, const at::Tensor& labels) { add(Inputs(inputs), labels); }

void Pruning::add(const Inputs& inputs, const at::Tensor& labels) {
  const support::OwnState own_state;
  const support::RunningCall call(*implementation_->model()->limits());
  const c10::Device device = implementation_->model()->model().device();
  support::on_device(device, [&] {
    support::on_deep_stack(device, [&] { implementation_->add(support::without_inference(inputs), labels); });
  });
}

PruningResult Pruning::result() const { return implementation_->result(); }

void Pruning::save_weights(const std::filesystem::path& file) const {
  const support::OwnState own_state;
  implementation_->save_weights(file);
}

void Pruning::save_exported(const std::filesystem::path& source, const std::filesystem::path& file) const {
  const support::OwnState own_state;
  const support::RunningCall call(*implementation_->model()->limits());
  const c10::Device device = implementation_->model()->model().device();
  support::on_deep_stack(device, [&] { implementation_->save_exported(source, file); });
}

}  // namespace pregrad
