#include "graph/graph_checks.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include <torch/csrc/jit/ir/alias_analysis.h>
#include <torch/csrc/jit/ir/constants.h>

#include "pregrad/error.hpp"

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

/// By operator, which of its arguments says that it is in training mode.
using TrainingArguments = std::unordered_map<std::string_view, std::size_t>;

const TrainingArguments& batch_statistics_arguments() {
  static const TrainingArguments arguments = {{"aten::batch_norm", 5},
                                              {"aten::native_batch_norm", 5},
                                              {"aten::_native_batch_norm_legit", 5},
                                              {"aten::_native_batch_norm_legit_functional", 5}};
  return arguments;
}

const TrainingArguments& random_slope_arguments() {
  static const TrainingArguments arguments = {
      {"aten::rrelu", 3}, {"aten::rrelu_", 3}, {"aten::rrelu_with_noise", 4}, {"aten::rrelu_with_noise_functional", 4}};
  return arguments;
}

bool is_true_at(const Node* node, const TrainingArguments& arguments) {
  const auto argument = arguments.find(node->kind().toQualString());
  return argument != arguments.end() && argument->second < node->inputs().size() &&
         is_true(node->input(argument->second));
}

std::string where(const InlinedModel& model, Node* node) {
  const std::string& path = model.path_of(node);
  return path.empty() ? "the model's forward" : "module '" + path + "'";
}

}  // namespace

void require_fixed_graph(const InlinedModel& model) {
  const torch::jit::AliasDb aliases(model.graph);
  for_each_node(model.graph->block(), [&](Node* node) {
    if (node->kind() == c10::prim::fork || node->kind() == c10::prim::forkClosure) {
      throw UnsupportedModelError(where(model, node) + " runs a part of itself with torch.jit.fork: call it directly");
    }
    if (node->kind() == c10::aten::manual_seed) {
      throw UnsupportedModelError(where(model, node) +
                                  " sets the seed of random numbers, which a run of a part of it would draw in another "
                                  "order: remove what is random in forward");
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
    if (is_true_at(node, batch_statistics_arguments())) {
      throw UnsupportedModelError(
          where(model, node) +
          " normalises by the statistics of the batch, so samples interact and have no gradient "
          "of their own: save the model after model.eval(), with running statistics");
    }
    if (rewrites::is_dropout(node) && is_true(node->input(2))) {
      throw UnsupportedModelError(where(model, node) +
                                  " drops activations at random (train mode): save the model after model.eval()");
    }
    if (is_true_at(node, random_slope_arguments())) {
      throw UnsupportedModelError(where(model, node) +
                                  " draws random slopes (train mode): save the model after model.eval()");
    }
  });
}

}  // namespace pregrad::graph
