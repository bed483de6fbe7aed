#include "graph/untouched_model.hpp"

#include <utility>

#include <torch/csrc/jit/api/function_impl.h>

namespace pregrad::graph {

UntouchedModel::UntouchedModel(torch::jit::Module module) : module_(std::move(module)) {}

UntouchedModel::UntouchedModel(torch::jit::Graph& graph) : graph_(graph.copy()) {}

const torch::jit::Code& UntouchedModel::code() const {
  std::call_once(once_, [&] {
    if (module_) {
      // LibTorch's own preparation, regions of autocast included; no executor that watches runs and compiles.
      graph_ = torch::jit::toGraphFunction(module_->get_method("forward").function()).optimized_graph();
    }
    code_ = torch::jit::Code(graph_, "pregrad_untouched");
  });
  return code_;
}

c10::IValue UntouchedModel::run(std::vector<c10::IValue> arguments) const {
  if (module_) {
    arguments.insert(arguments.begin(), module_->_ivalue());
  }
  torch::jit::InterpreterState(code()).run(arguments);
  return std::move(arguments.front());
}

}  // namespace pregrad::graph
