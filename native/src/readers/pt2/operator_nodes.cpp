#include "readers/pt2/graph_translator.hpp"

#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>

#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/ir/ir.h>
#include <torch/csrc/jit/runtime/operator.h>
#include <torch/version.h>

#include "graph/graph_checks.hpp"
#include "pregrad/error.hpp"
#include "readers/pt2/arguments.hpp"

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

/// Puts a check into the graph, which ends a run with `message` where `condition` is false. It has an effect, so no
/// pass removes it.
void insert_require(torch::jit::Graph& graph, torch::jit::Value* condition, const std::string& message) {
  graph.insertNode(graph.create(require_symbol(), {condition, graph.insertConstant(message)}, 0));
}

}  // namespace

using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Value;

namespace {

constexpr std::string_view operators = "torch.ops.";
constexpr std::string_view higher_order = "torch.ops.higher_order.";

/// `torch.ops.aten.add.Tensor` as LibTorch's `aten::add.Tensor`.
c10::OperatorName operator_name(const JsonValue& target) {
  const std::string name = target.text().substr(operators.size());
  const std::size_t first = name.find('.');
  const std::size_t last = name.rfind('.');
  if (first == std::string::npos || first == last) {
    target.fail("is '" + target.text() + "', no torch.ops.NAMESPACE.NAME.OVERLOAD");
  }
  const std::string overload = name.substr(last + 1);
  return {name.substr(0, first) + "::" + name.substr(first + 1, last - first - 1),
          overload == "default" ? "" : overload};
}

c10::FunctionSchema schema_of(const c10::OperatorName& name) {
  const auto found = c10::Dispatcher::singleton().findSchema(name);
  if (!found) {
    throw UnsupportedModelError(
        "the model uses operator " + c10::toString(name) +
        ", which LibTorch " TORCH_VERSION
        " does not have: load the library that registers it into this process before the "
        "model, or write it with operators of LibTorch and export the model again; what only a "
        "Python package registers, as transformers does its grouped matrix products, no library "
        "has: choose the package's plain implementation before the export, there "
        "model.set_experts_implementation(\"batched_mm\")");
  }
  return found->schema();
}

using GivenArguments = std::map<std::string, JsonValue>;

GivenArguments given_arguments(const JsonValue& node) {
  GivenArguments given;
  for (const JsonValue& input : node["inputs"].elements()) {
    if (!given.emplace(input["name"].text(), input["arg"]).second) {
      input.fail("is argument '" + input["name"].text() + "' again");
    }
  }
  return given;
}

std::vector<Value*> inputs_of(Graph& graph, const JsonValue& node, const c10::FunctionSchema& schema, Values& values,
                              c10::Device device) {
  GivenArguments given = given_arguments(node);
  Arguments arguments(graph, values, device);
  std::vector<Value*> inputs;
  for (const c10::Argument& formal : schema.arguments()) {
    const auto found = given.extract(formal.name());
    if (!found.empty()) {
      inputs.push_back(arguments.of_type(found.mapped(), formal));
    } else if (formal.default_value()) {
      inputs.push_back(graph.insertConstant(*formal.default_value()));
    } else {
      node.fail("lacks argument '" + formal.name() + "' of " + c10::toString(schema.operator_name()));
    }
  }
  if (!given.empty()) {
    node.fail("gives argument '" + given.begin()->first + "', which " + c10::toString(schema.operator_name()) +
              " does not take");
  }
  return inputs;
}

Node* insert_node(Graph& graph, const c10::FunctionSchema& schema, const std::vector<Value*>& inputs) {
  Node* inserted =
      graph.insertNode(graph.create(c10::Symbol::fromQualString(schema.name()), inputs, schema.returns().size()));
  for (std::size_t i = 0; i < schema.returns().size(); ++i) {
    inserted->output(i)->setType(schema.returns()[i].type());
  }
  return inserted;
}

bool is_overload(const Node* node, const c10::FunctionSchema& schema) {
  const torch::jit::Operator* chosen = node->maybeOperator();
  return chosen != nullptr && chosen->schema().overload_name() == schema.overload_name();
}

/// Lets None bear the type of the argument that it is given for.
void type_none(const std::vector<Value*>& inputs, const c10::FunctionSchema& schema) {
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const c10::TypePtr& type = schema.arguments()[i].type();
    if (inputs[i]->mustBeNone() && type->kind() == c10::TypeKind::OptionalType) {
      inputs[i]->setType(type);
    }
  }
}

Node* insert_operator(Graph& graph, const JsonValue& node, const c10::FunctionSchema& schema,
                      const std::vector<Value*>& inputs) {
  Node* inserted = insert_node(graph, schema, inputs);
  // A graph tells overloads apart by the types of their arguments alone, and None fits any that may be left out:
  // upsample_linear1d(x, [9], False, None) is two of them.
  if (!is_overload(inserted, schema)) {
    inserted->destroy();
    type_none(inputs, schema);
    inserted = insert_node(graph, schema, inputs);
  }
  if (!is_overload(inserted, schema)) {
    node.fail("gives arguments that do not fit " + c10::toString(schema.operator_name()));
  }
  return inserted;
}

