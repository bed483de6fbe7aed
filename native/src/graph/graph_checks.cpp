#include "graph/graph_checks.hpp"

#include <array>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <ATen/Functions.h>
#include <torch/csrc/jit/ir/alias_analysis.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/ir/ir.h>
#include <torch/csrc/jit/runtime/operator.h>

#include "pregrad/error.hpp"
#include "support/failures.hpp"
#include "support/running_call.hpp"

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

namespace {

using torch::jit::Block;
using torch::jit::Node;
using torch::jit::Operation;
using torch::jit::Operator;
using torch::jit::Stack;

constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();

const c10::IValue& argument(const Stack& stack, std::size_t count, std::size_t index) {
  return stack[stack.size() - count + index];
}

void require_quotient(std::int64_t dividend, std::int64_t divisor) {
  if (divisor == 0 || (divisor == -1 && dividend == least)) {
    throw std::runtime_error(std::string(support::division_words) + std::to_string(dividend) + " by " +
                             std::to_string(divisor) + (divisor == 0 ? "" : ", which no integer holds") +
                             ": mend that in its forward, or give inputs of a shape for which it divides by another");
  }
}

/// Of two integers: those of which the processor makes a signal that ends the process, rather than an exception.
void require_integer_quotient(const Stack& stack, std::size_t count) {
  const c10::IValue& dividend = argument(stack, count, 0);
  const c10::IValue& divisor = argument(stack, count, 1);
  if (dividend.isInt() && divisor.isInt()) {
    require_quotient(dividend.toInt(), divisor.toInt());
  } else if (dividend.isBool() || divisor.isBool()) {
    // Scalars of both kinds are whole numbers there.
    const auto whole = [](const c10::IValue& value) {
      return value.isBool() ? static_cast<std::int64_t>(value.toBool()) : value.isInt() ? value.toInt() : 1;
    };
    require_quotient(whole(dividend), whole(divisor));
  }
}

/// A greatest common divisor divides by what is not 0.
void require_common_divisor(const Stack& stack, std::size_t count) {
  const std::int64_t left = argument(stack, count, 0).toInt();
  const std::int64_t right = argument(stack, count, 1).toInt();
  if (left != 0 && right != 0) {
    require_quotient(left, right);
    require_quotient(right, left);
  }
}

bool is_in(const at::Tensor& tensor, std::int64_t value) { return tensor.eq(value).any().item<bool>(); }

/// Of tensors, elements divided by 0 are an error of LibTorch's own, but for the least number by −1 it has none.
void require_tensor_quotients(const Stack& stack, std::size_t count) {
  const c10::IValue& divisor = argument(stack, count, 1);
  const at::Tensor dividend = argument(stack, count, 0).toTensor();
  const bool traps = dividend.defined() && dividend.is_cpu() &&
                     (dividend.scalar_type() == at::kLong || dividend.scalar_type() == at::kInt) &&
                     !argument(stack, count, 2).isNone();
  if (!traps) {
    return;
  }
  const bool is_integral =
      divisor.isTensor() ? at::isIntegralType(divisor.toTensor().scalar_type(), true) : divisor.isInt();
  if (!is_integral || !(divisor.isTensor() ? is_in(divisor.toTensor(), -1) : divisor.toInt() == -1)) {
    return;
  }
  const std::int64_t smallest = dividend.scalar_type() == at::kLong ? least : std::numeric_limits<std::int32_t>::min();
  if (is_in(dividend, smallest)) {
    throw std::runtime_error(std::string(support::division_words) + std::to_string(smallest) +
                             " by -1 in tensors, which no such integer holds: mend that in its forward");
  }
}

/// Attention divides the width by the number of heads.
void require_heads(const Stack& stack, std::size_t count, std::size_t index) {
  const std::int64_t heads = argument(stack, count, index).toInt();
  if (heads < 1) {
    throw std::runtime_error(std::string(support::division_words) + "the width of attention by " +
                             std::to_string(heads) + " heads: save the model with a number of heads from 1");
  }
}

struct Guarded {
  const char* name;
  const char* overload;
  void (*require)(const Stack&, std::size_t count);
};

constexpr std::array<Guarded, 14> guarded_operators = {{
    {"aten::remainder", "int", require_integer_quotient},
    {"aten::remainder", "", require_integer_quotient},
    {"aten::floordiv", "int", require_integer_quotient},
    {"aten::floordiv", "", require_integer_quotient},
    {"aten::divmod", "int", require_integer_quotient},
    {"aten::__round_to_zero_floordiv", "int", require_integer_quotient},
    {"aten::gcd", "int", require_common_divisor},
    {"aten::div", "Tensor_mode", require_tensor_quotients},
    {"aten::div", "Scalar_mode", require_tensor_quotients},
    {"aten::div_", "Tensor_mode", require_tensor_quotients},
    {"aten::div_", "Scalar_mode", require_tensor_quotients},
    {"aten::_transform_bias_rescale_qkv", "",
     [](const Stack& stack, std::size_t count) { require_heads(stack, count, 2); }},
    {"aten::_native_multi_head_attention", "",
     [](const Stack& stack, std::size_t count) { require_heads(stack, count, 4); }},
    {"aten::_transformer_encoder_layer_fwd", "",
     [](const Stack& stack, std::size_t count) { require_heads(stack, count, 2); }},
}};

std::shared_ptr<Operator> guarded(const Operator& plain, void (*require)(const Stack&, std::size_t)) {
  const c10::FunctionSchema& schema = plain.schema();
  const std::size_t count = schema.arguments().size();
  Operation operation([run = plain.getOperation(), count, require](Stack& stack) mutable {
    require(stack, count);
    run(stack);
  });
  if (plain.isC10Op()) {
    if (const auto handle = c10::Dispatcher::singleton().findSchema(schema.operator_name())) {
      return std::make_shared<Operator>(*handle, std::move(operation));
    }
  }
  return std::make_shared<Operator>(schema.name(), schema.overload_name(), schema.arguments(), schema.returns(),
                                    std::move(operation), plain.aliasAnalysisKind());
}

/// Puts a guard in front of the operators. LibTorch already runs them when it reads a model, as it folds constants: no
/// rewriting of a graph would come in time. In its registry each keeps its place among its overloads, whose order
/// decides which one a call means; whoever has looked an operator up before keeps the one that he found.
void guard_operators() {
  // Never let go of: nodes of other people's graphs point to them.
  static auto& replaced = *new std::vector<std::shared_ptr<Operator>>();
  for (const Guarded& each : guarded_operators) {
    // The registry has no way to replace an operator but to remove it, and with it its place.
    auto& overloads = const_cast<std::vector<std::shared_ptr<Operator>>&>(
        torch::jit::getAllOperatorsFor(c10::Symbol::fromQualString(each.name)));
    for (std::shared_ptr<Operator>& overload : overloads) {
      if (overload->schema().overload_name() == each.overload) {
        std::shared_ptr<Operator> guard = guarded(*overload, each.require);
        replaced.push_back(overload);
        overload.swap(guard);
      }
    }
  }
}

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

void guard_integer_division() {
  static std::once_flag once;
  std::call_once(once, guard_operators);
}

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
