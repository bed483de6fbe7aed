#include "readers/pt2/graph_translator.hpp"

#include <algorithm>
#include <set>

#include <torch/csrc/jit/runtime/operator.h>

#include "graph/activation_catalog.hpp"
#include "pregrad/error.hpp"
#include "readers/pt2/higher_order.hpp"
#include "readers/pt2/operator_nodes.hpp"
#include "readers/pt2/symbolic_nodes.hpp"

namespace pregrad::pt2 {

using torch::jit::Block;
using torch::jit::Node;
using torch::jit::Value;

namespace {

/// The one tensor from outside that a run of nodes reads, weights and other constants aside; null if there are several.
Value* argument_of(const FunctionRun& run, const std::vector<NodeRecord>& records, const Values& values) {
  std::set<std::string> inside;
  std::set<Value*> read;
  for (std::size_t i = run.first; i <= run.last; ++i) {
    for (const std::string& name : records[i].reads) {
      Value* value = inside.count(name) == 0 ? values.find(name) : nullptr;
      if (value != nullptr && value->type()->isSubtypeOf(*c10::TensorType::get()) &&
          value->node()->kind() != c10::prim::Constant) {
        read.insert(value);
      }
    }
    inside.insert(records[i].makes.begin(), records[i].makes.end());
  }
  return read.size() == 1 ? *read.begin() : nullptr;
}

/// Dropout that is not active gives what it gets.
bool is_passed_on(const NodeRecord& record, const Value* made, const Values& values) {
  return std::any_of(record.reads.begin(), record.reads.end(),
                     [&](const std::string& name) { return values.find(name) == made; });
}

/// A class's name without what encloses it.
std::string class_name(const std::string& full_name) { return full_name.substr(full_name.rfind('.') + 1); }

bool is_operator_name(const std::string& function) {
  return !function.empty() && !torch::jit::getAllOperatorsFor(c10::Symbol::aten(function)).empty();
}

}  // namespace

void GraphTranslator::translate(const JsonValue& archived, Values& values) {
  // Every level of an honest archive is a control flow statement.
  constexpr std::size_t deepest = 64;
  if (depth_ > deepest) {
    archived.fail("is a graph within more than " + std::to_string(deepest) + " others");
  }
  ModuleCalls calls;
  for (const JsonValue& node : archived["nodes"].elements()) {
    NodeRecord record = record_of(node);
    const ModuleStack outside = around_;
    if (!record.stack.empty()) {
      around_ = record.stack;
    }
    ++depth_;
    translate_node(node, values);
    --depth_;
    around_ = outside;
    calls.add(std::move(record));
  }
  add_composite_activations(calls, values);
  std::vector<std::string> outputs;
  for (const JsonValue& output : archived["outputs"].elements()) {
    for (std::string& name : names_in(output)) {
      outputs.push_back(std::move(name));
    }
  }
  for (const ModuleResult& result : calls.results(around_, outputs)) {
    Value* value = values.find(result.value);
    if (value != nullptr && value->node()->kind() != c10::prim::Param && value->node()->kind() != c10::prim::Constant) {
      model_.module_outputs.push_back(
          {result.path, value->node()->scope().get(), value->offset(), result.number, result.is_one_of_several});
    }
  }
}

std::vector<Value*> GraphTranslator::translate_inner(const JsonValue& archived, const std::vector<Value*>& inputs) {
  const auto names = archived["inputs"].elements();
  if (names.size() != inputs.size()) {
    archived.fail("takes " + std::to_string(names.size()) + " inputs, and gets " + std::to_string(inputs.size()));
  }
  Values values;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto [kind, name] = names[i].variant();
    values.define(name[kind == "as_tensor" ? "name" : "as_name"], inputs[i]);
  }
  translate(archived, values);
  std::vector<Value*> outputs;
  for (const JsonValue& output : archived["outputs"].elements()) {
    outputs.push_back(Arguments(graph(), values, device_).of_any_type(output));
  }
  return outputs;
}

void GraphTranslator::translate_node(const JsonValue& node, Values& values) {
  const std::string& target = node["target"].text();
  Node* place = graph().insertPoint();
  Node* before = place->prev();
  if (is_higher_order(target)) {
    add_higher_order(*this, node, values);
  } else if (is_operator(target)) {
    add_operator(graph(), node, values, device_);
  } else {
    add_symbolic(graph(), node, values, device_);
  }
  const std::size_t call = current_call();
  for (Node* added = before->next(); added != place; added = added->next()) {
    tag(added, call);
  }
}

std::size_t GraphTranslator::current_call() {
  std::size_t call = 0;
  for (const ModuleCall& each : around_) {
    if (each.path.empty()) {
      model_.calls.front().type = class_name(each.type);
      continue;
    }
    const auto [known, is_new] = calls_.emplace(std::pair(call, each.key), model_.calls.size());
    if (is_new) {
      model_.calls.push_back({each.path, class_name(each.type), call, graph::is_recurrent_cell(each.type)});
    }
    call = known->second;
  }
  return call;
}

void GraphTranslator::tag(Node* node, std::size_t call) {
  if (model_.node_calls.count(node->scope().get()) != 0) {
    return;
  }
  for (Block* block : node->blocks()) {
    for (Node* inner : block->nodes()) {
      tag(inner, call);
    }
  }
  model_.tag(node, call);
}

void GraphTranslator::add_composite_activations(const ModuleCalls& calls, const Values& values) {
  for (const FunctionRun& run : calls.function_runs()) {
    const auto& records = calls.records();
    Value* a = records[run.last].makes.empty() ? nullptr : values.find(records[run.last].makes.front());
    if (a == nullptr || a->node()->kind() == c10::prim::Param || is_passed_on(records[run.last], a, values)) {
      continue;
    }
    const auto whole = graph::as_activation(a->node());
    // A ReLU6 is called as hardtanh.
    if (whole && run.first == run.last && (whole->op == run.function || run.function == "hardtanh")) {
      continue;
    }
    const bool is_activation = graph::is_activation_name(run.function);
    if (!is_activation && !is_operator_name(run.function)) {
      continue;
    }
    Value* z = is_activation ? argument_of(run, records, values) : nullptr;
    // What an operator is decomposed into may look like an activation; glu is a split, a sigmoid and a product.
    const bool is_taken_apart = run.function == "glu";
    for (std::size_t i = run.first; i <= run.last && !is_taken_apart; ++i) {
      for (const std::string& name : records[i].makes) {
        Value* made = values.find(name);
        if (made != nullptr && (run.first != run.last || graph::as_activation(made->node()))) {
          model_.parts.insert(made->node()->scope().get());
          model_.functions.emplace(made->node()->scope().get(), run.function);
        }
      }
    }
    if (z != nullptr && z->node()->kind() != c10::prim::Param && a != z) {
      model_.composites[a->node()->scope().get()] = {run.function, z->node()->scope().get(), z->offset()};
    }
  }
}

}  // namespace pregrad::pt2
