#include "graph/rerun_graph.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <torch/csrc/jit/ir/alias_analysis.h>
#include <torch/csrc/jit/ir/ir.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>

#include "graph/graph_checks.hpp"

namespace pregrad::graph {

namespace {

/// A value that is made before a cut and used behind it.
struct Crossing {
  torch::jit::Value* value = nullptr;
  bool is_written = false;  ///< something behind the cut writes into it
};

using torch::jit::AliasDb;
using torch::jit::Block;
using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Value;

bool is_constant(const Value* value) { return value->node()->kind() == torch::jit::prim::Constant; }

/// Whether a region, such as one under torch.no_grad, ends by this value: a part that begins inside would run outside.
bool leaves_region(const Value* value) {
  return value->node()->kind() == c10::Symbol::aten("is_grad_enabled") ||
         std::any_of(value->uses().begin(), value->uses().end(),
                     [](const torch::jit::Use& use) { return use.user->kind() == torch::jit::prim::Exit; });
}

/// Collects in program order what is used behind the cut and made before it.
class CrossingFinder {
 public:
  CrossingFinder(Graph& graph, Node* last) : graph_(graph), last_(last) {}

  std::vector<Value*> find() {
    for (Node* node = last_->next(); node != graph_.return_node(); node = node->next()) {
      visit(node);
    }
    visit_inputs(graph_.return_node());
    return std::move(found_);
  }

 private:
  void visit(Node* node) {
    visit_inputs(node);
    for (Block* block : node->blocks()) {
      for (Node* inner : block->nodes()) {
        visit(inner);
      }
      visit_inputs(block->return_node());
    }
  }

  void visit_inputs(Node* node) {
    for (Value* value : node->inputs()) {
      Node* producer = value->node();
      const bool is_before = producer->owningBlock() == graph_.block() &&
                             (producer == graph_.param_node() || producer == last_ || producer->isBefore(last_));
      if (is_before && !is_constant(value) && known_.insert(value).second) {
        found_.push_back(value);
      }
    }
  }

  Graph& graph_;
  Node* last_;
  std::vector<Value*> found_;
  std::unordered_set<Value*> known_;
};

/// Copies nodes into a new graph.
class Copier {
 public:
  Value* add_input(Value* value) {
    Value* input = graph_->addInput();
    input->setType(value->type());
    return copies_[value] = input;
  }

  void add_node(Node* node) {
    Node* copy = graph_->createClone(node, [this](Value* value) { return copy_of(value); });
    graph_->appendNode(copy);
    for (std::size_t i = 0; i < node->outputs().size(); ++i) {
      copies_[node->output(i)] = copy->output(i);
    }
  }

  void add_output(Value* value) { graph_->registerOutput(copy_of(value)); }

  std::shared_ptr<Graph> graph() { return graph_; }

 private:
  Value* copy_of(Value* value) {
    const auto known = copies_.find(value);
    if (known != copies_.end()) {
      return known->second;
    }
    if (is_constant(value)) {
      add_node(value->node());
    }
    return copies_.at(value);
  }

