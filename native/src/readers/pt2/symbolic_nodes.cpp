#include "readers/pt2/symbolic_nodes.hpp"

#include <unordered_map>

#include "pregrad/error.hpp"

namespace pregrad::pt2 {

using c10::Symbol;
using torch::jit::Graph;
using torch::jit::Value;

namespace {

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

}  // namespace

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

}  // namespace pregrad::pt2
