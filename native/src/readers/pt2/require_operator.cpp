#include "readers/pt2/require_operator.hpp"

#include <stdexcept>

#include <torch/csrc/jit/runtime/operator.h>

namespace pregrad::pt2 {

namespace {

void require(torch::jit::Stack& stack) {
  const std::string message = torch::jit::pop(stack).toStringRef();
  if (!torch::jit::pop(stack).toBool()) {
    throw std::runtime_error(message);
  }
}

c10::Symbol require_symbol() {
  static const c10::Symbol symbol = [] {
    std::vector<c10::Argument> arguments = {c10::Argument("condition", c10::BoolType::get()),
                                            c10::Argument("message", c10::StringType::get())};
    torch::jit::registerOperator(torch::jit::Operator("pregrad::require", "", std::move(arguments), {},
                                                      torch::jit::Operation(require),
                                                      c10::AliasAnalysisKind::CONSERVATIVE));
    return c10::Symbol::fromQualString("pregrad::require");
  }();
  return symbol;
}

}  // namespace

void insert_require(torch::jit::Graph& graph, torch::jit::Value* condition, const std::string& message) {
  graph.insertNode(graph.create(require_symbol(), {condition, graph.insertConstant(message)}, 0));
}

}  // namespace pregrad::pt2
