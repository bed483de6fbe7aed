#include "graph/rewrites/eval_dropout.hpp"

#include <string>
#include <unordered_set>

#include <torch/csrc/jit/ir/constants.h>

namespace pregrad::rewrites {

namespace {

void remove_in(torch::jit::Block* block) {
  for (auto it = block->nodes().begin(); it != block->nodes().end();) {
    torch::jit::Node* node = *it;
    ++it;
    for (torch::jit::Block* inner : node->blocks()) {
      remove_in(inner);
    }
    if (is_inactive_dropout(node)) {
      node->output()->replaceAllUsesWith(node->input(0));
      node->destroy();
    }
  }
}

}  // namespace

bool is_dropout(const torch::jit::Node* node) {
  static const std::unordered_set<std::string> kinds = {
      "aten::dropout",       "aten::dropout_",       "aten::feature_dropout",       "aten::feature_dropout_",
      "aten::alpha_dropout", "aten::alpha_dropout_", "aten::feature_alpha_dropout", "aten::feature_alpha_dropout_",
      "aten::native_dropout"};
  return kinds.count(node->kind().toQualString()) != 0;
}

bool is_inactive_dropout(const torch::jit::Node* node) {
  if (!is_dropout(node)) {
    return false;
  }
  const auto active = torch::jit::toIValue(node->input(2));
  return active && active->isBool() && !active->toBool();
}

void remove_eval_dropout(torch::jit::Graph& graph) { remove_in(graph.block()); }

}  // namespace pregrad::rewrites