  std::shared_ptr<Graph> graph_ = std::make_shared<Graph>();
  std::unordered_map<Value*, Value*> copies_;
};

/// The values that cross the graph's top level behind `last`, constants aside.
/// @param tapped     always crosses, because a tap will read it behind the cut
/// @param is_edited  whether that tap will write into it, besides what the graph writes
/// @returns nothing where a part behind the cut could not run again and again from kept values: it writes into
/// something that is no tensor, or that crosses under two names, or it begins within a region of its own gradient mode
std::optional<std::vector<Crossing>> crossings(Graph& graph, const AliasDb& aliases, Node* last, Value* tapped,
                                               bool is_edited) {
  std::vector<Value*> values = CrossingFinder(graph, last).find();
  if (std::find(values.begin(), values.end(), tapped) == values.end()) {
    values.push_back(tapped);
  }
  std::vector<Crossing> found;
  for (Value* value : values) {
    if (leaves_region(value)) {
      return std::nullopt;
    }
    bool is_written = is_edited && (value == tapped || aliases.mayAlias(value, tapped));
    for (Node* node = last->next(); !is_written && node != graph.return_node(); node = node->next()) {
      is_written = aliases.writesToAlias(node, {value});
    }
    const bool is_shared = is_written && std::any_of(values.begin(), values.end(), [&](Value* other) {
                             return other != value && aliases.mayContainAlias(other, value);
                           });
    if (is_shared || (is_written && !value->type()->isSubtypeOf(*c10::TensorType::get()))) {
      return std::nullopt;
    }
    found.push_back({value, is_written});
  }
  return found;
}

/// The nodes of the top level up to `last` as a graph of their own, which gives `outputs`.
std::shared_ptr<Graph> graph_before(Graph& graph, Node* last, const std::vector<Crossing>& outputs) {
  Copier copier;
  for (Value* input : graph.inputs()) {
    copier.add_input(input);
  }
  if (last != graph.param_node()) {
    for (Node* node = *graph.nodes().begin(); node != last->next(); node = node->next()) {
      copier.add_node(node);
    }
  }
  for (const Crossing& crossing : outputs) {
    copier.add_output(crossing.value);
  }
  return copier.graph();
}

std::shared_ptr<Graph> graph_behind(Graph& graph, Node* last, const std::vector<Crossing>& inputs) {
  Copier copier;
  for (const Crossing& crossing : inputs) {
    copier.add_input(crossing.value);
  }
  copier.add_input(graph.inputs().back());
  for (Node* node = last->next(); node != graph.return_node(); node = node->next()) {
    copier.add_node(node);
  }
  for (Value* output : graph.outputs()) {
    copier.add_output(output);
  }
  return copier.graph();
}

}  // namespace

using torch::jit::Graph;
using torch::jit::Node;

namespace {

/// The last node of the prefix; null if the layer is inside a loop or a branch, or has several places in the graph.
/// @param places the layer's first
Node* last_of_prefix(Graph& graph, const std::vector<TapPlace>& places, std::size_t places_of_layer, Stage stage) {
  if (places_of_layer != 1) {
    return nullptr;
  }
  const TapPlace& place = places.front();
  const bool is_behind_activation = stage == Stage::activation && place.activation != nullptr;
  Node* last = is_behind_activation ? place.activation : place.z_after;
  return last->owningBlock() == graph.block() && last != graph.param_node() ? last : nullptr;
}

/// Leaves out the taps that would be in front of the cut, where nothing depends on the layer.
void keep_behind(Graph& graph, const Node* last, const std::vector<Tap>& taps, std::vector<TapPlace>& places) {
  for (std::size_t i = 0; i < taps.size(); ++i) {
    Node* first = places[i].z_after;
    while (first->owningBlock() != graph.block()) {
      first = first->owningBlock()->owningNode();
    }
    places[i].is_left_out = taps[i].follows && first != last && (first == graph.param_node() || first->isBefore(last));
  }
}

}  // namespace

RerunGraph::RerunGraph(Graph& model, const std::vector<Tap>& taps, Stage stage) {
  const auto graph = model.copy();
  std::vector<TapPlace> places;
  std::optional<std::vector<Crossing>> crossing;
  Node* last = nullptr;
  {
    const torch::jit::AliasDb aliases(graph);
    places = find_tap_places(*graph, aliases, taps);
    const auto places_of_layer = std::count_if(taps.begin(), taps.end(), [](const Tap& tap) { return !tap.follows; });
    last = last_of_prefix(*graph, places, static_cast<std::size_t>(places_of_layer), stage);
    if (last != nullptr) {
      const TapPlace& place = places.front();
      const bool is_a = stage == Stage::activation && place.activation != nullptr;
      const bool is_overwritten = (is_a ? place.a_writes : place.z_writes) != LaterWrites::none;
      crossing = crossings(*graph, aliases, last, is_a ? place.a : place.z, is_overwritten);
    }
    if (crossing) {
      keep_behind(*graph, last, taps, places);
    }
  }
  sites_ = tap_sites(taps, places);
  std::shared_ptr<Graph> prefix;
  if (crossing) {
    prefix = graph_before(*graph, last, *crossing);
    torch::jit::EliminateDeadCode(prefix);
    for (const Crossing& each : *crossing) {
      is_written_.push_back(each.is_written);
    }
  }
  insert_taps(*graph, taps, places, stage == Stage::activation ? TapParts::activation_only : TapParts::all);
  if (!crossing) {
    rest_ = checked_code(graph, "pregrad");
    return;
  }
  prefix_ = std::make_shared<torch::jit::Code>(checked_code(prefix, "pregrad_prefix"));
  rest_ = checked_code(graph_behind(*graph, last, *crossing), "pregrad_rest");
}

RerunGraph::Start RerunGraph::start(std::vector<c10::IValue> arguments) const {
  if (prefix_) {
    run_code(*prefix_, arguments);
  }
  return arguments;
}

Run RerunGraph::run(const Start& start, const Editor* editor) const {
  Start values = start;
  for (std::size_t i = 0; i < is_written_.size(); ++i) {
    if (is_written_[i] && values[i].isTensor()) {
      values[i] = values[i].toTensor().clone();
    }
  }
  return run_tapped(rest_, sites_, std::move(values), editor);
}

}  // namespace pregrad::graph