void define_output(Graph& graph, const JsonValue& output, Value* value, Values& values) {
  const auto [kind, name] = output.variant();
  if (kind == "as_none") {
    return;
  }
  if (kind == "as_optional_tensor") {
    define_output(graph, name, value, values);
    return;
  }
  if (kind == "as_tensors") {
    const auto names = name.elements();
    if (value->type()->kind() != c10::TypeKind::ListType) {
      output.fail("is a list, which the operator does not give");
    }
    Node* unpacked = graph.insertNode(graph.createListUnpack(value, names.size()));
    for (std::size_t i = 0; i < names.size(); ++i) {
      values.define(names[i]["name"], unpacked->output(i));
    }
    return;
  }
  const bool is_tensor = value->type()->isSubtypeOf(*c10::TensorType::get());
  if (kind == "as_tensor" && is_tensor) {
    values.define(name["name"], value);
  } else if ((kind == "as_sym_int" || kind == "as_sym_float" || kind == "as_sym_bool") && !is_tensor) {
    values.define(name["as_name"], value);
  } else {
    output.fail("is " + kind + ", which the operator does not give");
  }
}

/// A number out of a tensor. The archive tells its type, the operator does not.
bool add_item(Graph& graph, const JsonValue& node, const std::string& name, Values& values) {
  if (name != "aten::item" && name != "aten::_local_scalar_dense") {
    return false;
  }
  const auto outputs = node["outputs"].elements();
  if (outputs.size() != 1) {
    node.fail("has " + std::to_string(outputs.size()) + " outputs, not one");
  }
  GivenArguments given = given_arguments(node);
  const auto self = given.find("self");
  if (self == given.end()) {
    node.fail("lacks argument 'self'");
  }
  const std::string kind = outputs[0].variant().first;
  const c10::Symbol conversion = kind == "as_sym_float"  ? c10::aten::Float
                                 : kind == "as_sym_bool" ? c10::aten::Bool
                                                         : c10::aten::Int;
  Value* tensor = Arguments(graph, values, c10::kCPU).of_any_type(self->second);
  define_output(graph, outputs[0], graph.insert(conversion, {tensor}), values);
  return true;
}

/// What the program asserts about its values. Of tensors' types and of ranges only the compiler wanted to know: the
/// first follow from the inputs, and each bound of the second has an assertion of its own.
bool add_assertion(Graph& graph, const JsonValue& node, const std::string& name, Values& values) {
  static const std::set<std::string> left_out = {
      "aten::_assert_tensor_metadata", "aten::sym_constrain_range", "aten::sym_constrain_range_for_size",
      "aten::_functional_sym_constrain_range", "aten::_functional_sym_constrain_range_for_size"};
  if (left_out.count(name) != 0) {
    return true;
  }
  if (name != "aten::_assert_scalar" && name != "aten::_assert_async") {
    return false;
  }
  const GivenArguments given = given_arguments(node);
  const auto condition = given.find("self");
  if (condition == given.end()) {
    node.fail("lacks argument 'self'");
  }
  const auto message = given.find("assert_msg");
  Value* holds = Arguments(graph, values, c10::kCPU).of_any_type(condition->second);
  if (!holds->type()->isSubtypeOf(*c10::BoolType::get())) {
    holds = graph.insert(c10::aten::Bool, {holds});
  }
  insert_require(
      graph, holds,
      message == given.end() ? "an assertion of the model does not hold" : message->second["as_string"].text());
  return true;
}

}  // namespace

bool is_operator(const std::string& target) {
  return target.starts_with(operators) && !target.starts_with(higher_order);
}

void add_operator(Graph& graph, const JsonValue& node, Values& values, c10::Device device) {
  const c10::OperatorName name = operator_name(node["target"]);
  if (add_assertion(graph, node, name.name, values) || add_item(graph, node, name.name, values)) {
    return;
  }
  const c10::FunctionSchema schema = schema_of(name);
  Node* inserted = insert_operator(graph, node, schema, inputs_of(graph, node, schema, values, device));
  const auto outputs = node["outputs"].elements();
  if (outputs.size() > inserted->outputs().size()) {
    node.fail("has " + std::to_string(outputs.size()) + " outputs, more than " + c10::toString(name) + " gives");
  }
  if (rewrites::is_inactive_dropout(inserted) && outputs.size() == 1) {
    define_output(graph, outputs[0], inserted->input(0), values);
    inserted->destroy();
    return;
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    define_output(graph, outputs[i], inserted->output(i), values);
  }
}

}  // namespace pregrad::pt2
