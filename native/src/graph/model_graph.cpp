#include "graph/model_graph.hpp"

#include <algorithm>
#include <functional>
#include <iterator>
#include <limits>
#include <random>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include <torch/csrc/jit/api/function_impl.h>
#include <torch/csrc/jit/ir/alias_analysis.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/passes/remove_mutation.h>

#include "graph/activations.hpp"
#include "graph/graph_checks.hpp"
#include "graph/layer_sites.hpp"
#include "graph/neuron_axis.hpp"
#include "graph/pointwise.hpp"
#include "graph/rewrites/rewrites.hpp"
#include "pregrad/error.hpp"

namespace pregrad::graph {

UntouchedModel::UntouchedModel(torch::jit::Module module, c10::Device device)
    : module_(std::move(module)), device_(device) {}

UntouchedModel::UntouchedModel(torch::jit::Graph& graph, c10::Device device) : device_(device), graph_(graph.copy()) {}

const torch::jit::Code& UntouchedModel::code() const {
  const auto make = [&] {
    if (module_) {
      // LibTorch's own preparation, regions of autocast included; no executor that watches runs and compiles.
      graph_ = torch::jit::toGraphFunction(module_->get_method("forward").function()).optimized_graph()->copy();
    }
    code_ = checked_code(graph_, "pregrad_untouched");
  };
  std::call_once(once_, [&] { support::on_deep_stack(device_, make); });
  return code_;
}

c10::IValue UntouchedModel::run(std::vector<c10::IValue> arguments) const {
  if (module_) {
    arguments.insert(arguments.begin(), module_->_ivalue());
  }
  run_code(code(), arguments);
  return std::move(arguments.front());
}

std::shared_ptr<const UntouchedModel> UntouchedModel::with(const ShuffledWeights& weights) const {
  if (!module_) {
    static_cast<void>(code());  // no thread prepares the graph any more
    const auto other = std::make_shared<UntouchedModel>(*graph_, device_);
    weights.replace_constants(other->graph_->block());
    return other;
  }
  const at::NoGradGuard no_gradients;
  const torch::jit::Module copy = module_->deepcopy();
  const auto shuffle = [&](const torch::jit::NameTensor& from, const torch::jit::NameTensor& to) {
    if (const at::Tensor shuffled = weights.of(from.value); !shuffled.is_same(from.value)) {
      at::Tensor(to.value).copy_(shuffled);
    }
  };
  const auto each_pair = [&](const auto& from, const auto& to) {
    auto its = to.begin();
    for (const torch::jit::NameTensor& tensor : from) {
      shuffle(tensor, *its);
      ++its;
    }
  };
  each_pair(module_->named_parameters(), copy.named_parameters());
  each_pair(module_->named_buffers(), copy.named_buffers());
  return std::make_shared<const UntouchedModel>(copy, device_);
}

ShuffledWeights::ShuffledWeights(const Weights& weights, std::uint64_t seed) {
  const at::NoGradGuard no_gradients;
  std::vector<at::Tensor> done;
  for (const auto& [name, tensor] : weights) {
    const at::Tensor& weight = tensor;
    const auto is_same_view = [&](const at::Tensor& other) {
      return other.is_alias_of(weight) && other.storage_offset() == weight.storage_offset() &&
             other.sizes() == weight.sizes() && other.strides() == weight.strides();
    };
    if (!at::isFloatingType(weight.scalar_type()) || std::any_of(done.begin(), done.end(), is_same_view)) {
      continue;
    }
    if (copies_.count(weight.storage().unsafeGetStorageImpl()) == 0) {
      const c10::Storage storage = weight.storage();
      const auto bytes = static_cast<std::int64_t>(storage.nbytes());
      const at::TensorOptions options = weight.options().dtype(at::kByte);
      const at::Tensor all = at::empty({0}, options).set_(storage, 0, {bytes}, {1});
      copies_.emplace(storage.unsafeGetStorageImpl(), all.clone().storage());
    }
    // Sequence and engine are fixed by the standard; its shuffle is not.
    std::vector<std::uint32_t> words{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32U)};
    std::transform(name.begin(), name.end(), std::back_inserter(words),
                   [](char letter) { return static_cast<unsigned char>(letter); });
    std::seed_seq sequence(words.begin(), words.end());
    std::mt19937_64 engine(sequence);
    at::Tensor order = at::arange(weight.numel(), at::kLong);
    auto* place = order.mutable_data_ptr<std::int64_t>();
    for (std::int64_t i = weight.numel() - 1; i > 0; --i) {
      std::swap(place[i], place[engine() % static_cast<std::uint64_t>(i + 1)]);
    }
    const at::Tensor elements = weight.detach().reshape({-1});
    of(weight).copy_(elements.index_select(0, order.to(weight.device())).view(weight.sizes()));
    done.push_back(weight);
  }
  if (done.empty()) {
    throw UnsupportedModelError(
        "the model has no floating-point weights to shuffle (those of quantised operators are packed): give the model "
        "that it was made of");
  }
}

