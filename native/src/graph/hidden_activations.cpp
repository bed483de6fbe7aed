#include "graph/activations.hpp"

#include <vector>

#include <torch/csrc/jit/ir/ir.h>

namespace pregrad::graph {

using torch::jit::Block;
using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Value;

namespace {

/// Writes the operators that stand in for a node.
class Uncovering {
 public:
  Uncovering(InlinedModel& model, Node* node)
      : model_(model), graph_(*node->owningGraph()), node_(node), first_(node->prev()), guard_(node) {}

  void glu() {
    const std::vector<Value*> halves = split(input(0), 2, input(1));
    finish({graph_.insert(c10::aten::mul, {halves[0], graph_.insert(c10::aten::sigmoid, {halves[1]})})});
  }

  void gru_cell() {
    Value* const state = input(1);
    const std::vector<Value*> from_input = split(linear(input(0), 2, 4), 3, axis());
    const std::vector<Value*> from_state = split(linear(state, 3, 5), 3, axis());
    Value* const reset = graph_.insert(c10::aten::sigmoid, {sum(from_state[0], from_input[0])});
    Value* const update = graph_.insert(c10::aten::sigmoid, {sum(from_state[1], from_input[1])});
    Value* const kept = graph_.insert(c10::aten::mul, {from_state[2], reset});
    Value* const candidate = graph_.insert(c10::aten::tanh, {sum(from_input[2], kept)});
    Value* const change = graph_.insert(c10::aten::mul, {graph_.insert(c10::aten::sub, {state, candidate}), update});
    finish({sum(change, candidate)});
  }

  void lstm_cell() {
    Node* const states = input(1)->node();
    if (states->kind() != c10::prim::ListConstruct || states->inputs().size() != 2) {
      return;
    }
    Value* const gates = sum(linear(states->input(0), 3, 5), linear(input(0), 2, 4));
    const std::vector<Value*> parts = split(gates, 4, axis());
    Value* const enter = graph_.insert(c10::aten::sigmoid, {parts[0]});
    Value* const keep = graph_.insert(c10::aten::sigmoid, {parts[1]});
    Value* const candidate = graph_.insert(c10::aten::tanh, {parts[2]});
    Value* const leave = graph_.insert(c10::aten::sigmoid, {parts[3]});
    Value* const cell =
        sum(graph_.insert(c10::aten::mul, {keep, states->input(1)}), graph_.insert(c10::aten::mul, {enter, candidate}));
    Value* const hidden = graph_.insert(c10::aten::mul, {leave, graph_.insert(c10::aten::tanh, {cell})});
    finish({hidden, cell});
  }

  void rnn_cell(c10::Symbol activation) {
    finish({graph_.insert(activation, {sum(linear(input(0), 2, 4), linear(input(1), 3, 5))})});
  }

 private:
  Value* input(std::size_t i) const { return node_->input(i); }

  Value* axis() { return graph_.insertConstant(1); }

  Value* linear(Value* value, std::size_t weight, std::size_t bias) {
    return graph_.insert(c10::aten::linear, {value, input(weight), input(bias)});
  }

  Value* sum(Value* left, Value* right) { return graph_.insert(c10::aten::add, {left, right}); }

  std::vector<Value*> split(Value* value, std::int64_t parts, Value* axis) {
    Value* const list = graph_.insert(c10::aten::chunk, {value, parts, axis});
    Node* const unpacked = graph_.insertNode(graph_.createListUnpack(list, static_cast<std::size_t>(parts)));
    return unpacked->outputs().vec();
  }

  /// Lets `values` stand in for what the node makes; the name of each at a module's border goes with it.
  void finish(const std::vector<Value*>& values) {
    const std::size_t call = model_.call_of(node_);
    for (Node* added = first_->next(); added != node_; added = added->next()) {
      model_.tag(added, call);
    }
    const torch::jit::Scope* const scope = scope_of(node_);
    for (ModuleOutput& output : model_.module_outputs) {
      if (output.scope == scope) {
        Value* const value = values.at(output.offset);
        output.scope = scope_of(value->node());
        output.offset = value->offset();
      }
    }
    for (std::size_t i = 0; i < values.size(); ++i) {
      node_->output(i)->replaceAllUsesWith(values[i]);
    }
    node_->destroy();
  }

  InlinedModel& model_;
  Graph& graph_;
  Node* node_;
  Node* first_;  ///< what comes before the new operators
  torch::jit::WithInsertPoint guard_;
};

void uncover_in(InlinedModel& model, Block* block) {
  for (auto it = block->nodes().begin(); it != block->nodes().end();) {
    Node* const node = *it;
    ++it;
    for (Block* inner : node->blocks()) {
      uncover_in(model, inner);
    }
    if (node->kind() == c10::aten::glu) {
      Uncovering(model, node).glu();
    } else if (node->kind() == c10::aten::gru_cell) {
      Uncovering(model, node).gru_cell();
    } else if (node->kind() == c10::aten::lstm_cell) {
      Uncovering(model, node).lstm_cell();
    } else if (node->kind() == c10::aten::rnn_tanh_cell) {
      Uncovering(model, node).rnn_cell(c10::aten::tanh);
    } else if (node->kind() == c10::aten::rnn_relu_cell) {
      Uncovering(model, node).rnn_cell(c10::aten::relu);
    }
  }
}

}  // namespace

void uncover_activations(InlinedModel& model) { uncover_in(model, model.graph->block()); }

}  // namespace pregrad::graph
