#include <memory>

#include <torch/csrc/jit/ir/ir.h>
#include <torch/csrc/jit/runtime/operator.h>

#include "graph/graph_checks.hpp"
#include "support/running_call.hpp"

namespace pregrad::graph {

namespace {

using torch::jit::Block;
using torch::jit::Node;
using torch::jit::Operation;
using torch::jit::Operator;
using torch::jit::Stack;

void go_on(Stack& /*unused*/) { support::RunningCall::go_on(); }

c10::Symbol go_on_operator() {
  static const c10::Symbol symbol = [] {
    const char* const name = "pregrad::go_on";
    torch::jit::registerOperator(Operator(name, "", {}, {}, Operation(go_on), c10::AliasAnalysisKind::CONSERVATIVE));
    return c10::Symbol::fromQualString(name);
  }();
  return symbol;
}

/// How many operators run between two looks at whether the call goes on.
constexpr int operators_between = 8;

void insert_looks(Block* block, bool is_loop) {
  int behind = is_loop ? operators_between : 0;
  for (auto it = block->nodes().begin(); it != block->nodes().end(); ++it) {
    Node* const node = *it;
    if (node->kind() == torch::jit::prim::Constant) {
      continue;
    }
    for (Block* inner : node->blocks()) {
      insert_looks(inner, node->kind() == torch::jit::prim::Loop);
    }
    if (++behind > operators_between) {
      block->owningGraph()->create(go_on_operator(), 0)->insertBefore(node);
      behind = 1;
    }
  }
  if (is_loop && behind == operators_between) {  // a body without an operator
    block->owningGraph()->create(go_on_operator(), 0)->insertBefore(block->return_node());
  }
}

}  // namespace

torch::jit::Code checked_code(const std::shared_ptr<torch::jit::Graph>& graph, const char* name) {
  insert_looks(graph->block(), false);
  return torch::jit::Code(graph, name);
}

void run_code(const torch::jit::Code& code, torch::jit::Stack& stack) {
  try {
    torch::jit::InterpreterState(code).run(stack);
  } catch (...) {
    support::RunningCall::rethrow_if_ended();
    throw;
  }
}

}  // namespace pregrad::graph
