#include "readers/pt2/graph_translator.hpp"

#include <algorithm>
#include <set>
#include <unordered_map>

#include <torch/csrc/jit/runtime/operator.h>

#include "graph/activation_catalog.hpp"
#include "pregrad/error.hpp"
#include "readers/pt2/arguments.hpp"

namespace pregrad::pt2 {

namespace {

using c10::Symbol;
using torch::jit::Graph;
using torch::jit::Value;

/// Python's functions on numbers by what TorchScript calls them.
const std::unordered_map<std::string, Symbol>& functions() {
  static const std::unordered_map<std::string, Symbol> functions = {
      {"_operator.add", c10::aten::add},
      {"_operator.sub", c10::aten::sub},
      {"_operator.mul", c10::aten::mul},
      {"_operator.floordiv", c10::aten::floordiv},
      {"_operator.truediv", c10::aten::div},
      {"_operator.mod", c10::aten::remainder},
      {"_operator.pow", c10::aten::pow},
      {"_operator.neg", c10::aten::neg},
      {"_operator.eq", c10::aten::eq},
      {"_operator.ne", c10::aten::ne},
      {"_operator.lt", c10::aten::lt},
      {"_operator.le", c10::aten::le},
      {"_operator.gt", c10::aten::gt},
      {"_operator.ge", c10::aten::ge},
      {"_operator.and_", c10::aten::__and__},
      {"_operator.or_", c10::aten::__or__},
      {"_operator.lshift", c10::aten::__lshift__},
      {"_operator.rshift", c10::aten::__rshift__},
      {"math.trunc", c10::aten::Int},
      {"math.floor", c10::aten::floor},
      {"math.ceil", c10::aten::ceil},
      {"torch.sym_not", c10::aten::__not__},
      {"torch.sym_int", c10::aten::Int},
      {"torch.sym_float", c10::aten::Float},
      {"torch.sym_max", c10::prim::max},
      {"torch.sym_min", c10::prim::min},
      {"torch.sym_sqrt", c10::aten::sqrt},
      {"torch._sym_sqrt", c10::aten::sqrt},
  };
  return functions;
}

/// One number or another, of one type.
Value* choice(Graph& graph, const JsonValue& node, const std::vector<Value*>& arguments) {
  if (arguments.size() != 3 || arguments[1]->type()->kind() != arguments[2]->type()->kind()) {
    node.fail("takes a truth value and two numbers of one type");
  }
  torch::jit::Node* branch = graph.insertNode(graph.create(c10::prim::If, {arguments[0]}, 1));
  branch->addBlock()->registerOutput(arguments[1]);
  branch->addBlock()->registerOutput(arguments[2]);
  branch->output()->setType(arguments[1]->type());
  return branch->output();
}

Value* applied(Graph& graph, const JsonValue& node, const std::vector<Value*>& arguments) {
  const std::string& target = node["target"].text();
  if (target == "torch.sym_ite") {
    return choice(graph, node, arguments);
  }
  if (target == "_operator.pos" && arguments.size() == 1) {
    return arguments[0];
  }
  const auto function = functions().find(target);
  if (function == functions().end()) {
    throw UnsupportedModelError("the model computes with '" + target +
                                "', which PreGrad does not know: export it without that function");
  }
  return graph.insert(function->second, std::vector<torch::jit::NamedValue>(arguments.begin(), arguments.end()));
}

/// Puts arithmetic on sizes and other numbers into the graph, such as `_operator.mul` or `torch.sym_max`.
/// @throws UnsupportedModelError for a function that PreGrad does not know
void add_symbolic(Graph& graph, const JsonValue& node, Values& values, c10::Device device) {
  std::vector<Value*> arguments;
  for (const JsonValue& input : node["inputs"].elements()) {
    arguments.push_back(Arguments(graph, values, device).of_any_type(input["arg"]));
    if (arguments.back()->type()->isSubtypeOf(*c10::TensorType::get())) {
      input.fail("is a tensor, where a number is computed");
    }
  }
  const auto outputs = node["outputs"].elements();
  if (outputs.size() != 1) {
    node.fail("has " + std::to_string(outputs.size()) + " outputs, not one");
  }
  const auto [kind, name] = outputs[0].variant();
  Value* result = applied(graph, node, arguments);
  // TorchScript's powers and roundings of integers are not all integers.
  if (kind == "as_sym_int" && !result->type()->isSubtypeOf(*c10::IntType::get())) {
    result = graph.insert(c10::aten::Int, {result});
  }
  values.define(name["as_name"], result);
}

}  // namespace

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
  std::size_t number = 0;
  for (const JsonValue& node : archived["nodes"].elements()) {
    if (depth_ == 0) {
      archive_node_ = number++;
    }
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
  add_module_outputs(calls.results(around_, outputs), values);
}

void GraphTranslator::add_module_outputs(const ModuleResults& results, const Values& values) {
  for (const ModuleResult& result : results.told) {
    Value* value = values.find(result.value);
    if (value != nullptr && value->node()->kind() != c10::prim::Param && value->node()->kind() != c10::prim::Constant) {
      model_.module_outputs.push_back(
          {result.path, value->node()->scope().get(), value->offset(), result.number, result.is_one_of_several});
    }
  }
  // A module's calls may be in several graphs.
  model_.untold_outputs.insert(results.untold.begin(), results.untold.end());
  std::erase_if(model_.module_outputs,
                [&](const graph::ModuleOutput& output) { return model_.untold_outputs.count(output.path) != 0; });
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
  const bool is_top_level = depth_ == 1;
  for (Node* added = before->next(); added != place; added = added->next()) {
    tag(added, call);
    if (is_top_level) {
      model_.archive_nodes.emplace(added->scope().get(), archive_node_);
    }
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