at::Tensor ShuffledWeights::of(const at::Tensor& tensor) const {
  if (!tensor.defined() || !tensor.has_storage()) {
    return tensor;
  }
  const auto copy = copies_.find(tensor.storage().unsafeGetStorageImpl());
  return copy == copies_.end() ? tensor
                               : at::empty({0}, tensor.options())
                                     .set_(copy->second, tensor.storage_offset(), tensor.sizes(), tensor.strides());
}

void ShuffledWeights::replace_constants(torch::jit::Block* block) const {
  for (torch::jit::Node* node : block->nodes()) {
    for (torch::jit::Block* inner : node->blocks()) {
      replace_constants(inner);
    }
    const auto value = node->kind() == torch::jit::prim::Constant ? torch::jit::toIValue(node->output()) : std::nullopt;
    if (value && value->isTensor()) {
      node->t_(torch::jit::attr::value, of(value->toTensor()));
    } else if (value && value->isTensorList()) {
      c10::List<at::Tensor> list;
      for (const at::Tensor& each : value->toTensorVector()) {
        list.push_back(of(each));
      }
      node->ival_(torch::jit::attr::value, list);
    }
  }
}

bool is_running_statistic(const std::string& name) {
  return name.ends_with("running_mean") || name.ends_with("running_var");
}

namespace {

/// A model that writes into its inputs must not write into the caller's memory.
void protect_inputs(torch::jit::Graph& graph) {
  const auto shared = graph.shared_from_this();
  std::vector<torch::jit::Value*> written;
  {
    const torch::jit::AliasDb aliases(shared);
    std::copy_if(graph.inputs().begin(), graph.inputs().end(), std::back_inserter(written),
                 [&](torch::jit::Value* input) {
                   return input->type()->isSubtypeOf(*c10::TensorType::get()) && aliases.hasWriters(input);
                 });
  }
  for (torch::jit::Value* input : written) {
    const torch::jit::WithInsertPoint guard(graph.block()->param_node()->next());
    torch::jit::Value* copy = graph.insert(c10::aten::clone, {input});
    input->replaceAllUsesAfterNodeWith(copy->node(), copy);
  }
}

std::string joined(const std::string& path, const std::string& part) { return path.empty() ? part : path + "." + part; }

/// Calls `visit` with the name of each tensor in what a graph returns, as far as the graph tells.
void visit_outputs(const torch::jit::Value* value, const std::string& path,
                   const std::function<void(const std::string&, const torch::jit::Value*)>& visit) {
  const torch::jit::Node* node = value->node();
  const auto inputs = node->inputs();
  if (value->type()->isSubtypeOf(*c10::TensorType::get())) {
    visit(path, value);
  } else if (node->kind() == c10::prim::DictConstruct) {
    for (std::size_t i = 0; i + 1 < inputs.size(); i += 2) {
      if (const auto key = torch::jit::toIValue(inputs[i]); key && key->isString()) {
        visit_outputs(inputs[i + 1], joined(path, key->toStringRef()), visit);
      }
    }
  } else if (node->kind() == c10::prim::TupleConstruct || node->kind() == c10::prim::ListConstruct) {
    const auto tuple = value->type()->cast<c10::TupleType>();
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      visit_outputs(inputs[i], joined(path, tuple ? element_names(*tuple)[i] : std::to_string(i)), visit);
    }
  }
}

