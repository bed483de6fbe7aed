#include "graph/completion.hpp"

namespace pregrad::graph {

using torch::jit::Node;

Node* completing_node(const torch::jit::AliasDb& aliases, torch::jit::Value* z, Node* activation) {
  Node* producer = z->node();
  if (producer->owningBlock() != activation->owningBlock()) {
    return activation->prev();
  }
  for (Node* node = activation->prev(); node != producer; node = node->prev()) {
    if (aliases.writesToAlias(node, {z})) {
      return node;
    }
  }
  return producer;
}

}  // namespace pregrad::graph
