#include "graph/layer_sites.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

#include <torch/csrc/jit/ir/alias_analysis.h>

#include "graph/activation_catalog.hpp"
#include "graph/completion.hpp"
#include "graph/neuron_axis.hpp"

namespace pregrad::graph {

using torch::jit::Block;
using torch::jit::Node;
using torch::jit::Scope;
using torch::jit::Value;

namespace {

struct FoundActivation {
  Node* node;
  ActivationNode activation;
  bool nested;
};

using NodesByScope = std::unordered_map<const Scope*, Node*>;

/// The activation that `node` computes or, of several nodes, ends.
std::optional<ActivationNode> activation_at(const InlinedModel& model, const NodesByScope& nodes, Node* node) {
  const Scope* scope = node->scope().get();
  const auto composite = model.composites.find(scope);
  if (composite == model.composites.end()) {
    return model.parts.count(scope) == 0 ? as_activation(node) : std::nullopt;
  }
  const auto producer = nodes.find(composite->second.z_scope);
  if (producer == nodes.end()) {
    return std::nullopt;
  }
  return ActivationNode{composite->second.op, false, producer->second->output(composite->second.z_offset)};
}

void collect_activations(const InlinedModel& model, const NodesByScope& nodes, Block* block, bool nested,
                         std::vector<FoundActivation>& found) {
  for (Node* node : block->nodes()) {
    if (auto activation = activation_at(model, nodes, node)) {
      found.push_back({node, std::move(*activation), nested});
    }
    for (Block* inner : node->blocks()) {
      collect_activations(model, nodes, inner, true, found);
    }
  }
}

/// Softmax over anything but the neurons (attention weights) is no activation of neurons.
bool is_over_neurons(const FoundActivation& found) {
  const auto softmax = softmax_axis(found.node);
  if (!softmax) {
    return true;
  }
  const auto neurons = neuron_axis_of(found.activation.z);
  if (!neurons) {
    return false;
  }
  // A Linear on vectors [N, C] has its neurons on axis 1 and -1 alike.
  return *softmax == *neurons || (*neurons == -1 && *softmax == 1) || (*neurons == 1 && *softmax == -1);
}

void collect_nodes(Block* block, NodesByScope& nodes, std::set<const Node*>& nested_nodes, bool nested) {
  for (Node* node : block->nodes()) {
    nodes.emplace(node->scope().get(), node);
    if (nested) {
      nested_nodes.insert(node);
    }
    for (Block* inner : node->blocks()) {
      collect_nodes(inner, nodes, nested_nodes, true);
    }
  }
}

class Finder {
 public:
  explicit Finder(const InlinedModel& model) : model_(model), aliases_(model.graph) {
    collect_nodes(model.graph->block(), nodes_, nested_nodes_, false);
  }

  LayerSites find() {
    std::vector<FoundActivation> found;
    collect_activations(model_, nodes_, model_.graph->block(), false, found);
    found.erase(std::remove_if(found.begin(), found.end(), [](const auto& each) { return !is_over_neurons(each); }),
                found.end());
    for (const FoundActivation& each : found) {
      add_activation(each);
    }
    number_calls(result_.activations);
    for (const ModuleOutput& output : model_.module_outputs) {
      add_module(output);
    }
    number_calls(result_.outputs);
    return std::move(result_);
  }

 private:
  void add_activation(const FoundActivation& found) {
    LayerSite site;
    const std::string& path = model_.path_of(found.node);
    site.name = path.empty() ? "forward" : path;
    site.op = found.activation.op;
    site.in_place = found.activation.in_place;
    site.neuron_axis = neuron_axis_of(found.activation.z);
    site.scope = found.node->scope().get();
    const auto composite = model_.composites.find(site.scope);
    if (composite != model_.composites.end()) {
      site.z_scope = composite->second.z_scope;
      site.z_offset = composite->second.z_offset;
    }
    nested_.push_back(found.nested);
    // A tensor that is written into on its way is no longer what its producer put out.
    const bool is_as_produced = is_complete_at_producer(found);
    site.pre_activation = is_as_produced ? producer_of(found.activation.z) : "";
    pre_activations_.push_back(is_as_produced ? found.activation.z : nullptr);
    activations_.push_back(found.node->output(0));
    activation_nodes_.push_back(found.node);
    result_.activations.push_back(std::move(site));
  }