void add_outputs(const c10::IValue& value, const std::string& path, std::vector<NamedTensor>& outputs) {
  if (value.isTensor()) {
    if (value.toTensor().defined()) {
      outputs.push_back({path, value.toTensor()});
    }
  } else if (value.isTuple()) {
    const auto& elements = value.toTupleRef().elements();
    const std::vector<std::string> names = element_names(*value.type()->expect<c10::TupleType>());
    for (std::size_t i = 0; i < elements.size(); ++i) {
      add_outputs(elements[i], joined(path, names[i]), outputs);
    }
  } else if (value.isList()) {
    const auto list = value.toListRef();
    for (std::size_t i = 0; i < list.size(); ++i) {
      add_outputs(list[i], joined(path, std::to_string(i)), outputs);
    }
  } else if (value.isGenericDict()) {
    for (const auto& entry : value.toGenericDict()) {
      if (entry.key().isString()) {
        add_outputs(entry.value(), joined(path, entry.key().toStringRef()), outputs);
      }
    }
  } else if (value.isObject()) {
    const auto object = value.toObject();
    for (std::size_t i = 0; i < object->type()->numAttributes(); ++i) {
      add_outputs(object->getSlot(i), joined(path, object->type()->getAttributeName(i)), outputs);
    }
  }
}

void widen_constants(torch::jit::Block* block) {
  for (torch::jit::Node* node : block->nodes()) {
    for (torch::jit::Block* inner : node->blocks()) {
      widen_constants(inner);
    }
    const auto value = node->kind() == torch::jit::prim::Constant ? torch::jit::toIValue(node->output()) : std::nullopt;
    if (value && value->isTensor() && value->toTensor().scalar_type() == at::kFloat) {
      node->t_(torch::jit::attr::value, value->toTensor().to(at::kDouble));
      node->output()->setType(c10::TensorType::get());
    }
  }
}

/// Calls `visit` with the types of constant tensors, and with those that operators are told to compute in.
void visit_types(torch::jit::Block* block, const std::function<void(at::ScalarType)>& visit) {
  for (torch::jit::Node* node : block->nodes()) {
    for (torch::jit::Block* inner : node->blocks()) {
      visit_types(inner, visit);
    }
    if (node->kind() == torch::jit::prim::Constant) {
      const auto value = torch::jit::toIValue(node->output());
      if (value && value->isTensor() && value->toTensor().defined()) {
        visit(value->toTensor().scalar_type());
      }
      continue;
    }
    const c10::FunctionSchema* schema = node->maybeSchema();
    if (schema == nullptr) {
      continue;
    }
    const bool is_autocast = node->kind() == c10::Symbol::aten("_autocast_to_reduced_precision");
    for (std::size_t i = 0; i < std::min(schema->arguments().size(), node->inputs().size()); ++i) {
      const std::string& name = schema->arguments()[i].name();
      const bool is_type =
          name == "dtype" || (is_autocast && name == "cpu_dtype") || (is_autocast && name == "cuda_dtype");
      const auto value = is_type ? torch::jit::toIValue(node->input(i)) : std::nullopt;
      if (value && value->isInt()) {
        visit(static_cast<at::ScalarType>(value->toInt()));
      }
    }
  }
}

