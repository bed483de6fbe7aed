#include "graph/model_graph.hpp"

#include <algorithm>
#include <functional>
#include <iterator>
#include <limits>
#include <string>
#include <utility>

#include <torch/csrc/jit/api/function_impl.h>
#include <torch/csrc/jit/ir/alias_analysis.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/passes/remove_mutation.h>

#include "graph/activations.hpp"
#include "graph/graph_checks.hpp"
#include "graph/layer_sites.hpp"
#include "graph/neuron_axis.hpp"
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

}  // namespace pregrad::graph
