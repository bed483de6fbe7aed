#include "graph/completion.hpp"

namespace pregrad::graph {

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