/// Passes over so many nodes need no more than a few dozen KB of stack, however they are nested.
constexpr std::int64_t nodes_of_small_graph = 128;

/// @returns how many of `most` the block leaves; negative where it has more
std::int64_t left_of(torch::jit::Block* block, std::int64_t most) {
  for (torch::jit::Node* node : block->nodes()) {
    --most;
    for (torch::jit::Block* inner : node->blocks()) {
      most = most < 0 ? most : left_of(inner, most);
    }
    if (most < 0) {
      break;
    }
  }
  return most;
}

bool has_more_nodes(torch::jit::Block* block, std::int64_t most) { return left_of(block, most) < 0; }

std::shared_ptr<const Provenance> provenance_of(const ReadModel& read, bool is_exported) {
  auto provenance = std::make_shared<Provenance>();
  provenance->state = read.state;
  provenance->is_exported = is_exported;
  provenance->archive_nodes = read.model.archive_nodes;
  for (const auto& [scope, call] : read.model.node_calls) {
    provenance->paths.emplace(scope, read.model.calls[call].path);
  }
  provenance->scopes = read.model.scopes;
  return provenance;
}

int digits_of(at::ScalarType type) {
  switch (type) {
    case at::kDouble:
      return std::numeric_limits<double>::digits;
    case at::kFloat:
      return std::numeric_limits<float>::digits;
    case at::kHalf:
      return std::numeric_limits<at::Half>::digits;
    default:
      return std::numeric_limits<at::BFloat16>::digits;
  }
}

}  // namespace

ModelGraph::ModelGraph(ReadModel read, c10::Device device)
    : classes_(std::move(read.classes)),
      untouched_(read.module ? std::make_shared<const UntouchedModel>(*std::move(read.module), device)
                             : std::make_shared<const UntouchedModel>(*read.model.graph, device)),
      arguments_(std::move(read.arguments)),
      output_names_(std::move(read.output_names)),
      weight_type_(read.weight_type),
      weights_(std::move(read.weights)),
      device_(device) {
  support::RunningCall::go_on();
  require_evaluation_mode(read.model);
  require_fixed_graph(read.model);
  uncover_activations(read.model);
  support::RunningCall::go_on();
  sites_ = find_layer_sites(read.model);
  add_input_sites(read.model, arguments_.all(), sites_);
  support::RunningCall::go_on();
  std::size_t number = 0;
  visit_outputs(read.model.graph->outputs().at(0), "", [&](const std::string& name, const torch::jit::Value* value) {
    if (const auto axis = neuron_axis_of(value)) {
      class_axes_.emplace(number < output_names_.size() ? output_names_[number] : name, *axis);
    }
    ++number;
  });
  protect_inputs(*read.model.graph);
  // Where LibTorch can prove that an in-place operation may as well be out of place, nothing that autograd keeps is
  // overwritten; the taps cope with the rest.
  torch::jit::RemoveTensorMutation(read.model.graph, [](const torch::jit::Node* node) {
    return node->kind() != c10::aten::copy_;  // autograd has no derivative of aten::copy
  });
  visit_types(read.model.graph->block(), [&](at::ScalarType type) {
    if (at::isFloatingType(type) && digits_of(type) < digits_of(coarsest_type_)) {
      coarsest_type_ = type;
    }
  });
  provenance_ = provenance_of(read, !read.module.has_value());
  rewrites::speed_up_maximum_pooling(*read.model.graph);
  graph_ = read.model.graph;
  is_large_ = has_more_nodes(graph_->block(), nodes_of_small_graph);
  support::RunningCall::go_on();
  folded_ = rewrites::fold_batch_norms(*graph_);
}

torch::jit::Graph& ModelGraph::graph_for(const std::vector<Tap>& taps) const {
  const auto is_folded_away = [&](const Tap& tap) {
    return folded_->without_output.count(tap.site->producer) != 0 ||
           folded_->without_output.count(tap.site->reader) != 0;
  };
  return !folded_ || std::any_of(taps.begin(), taps.end(), is_folded_away) ? *graph_ : *folded_->graph;
}

