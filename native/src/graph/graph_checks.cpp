#include "graph/graph_checks.hpp"

#include <functional>
#include <string>
#include <string_view>

#include <torch/csrc/jit/ir/alias_analysis.h>
#include <torch/csrc/jit/ir/constants.h>

#include "graph/eval_dropout.hpp"
#include "pregrad/error.hpp"

namespace pregrad::graph {

using torch::jit::Block;
using torch::jit::Node;
using torch::jit::toIValue;

namespace {

void for_each_node(Block* block, const std::function<void(Node*)>& visit) {
  for (Node* node : block->nodes()) {
    visit(node);
    for (Block* inner : node->blocks()) {
      for_each_node(inner, visit);
    }
  }
}

bool is_true(const torch::jit::Value* value) {
  const auto constant = toIValue(value);
  return constant && constant->isBool() && constant->toBool();
}

std::string where(const InlinedModel& model, Node* node) {
  const std::string& path = model.path_of(node);
  return path.empty() ? "the model's forward" : "module '" + path + "'";
}

}  // namespace

std::vector<c10::IValue> optional_arguments(const torch::jit::Module& module) {
  const auto method = module.find_method("forward");
  if (!method) {
    throw UnsupportedModelError("the model has no forward method: script or trace a module with one");
  }
  if (!module.type()->getForwardHooks().empty() || !module.type()->getForwardPreHooks().empty()) {
    throw UnsupportedModelError("the model has forward hooks, which change what forward returns: save it without them");
  }
  const auto& arguments = method->function().getSchema().arguments();
  std::string required;
  std::size_t count = 0;
  std::vector<c10::IValue> defaults;
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    if (!arguments[i].default_value()) {
      required += (count++ == 0 ? "" : ", ") + arguments[i].name();
    } else if (i > 1) {
      defaults.push_back(*arguments[i].default_value());
    }
  }
  if (count > 1) {
    throw UnsupportedModelError("forward takes " + std::to_string(count) + " inputs (" + required +
                                "): wrap the model in a module that takes one tensor");
  }
  if (arguments.size() < 2 || !c10::TensorType::get()->isSubtypeOf(*arguments[1].type())) {
    throw UnsupportedModelError("forward takes no tensor as its first input: wrap the model in a module that does");
  }
  return defaults;
}

void require_fixed_graph(const InlinedModel& model) {
  const torch::jit::AliasDb aliases(model.graph);
  for_each_node(model.graph->block(), [&](Node* node) {
    if (node->kind() == c10::prim::fork || node->kind() == c10::prim::forkClosure) {
      throw UnsupportedModelError(where(model, node) + " runs a part of itself with torch.jit.fork: call it directly");
    }
    if (node->kind() == c10::prim::Constant && node->output()->type()->isSubtypeOf(*c10::TensorType::get())) {
      const auto value = toIValue(node->output());
      const auto name = value && value->isTensor() ? model.attributes.find(value->toTensor().unsafeGetTensorImpl())
                                                   : model.attributes.end();
      if (name != model.attributes.end() && aliases.hasWriters(node->output())) {
        throw UnsupportedModelError("the model changes its tensor '" + name->second +
                                    "' in forward, so results would depend on earlier inputs: remove that change");
      }
    }
  });
}

void require_evaluation_mode(const InlinedModel& model) {
  for_each_node(model.graph->block(), [&](Node* node) {
    const std::string_view kind = node->kind().toQualString();
    // batch_norm(input, weight, bias, running_mean, running_var, training, ...)
    constexpr std::size_t training_argument = 5;
    if (kind == "aten::batch_norm" && is_true(node->input(training_argument))) {
      throw UnsupportedModelError(
          where(model, node) +
          " normalises by the statistics of the batch, so samples interact and have no gradient of their own: trace or "
          "script the model after model.eval(), with running statistics");
    }
    if (is_dropout(node) && is_true(node->input(2))) {
      throw UnsupportedModelError(where(model, node) +
                                  " drops activations at random (train mode): trace or script the model after "
                                  "model.eval()");
    }
    constexpr std::size_t rrelu_training_argument = 3;
    if ((kind == "aten::rrelu" || kind == "aten::rrelu_") && is_true(node->input(rrelu_training_argument))) {
      throw UnsupportedModelError(where(model, node) +
                                  " draws random slopes (train mode): trace or script the model after model.eval()");
    }
  });
}

}  // namespace pregrad::graph