  bool is_complete_at_producer(const FoundActivation& found) const {
    Value* z = found.activation.z;
    return completing_node(aliases_, z, found.node) == z->node();
  }

  /// The innermost module whose output is `value`: inner calls are listed before the calls around them.
  std::string producer_of(const Value* value) const {
    for (const ModuleOutput& output : model_.module_outputs) {
      if (value_of(output) == value) {
        return output.path;
      }
    }
    return "";
  }

  Value* value_of(const ModuleOutput& output) const {
    const auto node = nodes_.find(output.scope);
    return node == nodes_.end() ? nullptr : node->second->outputs().at(output.offset);
  }

  void number_calls(std::vector<LayerSite>& sites) const {
    std::set<std::string> dynamic;
    for (std::size_t i = 0; i < sites.size(); ++i) {
      if (is_nested(sites, i)) {
        dynamic.insert(sites[i].name);
      }
    }
    std::map<std::string, std::int64_t> calls;
    for (LayerSite& site : sites) {
      if (dynamic.count(site.name) == 0) {
        site.call = calls[site.name]++;
      }
    }
  }

  bool is_nested(const std::vector<LayerSite>& sites, std::size_t i) const {
    if (&sites == &result_.activations) {
      return nested_[i];
    }
    return nested_nodes_.count(nodes_.at(sites[i].scope)) != 0;
  }

  void add_module(const ModuleOutput& output) {
    Value* value = value_of(output);
    if (value == nullptr || !output.is_tensor) {
      return;
    }
    const Node* last_writer = last_writer_of(value);
    std::vector<std::size_t> sites;
    for (std::size_t i = 0; i < pre_activations_.size(); ++i) {
      if (pre_activations_[i] == value || activations_[i] == value || activation_nodes_[i] == last_writer) {
        sites.push_back(i);
      }
    }
    if (sites.empty()) {
      add_module_output(output, value);
    } else {
      add_alias(output.path, sites);
    }
  }

  /// Where a module returns what an in-place activation has changed last, its output is that activation's.
  const Node* last_writer_of(Value* value) const {
    Node* node = value->node();
    return node->kind() == c10::aten::alias ? completing_node(aliases_, node->input(0), node) : nullptr;
  }

  void add_module_output(const ModuleOutput& output, const Value* value) {
    LayerSite site;
    site.name = output.path;
    site.op = "identity";
    site.is_activation = false;
    site.neuron_axis = neuron_axis_of(value);
    site.pre_activation = output.path;
    site.scope = output.scope;
    site.offset = output.offset;
    result_.outputs.push_back(std::move(site));
  }

  void add_alias(const std::string& name, const std::vector<std::size_t>& sites) {
    auto alias = std::find_if(result_.aliases.begin(), result_.aliases.end(),
                              [&](const LayerAlias& each) { return each.name == name; });
    if (alias == result_.aliases.end()) {
      alias = result_.aliases.insert(alias, LayerAlias{name, {}, false});
    }
    alias->ambiguous = alias->ambiguous || sites.size() > 1;
    alias->sites.insert(alias->sites.end(), sites.begin(), sites.end());
  }

  const InlinedModel& model_;
  torch::jit::AliasDb aliases_;
  NodesByScope nodes_;
  std::set<const Node*> nested_nodes_;
  std::vector<bool> nested_;
  std::vector<Value*> pre_activations_;
  std::vector<Value*> activations_;
  std::vector<const Node*> activation_nodes_;
  LayerSites result_;
};

}  // namespace

LayerSites find_layer_sites(const InlinedModel& model) { return Finder(model).find(); }

}  // namespace pregrad::graph