namespace {

void add_in_program_order(torch::jit::Block* block, std::vector<torch::jit::Node*>& nodes) {
  for (torch::jit::Node* node : block->nodes()) {
    for (torch::jit::Block* inner : node->blocks()) {
      add_in_program_order(inner, nodes);
    }
    nodes.push_back(node);
  }
}

}  // namespace

std::vector<LayerSite> ModelGraph::nonlinear_parts() const {
  std::vector<LayerSite> parts;
  std::unordered_set<const torch::jit::Scope*> known;
  for (const LayerSite& activation : sites_.activations) {
    known.insert(activation.scope);
    if (activation.op != "softmax" && activation.op != "log_softmax") {
      parts.push_back(activation);
    }
  }
  const DataFlow data(*graph_);
  const NodesByScope by_scope = nodes_by_scope(graph_->block());
  std::vector<torch::jit::Node*> nodes;
  add_in_program_order(graph_->block(), nodes);
  std::unordered_map<const torch::jit::Scope*, std::size_t> order;
  for (torch::jit::Node* const node : nodes) {
    const torch::jit::Scope* const scope = scope_of(node);
    order.emplace(scope, order.size());
    const auto found = by_scope.find(scope);
    if (found == by_scope.end() || found->second != node) {
      continue;
    }
    const std::string name = operator_name(node);
    const std::vector<std::size_t> reads = data.data_inputs(node);
    const bool is_of_one_tensor = !reads.empty() && std::all_of(reads.begin(), reads.end(), [&, of = node](auto input) {
      return of->input(input) == of->input(reads.front());
    });
    const bool is_nonlinear = role_of(node, reads) == Role::nonlinear || name.find("max_pool") != std::string::npos;
    if (is_of_one_tensor && is_nonlinear && known.count(scope) == 0) {
      LayerSite part;
      part.op = name;
      part.scope = scope;
      part.reader = scope;
      part.reader_input = reads.front();
      part.producer = scope_of(node->input(reads.front())->node());
      parts.push_back(std::move(part));
    }
  }
  // Taps at one value stand in the order of their sites: that of the part that makes it comes first.
  std::stable_sort(parts.begin(), parts.end(), [&](const LayerSite& left, const LayerSite& right) {
    return order[left.scope] < order[right.scope];
  });
  for (std::size_t i = 0; i < parts.size(); ++i) {
    parts[i].name = "part " + std::to_string(i) + " of the model";  // calls of the layers themselves are counted apart
    parts[i].call.reset();
  }
  return parts;
}

std::vector<NamedTensor> ModelGraph::outputs(const c10::IValue& returned) const {
  std::vector<NamedTensor> outputs;
  add_outputs(returned, "", outputs);
  for (std::size_t i = 0; i < outputs.size() && outputs.size() == output_names_.size(); ++i) {
    outputs[i].name = output_names_[i];
  }
  return outputs;
}

ModelGraph ModelGraph::in_double_precision() const {
  ModelGraph wide = *this;
  wide.graph_ = graph_->copy();
  wide.folded_.reset();
  widen_constants(wide.graph_->block());
  if (weight_type_ == at::kFloat) {
    wide.weight_type_ = at::kDouble;
  }
  return wide;
}

ModelGraph ModelGraph::randomised(std::uint64_t seed) const {
  const ShuffledWeights shuffled(weights_, seed);
  ModelGraph other = *this;
  other.untouched_ = untouched_->with(shuffled);
  other.graph_ = graph_->copy();
  shuffled.replace_constants(other.graph_->block());
  other.folded_ = rewrites::fold_batch_norms(*other.graph_);
  for (auto& [name, weight] : other.weights_) {
    weight = shuffled.of(weight);
  }
  return other;
}

}  // namespace pregrad::graph
