#include "graph/layer_sites.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include <torch/csrc/jit/ir/alias_analysis.h>

#include "graph/activations.hpp"
#include "graph/inlined_model.hpp"
#include "graph/neuron_axis.hpp"
#include "graph/pointwise.hpp"

namespace pregrad::graph {

using torch::jit::Block;
using torch::jit::Node;
using torch::jit::Scope;
using torch::jit::Value;

namespace {

/// A tensor that enters a module, where it is read first.
struct Entry {
  Node* reader = nullptr;
  std::size_t input = 0;
};

class SiteFinder {
 public:
  explicit SiteFinder(const InlinedModel& model) : model_(model), aliases_(model.graph), flow_(*model.graph) {
    collect_nodes(model.graph->block(), false);
  }

  LayerSites find() {
    Activations activations = find_activations(model_);
    drop_what_would_renumber(activations.found);
    for (const Activation& each : activations.found) {
      add_activation(each);
    }
    number_activations(activations.found);
    for (auto& [part, whole] : activations.parts) {
      result_.parts.emplace(part, whole.empty() ? "forward" : whole);
    }
    for (const ModuleOutput& output : model_.module_outputs) {
      add_module(output);
    }
    number_calls(result_.outputs);
    add_inputs();
    number_calls(result_.borders);
    result_.untold_outputs = model_.untold_outputs;
    return std::move(result_);
  }

 private:
  void collect_nodes(Block* block, bool nested) {
    for (Node* node : block->nodes()) {
      nodes_.emplace(scope_of(node), node);
      in_order_.push_back(node);
      if (nested) {
        nested_nodes_.insert(scope_of(node));
      }
      for (Block* inner : node->blocks()) {
        collect_nodes(inner, true);
      }
    }
  }

  // Activations.

  std::string name_of(const Activation& activation) const {
    const ModuleCall& call = model_.calls[activation.call];
    // A recurrent cell is its new state; what it is made of has a name of its own.
    return call.path.empty() ? "forward" : call.path + (call.is_recurrent_cell ? ":gates" : "");
  }

  /// Calls in loops are numbered as they run. Layers that no operator of the catalogue takes part in must not move the
  /// numbers of those that bear the same name.
  void drop_what_would_renumber(std::vector<Activation>& found) const {
    std::set<std::string> nested;
    std::set<std::string> known;
    for (const Activation& each : found) {
      if (each.nested) {
        nested.insert(name_of(each));
      }
      if (each.is_known) {
        known.insert(name_of(each));
      }
    }
    found.erase(std::remove_if(found.begin(), found.end(),
                               [&](const Activation& each) {
                                 const std::string name = name_of(each);
                                 return !each.is_known && nested.count(name) != 0 && known.count(name) != 0;
                               }),
                found.end());
  }

  void add_activation(const Activation& found) {
    Value* const z = found.reader->input(found.input);
    LayerSite site;
    site.name = name_of(found);
    site.op = found.op;
    site.operators = found.operators;
    site.in_place = found.in_place;
    site.neuron_axis = neuron_axis_of(z);
    site.scope = scope_of(found.last);
    site.reader = scope_of(found.reader);
    site.reader_input = found.input;
    site.producer = scope_of(z->node());
    // A tensor that is written into on its way is no longer what its producer put out.
    const bool is_as_produced = completing_node(aliases_, z, found.reader) == z->node();
    site.pre_activation = is_as_produced ? producer_of(z) : "";
    pre_activations_.push_back(is_as_produced ? z : nullptr);
    activations_.push_back(found.last->output(0));
    activation_nodes_.push_back(found.last);
    result_.activations.push_back(std::move(site));
  }

  /// The innermost module whose output is `value`: inner calls are listed before the calls around them.
  std::string producer_of(const Value* value) const {
    for (const ModuleOutput& output : model_.module_outputs) {
      if (!output.is_one_of_several && value_of(output) == value) {
        return output.path;
      }
    }
    return "";
  }

  Value* value_of(const ModuleOutput& output) const {
    const auto node = nodes_.find(output.scope);
    return node == nodes_.end() || output.offset >= node->second->outputs().size()
               ? nullptr
               : node->second->outputs()[output.offset];
  }

  // Calls.

  /// Numbers those in which an operator of the catalogue takes part first.
  void number_activations(const std::vector<Activation>& found) {
    const std::set<std::string> dynamic = dynamic_names(result_.activations);
    std::map<std::string, std::int64_t> calls;
    for (const bool is_known : {true, false}) {
      for (std::size_t i = 0; i < found.size(); ++i) {
        LayerSite& site = result_.activations[i];
        if (found[i].is_known == is_known && dynamic.count(site.name) == 0) {
          site.call = calls[site.name]++;
        }
      }
    }
  }

  void number_calls(std::vector<LayerSite>& sites) const {
    const std::set<std::string> dynamic = dynamic_names(sites);
    std::map<std::string, std::int64_t> calls;
    for (LayerSite& site : sites) {
      if (dynamic.count(site.name) == 0) {
        site.call = calls[site.name]++;
      }
    }
  }

  std::set<std::string> dynamic_names(const std::vector<LayerSite>& sites) const {
    std::set<std::string> names;
    for (const LayerSite& site : sites) {
      if (nested_nodes_.count(site.scope != nullptr ? site.scope : site.reader) != 0) {
        names.insert(site.name);
      }
    }
    return names;
  }

  // What leaves modules.

