#include "graph/inlined_model.hpp"

#include <string_view>

namespace pregrad::graph {

NodesByScope nodes_by_scope(torch::jit::Block* block) {
  NodesByScope nodes;
  for (torch::jit::Node* node : block->nodes()) {
    nodes.emplace(scope_of(node), node);
    for (torch::jit::Block* inner : node->blocks()) {
      nodes.merge(nodes_by_scope(inner));
    }
  }
  return nodes;
}

bool is_recurrent_cell(const std::string& class_name) {
  constexpr std::string_view package = "torch.nn.modules.rnn.";
  const std::size_t found = class_name.find(package);
  return found != std::string::npos && class_name.ends_with("Cell");
}

void InlinedModel::tag(torch::jit::Node* node, std::size_t call) {
  using torch::jit::Scope;
  auto scope = c10::make_intrusive<Scope>(c10::make_intrusive<Scope>(), c10::Symbol::scope("pregrad"));
  node_calls.emplace(scope.get(), call);
  scopes.push_back(scope);
  node->setScope(scope);
}

std::size_t InlinedModel::call_of(const torch::jit::Node* node) const {
  const auto found = node_calls.find(scope_of(node));
  return found == node_calls.end() ? 0 : found->second;
}

std::size_t InlinedModel::common_call(std::size_t left, std::size_t right) const {
  // A call stands behind its parent, so the later of two different ones is inside no other than its parent.
  while (left != right) {
    (left > right ? left : right) = calls[left > right ? left : right].parent;
  }
  return left;
}

using torch::jit::Block;
using torch::jit::Node;

Node* completing_node(const torch::jit::AliasDb& aliases, torch::jit::Value* z, Node* activation) {
  Node* producer = z->node();
  Node* reader = activation;
  for (;;) {
    Block* block = reader->owningBlock();
    for (Node* node = reader->prev(); node != producer && node != block->param_node(); node = node->prev()) {
      if (aliases.writesToAlias(node, {z})) {
        return node;
      }
    }
    if (block == producer->owningBlock()) {
      return producer;
    }
    Node* owner = block->owningNode();
    // What a loop writes, its next round reads.
    if (owner->kind() == torch::jit::prim::Loop && aliases.writesToAlias(owner, {z})) {
      return block->param_node();
    }
    reader = owner;
  }
}

}  // namespace pregrad::graph
