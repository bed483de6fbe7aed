#include "readers/pt2/graph_translator.hpp"

#include <limits>
#include <optional>

#include "pregrad/error.hpp"
#include "readers/pt2/arguments.hpp"
#include "readers/pt2/module_calls.hpp"

namespace pregrad::pt2 {

using torch::jit::Block;
using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Value;
using torch::jit::WithInsertPoint;

namespace {

constexpr std::string_view prefix = "torch.ops.higher_order.";

using ValueList = std::vector<Value*>;

ValueList joined(ValueList left, const ValueList& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

/// Builds what one node stands for.
class Builder {
 public:
  Builder(GraphTranslator& translator, const JsonValue& node, const Values& values)
      : translator_(translator),
        graph_(translator.graph()),
        node_(node),
        arguments_(graph_, values, translator.device()) {
    for (const JsonValue& input : node["inputs"].elements()) {
      inputs_.push_back(input["arg"]);
    }
  }

  std::optional<ValueList> build(const std::string& name) {
    if (name == "cond") {
      return cond();
    }
    if (name == "map_impl") {
      return scan(body(0), {}, list(1), list(2));
    }
    if (name == "scan") {
      return scan(body(0), list(1), list(2), list(3));
    }
    if (name == "while_loop") {
      return while_loop();
    }
    if (name == "wrap_with_set_grad_enabled") {
      return with_gradients_enabled();
    }
    return std::nullopt;
  }

 private:
  const JsonValue& input(std::size_t i) const {
    if (i >= inputs_.size()) {
      node_.fail("has only " + std::to_string(inputs_.size()) + " inputs");
    }
    return inputs_[i];
  }
  JsonValue body(std::size_t i) const { return input(i)["as_graph"]["graph"]; }
  ValueList list(std::size_t i) { return arguments_.list(input(i)); }

  Value* truth(Value* value) {
    return value->type()->isSubtypeOf(*c10::BoolType::get()) ? value : graph_.insert(c10::aten::Bool, {value});
  }

  Value* one_of(const ValueList& outputs) const {
    if (outputs.size() != 1) {
      node_.fail("has a condition with " + std::to_string(outputs.size()) + " outputs");
    }
    return outputs[0];
  }

  ValueList cond() {
    const ValueList operands = list(3);
    Node* branch = graph_.insertNode(graph_.create(c10::prim::If, {truth(arguments_.of_any_type(input(0)))}, 0));
    for (const std::size_t i : {std::size_t{1}, std::size_t{2}}) {
      Block* block = branch->addBlock();
      const WithInsertPoint guard(block);
      for (Value* output : translator_.translate_inner(body(i), operands)) {
        block->registerOutput(output);
      }
    }
    const auto first = branch->blocks()[0]->outputs();
    const auto second = branch->blocks()[1]->outputs();
    if (first.size() != second.size()) {
      node_.fail("has branches with " + std::to_string(first.size()) + " and " + std::to_string(second.size()) +
                 " outputs");
    }
    ValueList outputs;
    for (std::size_t i = 0; i < first.size(); ++i) {
      const bool is_tensor = first[i]->type()->isSubtypeOf(*c10::TensorType::get());
      outputs.push_back(branch->addOutput());
      outputs.back()->setType(is_tensor ? c10::TypePtr(c10::TensorType::get()) : first[i]->type());
      if (!second[i]->type()->isSubtypeOf(*outputs.back()->type())) {
        node_.fail("has branches with outputs of different types");
      }
    }
    return outputs;
  }

  /// A loop over values that each round hands to the next; `round` fills it and gives what to hand on.
  template <typename Round>
  ValueList loop(Value* most_rounds, Value* goes_on, const ValueList& carried, const Round& round) {
    Node* loop = graph_.insertNode(graph_.create(c10::prim::Loop, {most_rounds, goes_on}, 0));
    Block* block = loop->addBlock();
    Value* number = block->addInput("round")->setType(c10::IntType::get());
    ValueList inside;
    ValueList outputs;
    for (Value* value : carried) {
      loop->addInput(value);
      const bool is_tensor = value->type()->isSubtypeOf(*c10::TensorType::get());
      const c10::TypePtr type = is_tensor ? c10::TypePtr(c10::TensorType::get()) : value->type();
      inside.push_back(block->addInput()->setType(type));
      outputs.push_back(loop->addOutput()->setType(type));
    }
    const WithInsertPoint guard(block);
    const auto [next_goes_on, handed_on] = round(number, inside);
    if (handed_on.size() != carried.size()) {
      node_.fail("hands on " + std::to_string(handed_on.size()) + " values of " + std::to_string(carried.size()));
    }
    block->registerOutput(next_goes_on);
    for (Value* value : handed_on) {
      block->registerOutput(value);
    }
    return outputs;
  }

  /// `body(carried, slices of xs, others)` gives the next `carried` and what is stacked; a map carries nothing.
  ValueList scan(const JsonValue& body, const ValueList& initial, const ValueList& xs, const ValueList& others) {
    if (xs.empty()) {
      node_.fail("goes over nothing");
    }
    const std::size_t made = body["outputs"].elements().size();
    if (made < initial.size()) {
      node_.fail("hands on too few values");
    }
    ValueList stacks;
    for (std::size_t i = initial.size(); i < made; ++i) {
      stacks.push_back(graph_.insertNode(graph_.createList(c10::TensorType::get(), {}))->output());
    }
    Value* rounds = graph_.insert(c10::aten::size, {xs[0], 0});
    ValueList outputs =
        loop(rounds, graph_.insertConstant(true), initial, [&](Value* number, const ValueList& carried) {
          ValueList inputs = carried;
          for (Value* x : xs) {
            inputs.push_back(graph_.insert(c10::aten::select, {x, 0, number}));
          }
          ValueList made_here = translator_.translate_inner(body, joined(inputs, others));
          for (std::size_t i = 0; i < stacks.size(); ++i) {
            graph_.insert(c10::aten::append, {stacks[i], made_here[initial.size() + i]});
          }
          made_here.resize(initial.size());
          return std::pair{graph_.insertConstant(true), made_here};
        });
    for (Value* stack : stacks) {
      outputs.push_back(graph_.insert(c10::aten::stack, {stack, 0}));
    }
    return outputs;
  }

  ValueList while_loop() {
    const ValueList others = list(3);
    const ValueList initial = list(2);
    const auto goes_on = [&](const ValueList& carried) {
      return truth(one_of(translator_.translate_inner(body(0), joined(carried, others))));
    };
    Value* most = graph_.insertConstant(std::numeric_limits<std::int64_t>::max());
    return loop(most, goes_on(initial), initial, [&](Value*, const ValueList& carried) {
      const ValueList next = translator_.translate_inner(body(1), joined(carried, others));
      return std::pair{goes_on(next), next};
    });
  }

  ValueList with_gradients_enabled() {
    ValueList operands;
    for (std::size_t i = 2; i < inputs_.size(); ++i) {
      operands.push_back(arguments_.of_any_type(inputs_[i]));
    }
    Value* enabled = arguments_.of_any_type(input(0));
    Value* before = graph_.insert(c10::Symbol::aten("is_grad_enabled"), {});
    // Where nobody wants gradients, a block that allows them must not make any.
    Value* here = graph_.insert(c10::aten::__and__, {before, enabled});
    graph_.insert(c10::Symbol::aten("set_grad_enabled"), {here});
    const ValueList outputs = translator_.translate_inner(body(1), operands);
    graph_.insert(c10::Symbol::aten("set_grad_enabled"), {before});
    return outputs;
  }

  GraphTranslator& translator_;
  Graph& graph_;
  const JsonValue& node_;
  Arguments arguments_;
  std::vector<JsonValue> inputs_;
};

void define(const JsonValue& output, Value* value, Values& values) {
  const auto [kind, name] = output.variant();
  values.define(name[kind == "as_tensor" ? "name" : "as_name"], value);
}

/// The module in which the first node runs of those that a node runs.
std::string first_module_in(const JsonValue& node) {
  for (const JsonValue& input : node["inputs"].elements()) {
    const auto body = input["arg"].find("as_graph");
    if (!body) {
      continue;
    }
    for (const JsonValue& inner : (*body)["graph"]["nodes"].elements()) {
      const ModuleStack stack = module_stack_of(inner);
      if (!stack.empty() && !stack.back().path.empty()) {
        return "module '" + stack.back().path + "'";
      }
    }
  }
  return "a part of its forward";
}

}  // namespace

bool is_higher_order(const std::string& target) { return target.starts_with(prefix); }

void add_higher_order(GraphTranslator& translator, const JsonValue& node, Values& values) {
  const std::string name = node["target"].text().substr(prefix.size());
  if (name == "wrap_with_autocast") {
    throw UnsupportedModelError("the model runs " + first_module_in(node) +
                                " under torch.autocast, and its archive does not hold the casts that this makes: write "
                                "them into it with torch.export.save(program.run_decompositions(), path)");
  }
  const auto made = Builder(translator, node, values).build(name);
  if (!made) {
    throw UnsupportedModelError(
        "the model uses '" + name +
        "', which PreGrad does not read: it reads cond, map, scan, while_loop and set_grad_enabled");
  }
  auto outputs = node["outputs"].elements();
  // A list of results is written as one output or as several.
  if (outputs.size() == 1 && outputs[0].find("as_tensors")) {
    outputs = outputs[0]["as_tensors"].elements();
    if (outputs.size() != made->size()) {
      node.fail("names " + std::to_string(outputs.size()) + " of " + std::to_string(made->size()) + " results");
    }
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      values.define(outputs[i]["name"], (*made)[i]);
    }
    return;
  }
  if (outputs.size() > made->size()) {
    node.fail("names " + std::to_string(outputs.size()) + " of " + std::to_string(made->size()) + " results");
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    define(outputs[i], (*made)[i], values);
  }
}

}  // namespace pregrad::pt2