  void add_module(const ModuleOutput& output) {
    Value* value = value_of(output);
    if (value == nullptr || !value->type()->isSubtypeOf(*c10::TensorType::get()) || is_known_before_a_branch(value)) {
      return;
    }
    const std::string number = output.is_one_of_several ? "." + std::to_string(output.number) : "";
    if (output.number == 0) {
      result_.borders.push_back(output_site(output, value, output.path + ":out"));
    } else {
      result_.borders.push_back(output_site(output, value, output.path + ":out" + number));
      return;
    }
    const bool is_cell = model_.calls[model_.call_of(value->node())].is_recurrent_cell;
    const Node* last_writer = last_writer_of(value);
    std::vector<std::size_t> sites;
    for (std::size_t i = 0; !is_cell && i < pre_activations_.size(); ++i) {
      if (pre_activations_[i] == value || activations_[i] == value || activation_nodes_[i] == last_writer) {
        sites.push_back(i);
      }
    }
    if (sites.empty()) {
      result_.outputs.push_back(output_site(output, value, output.path));
    } else {
      add_alias(output.path, sites);
    }
  }

  /// Whether a branch may only hand the tensor on, in a tuple, and something reads it before: what such a reader does
  /// to the output would be missing from the gradient by the tensor behind the branch.
  bool is_known_before_a_branch(const Value* value) const {
    const Node* const unpacked = value->node();
    if (unpacked->kind() != c10::prim::TupleUnpack || unpacked->input()->node()->kind() != c10::prim::If) {
      return false;
    }
    const Node* const branch = unpacked->input()->node();
    return std::any_of(branch->blocks().begin(), branch->blocks().end(), [&](const Block* block) {
      const Node* const tuple = block->outputs()[unpacked->input()->offset()]->node();
      if (tuple->kind() != c10::prim::TupleConstruct) {
        return true;
      }
      const Value* const element = tuple->input(value->offset());
      return element->node()->owningBlock() != block &&
             std::any_of(element->uses().begin(), element->uses().end(), [&](const torch::jit::Use& use) {
               return use.user->owningBlock()->owningNode() != branch &&
                      use.user->kind() != c10::prim::TupleConstruct &&
                      flow_.carries(use.user->outputs().empty() ? element : use.user->output(0));
             });
    });
  }

  /// Where a module returns what an in-place activation has changed last, its output is that activation's.
  const Node* last_writer_of(Value* value) const {
    Node* node = value->node();
    return node->kind() == c10::aten::alias ? completing_node(aliases_, node->input(0), node) : nullptr;
  }

  static LayerSite output_site(const ModuleOutput& output, const Value* value, std::string name) {
    LayerSite site;
    site.name = std::move(name);
    site.op = "output";
    site.operators = site.op;
    site.is_activation = false;
    site.neuron_axis = neuron_axis_of(value);
    site.pre_activation = output.path;
    site.scope = output.scope;
    site.offset = output.offset;
    site.producer = output.scope;
    return site;
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

  // What enters modules.

  void add_inputs() {
    std::map<std::size_t, std::vector<Node*>> nodes_of;
    for (Node* node : in_order_) {
      for (std::size_t call = model_.call_of(node); call != 0; call = model_.calls[call].parent) {
        nodes_of[call].push_back(node);
      }
    }
    for (const auto& [call, nodes] : nodes_of) {
      const std::vector<Entry> entries = entries_of(nodes);
      for (std::size_t i = 0; i < entries.size(); ++i) {
        const std::string name = model_.calls[call].path + ":in";
        result_.borders.push_back(input_site(entries[i], i == 0 ? name : name + "." + std::to_string(i)));
      }
    }
  }

  /// The tensors of the data that nodes read from outside, in the order in which they are read.
  std::vector<Entry> entries_of(const std::vector<Node*>& nodes) const {
    const std::unordered_set<const Node*> inside(nodes.begin(), nodes.end());
    const auto is_inside = [&](const Value* value) {
      const Node* node = value->node();
      // What a loop of the module's own carries is its own.
      const Node* owner = node->kind() == c10::prim::Param ? node->owningBlock()->owningNode() : node;
      return owner != nullptr && inside.count(owner) != 0;
    };
    std::unordered_set<const Value*> known;
    std::vector<Entry> entries;
    for (Node* node : nodes) {
      for (const std::size_t input : flow_.data_inputs(node)) {
        const Value* const value = node->input(input);
        if (!is_inside(value) && known.insert(value).second) {
          entries.push_back({node, input});
        }
      }
    }
    return entries;
  }

  LayerSite input_site(const Entry& entry, std::string name) const {
    const Value* const value = entry.reader->input(entry.input);
    LayerSite site;
    site.name = std::move(name);
    site.op = "input";
    site.operators = site.op;
    site.is_activation = false;
    site.neuron_axis = neuron_axis_of(value);
    site.pre_activation = producer_of(value);
    site.reader = scope_of(entry.reader);
    site.reader_input = entry.input;
    site.producer = scope_of(value->node());
    return site;
  }

  const InlinedModel& model_;
  torch::jit::AliasDb aliases_;
  DataFlow flow_;
  std::unordered_map<const Scope*, Node*> nodes_;
  std::vector<Node*> in_order_;
  std::unordered_set<const Scope*> nested_nodes_;
  std::vector<Value*> pre_activations_;
  std::vector<Value*> activations_;
  std::vector<const Node*> activation_nodes_;
  LayerSites result_;
};

}  // namespace

LayerSites find_layer_sites(const InlinedModel& model) { return SiteFinder(model).find(); }

}  // namespace pregrad::graph
