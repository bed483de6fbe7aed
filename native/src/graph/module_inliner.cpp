#include "graph/module_inliner.hpp"

#include <optional>
#include <utility>

#include <torch/csrc/jit/api/function_impl.h>
#include <torch/csrc/jit/ir/alias_analysis.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/passes/constant_propagation.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>
#include <torch/csrc/jit/passes/lower_tuples.h>
#include <torch/csrc/jit/passes/peephole.h>

#include "graph/graph_checks.hpp"
#include "graph/inlined_model.hpp"
#include "pregrad/error.hpp"
#include "support/running_call.hpp"

namespace pregrad::graph {

using namespace torch::jit;  // NOLINT(google-build-using-namespace): the graph's vocabulary

namespace {

std::string join(const std::string& path, const std::string& name) { return path.empty() ? name : path + "." + name; }

std::string shown(const std::string& path) { return path.empty() ? "the model" : "module " + path; }

/// Calls `visit` for every node of the block and of the blocks inside it, in program order.
/// Stops and returns true as soon as `visit` does, because the graph has changed under the iteration.
template <typename Visit>
bool any_node(Block* block, const Visit& visit) {
  for (Node* node : block->nodes()) {
    for (Block* inner : node->blocks()) {
      if (any_node(inner, visit)) {
        return true;
      }
    }
    if (visit(node)) {
      return true;
    }
  }
  return false;
}

/// The same for functions that change the nodes: where `change` returns true, what it has put in the node's place comes
/// next. True if anything has changed.
template <typename Change>
bool change_nodes(Block* block, const Change& change) {
  bool has_changed = false;
  for (Node* node = *block->nodes().begin(); node != block->return_node();) {
    Node* const before = node->prev();
    for (Block* inner : node->blocks()) {
      has_changed = change_nodes(inner, change) || has_changed;
    }
    const bool is_changed = change(node);
    has_changed = has_changed || is_changed;
    node = is_changed ? before->next() : node->next();
  }
  return has_changed;
}

Graph& graph_of(Function& function) {
  function.ensure_defined();
  return *toGraphFunction(function).graph();
}

class Inliner {
 public:
  Inliner(InlinedModel& result, c10::Device device) : result_(result), device_(device) {}

  /// @param caller the call that makes this one; the root's is its own
  std::shared_ptr<Graph> method_graph(const Module& module, const std::string& path, const std::string& method,
                                      c10::ArrayRef<Value*> arguments, std::size_t caller) {
    support::RunningCall::go_on();
    // The graph of a class is shared by all its instances: each call gets a copy of its own.
    auto graph = graph_of(module.get_method(method).function()).copy();
    Level level{graph.get(), path, result_.calls.size(), {}};
    const auto& name = module.type()->name();
    result_.calls.push_back({path, name ? name->name() : "", caller, name && is_recurrent_cell(name->qualifiedName())});
    level.modules.emplace(graph->inputs().at(0), std::make_pair(module, path));
    insert_constant_arguments(*graph, arguments);
    expand(level);
    // What a function returns in a tuple is the tensor that it put in.
    LowerSimpleTuples(graph);
    tag(graph->block(), level.call);
    call_submodules(level);
    complete_outputs(*graph, level.call);
    return graph;
  }

 private:
  /// The body of one module's method and the functions that it calls.
  struct Level {
    Graph* graph;
    std::string path;
    std::size_t call;
    std::unordered_map<Value*, std::pair<Module, std::string>> modules;
  };

  /// An argument that the caller knows, such as a flag or None, decides branches of the callee.
  static void insert_constant_arguments(Graph& graph, c10::ArrayRef<Value*> arguments) {
    WithInsertPoint guard(*graph.nodes().begin());
    for (std::size_t i = 1; i < arguments.size() && i < graph.inputs().size(); ++i) {
      const auto value = toIValue(arguments[i]);
      if (value && !value->isTensor()) {
        if (const auto constant = tryInsertConstant(graph, *value)) {
          (*constant)->setType(arguments[i]->type());
          graph.inputs()[i]->replaceAllUsesWith(*constant);
        }
      }
    }
  }

  void expand(Level& level) {
    const auto step = [&](Node* node) { return resolve(level, node); };
    for (;;) {
      change_nodes(level.graph->block(), step);
      auto graph = level.graph->shared_from_this();
      assume_trainable(*graph);
      PeepholeOptimize(graph, /*disable_shape_peepholes=*/true);
      ConstantPropagation(graph);
      rewrites::remove_eval_dropout(*graph);
      // Folding a branch can bring calls to the surface that were hidden, never the other way round.
      if (!any_node(level.graph->block(), [&](Node* node) { return is_resolvable(level, node); })) {
        return;
      }
    }
  }

  static bool is_resolvable(const Level& level, Node* node) {
    if (node->kind() == prim::CallFunction) {
      return true;
    }
    if (node->kind() == prim::GetAttr) {
      return level.modules.count(node->input()) != 0 && !node->output()->uses().empty() &&
             level.modules.count(node->output()) == 0;
    }
    if (node->kind() == prim::CallMethod) {
      const auto self = level.modules.find(node->input(0));
      return self == level.modules.end() || self->second.second == level.path;
    }
    return false;
  }

  /// Inlines functions and the module's own methods, and turns attributes into constants. True if the graph changed.
  bool resolve(Level& level, Node* node) {
    if (node->kind() == prim::SetAttr && level.modules.count(node->input(0)) != 0) {
      throw UnsupportedModelError("the model changes its attribute '" +
                                  join(level.modules.at(node->input(0)).second, node->s(attr::name)) +
                                  "' in forward, so results would depend on earlier inputs: remove that assignment");
    }
    if (!is_resolvable(level, node)) {
      return false;
    }
    if (node->kind() == prim::CallFunction) {
      inline_function(level, node);
    } else if (node->kind() == prim::CallMethod) {
      inline_own_method(level, node);
    } else {
      resolve_attribute(level, node);
    }
    return true;
  }

  static void inline_function(Level& level, Node* node) {
    const auto type = node->input(0)->type()->cast<FunctionType>();
    Graph& callee = graph_of(*type->function());
    insert_and_replace(*level.graph, node, callee, node->inputs().slice(1));
  }

  static void inline_own_method(Level& level, Node* node) {
    const auto self = level.modules.find(node->input(0));
    const std::string& name = node->s(attr::name);
    if (self != level.modules.end()) {
      Graph& callee = graph_of(self->second.first.get_method(name).function());
      insert_and_replace(*level.graph, node, callee, node->inputs());
      return;
    }
    const auto type = node->input(0)->type()->cast<ClassType>();
    if (!type || type->is_module()) {
      throw UnsupportedModelError("cannot tell which module '" + name + "' is called on in " + shown(level.path) +
                                  ": call submodules by attribute, not through a variable");
    }
    insert_and_replace(*level.graph, node, graph_of(type->getMethod(name)), node->inputs());
  }

  /// Whether an operator, or a function that is called with it, changes the list or dict.
  static bool is_written(const Value* container) {
    return std::any_of(container->uses().begin(), container->uses().end(), [](const torch::jit::Use& use) {
      if (use.user->kind() == prim::CallFunction && use.offset > 0) {
        const auto type = use.user->input(0)->type()->cast<FunctionType>();
        return is_written(graph_of(*type->function()).inputs().at(use.offset - 1));
      }
      const c10::FunctionSchema* const schema = use.user->maybeSchema();
      if (schema == nullptr || use.offset >= schema->arguments().size()) {
        return false;
      }
      const c10::AliasInfo* const alias = schema->arguments()[use.offset].alias_info();
      return alias != nullptr && alias->isWrite();
    });
  }

  void resolve_attribute(Level& level, Node* node) {
    const auto [module, path] = level.modules.at(node->input());
    const std::string& name = node->s(attr::name);
    const c10::IValue value = module.attr(name);
    if (value.isModule()) {
      level.modules.emplace(node->output(), std::make_pair(value.toModule(), join(path, name)));
      return;
    }
    if ((value.isList() || value.isGenericDict()) && is_written(node->output())) {
      throw UnsupportedModelError("the model changes its attribute '" + join(path, name) +
                                  "' in forward, so results would depend on earlier inputs: remove that change");
    }
    WithInsertPoint guard(node);
    node->output()->replaceAllUsesWith(insert_attribute(*level.graph, value, join(path, name)));
    node->destroy();
  }

  Value* insert_attribute(Graph& graph, const c10::IValue& value, const std::string& name) {
    if (value.isTensor() && value.toTensor().defined()) {
      const at::Tensor tensor = value.toTensor().detach().to(device_);
      result_.attributes.emplace(tensor.unsafeGetTensorImpl(), name);
      return graph.insertConstant(tensor);
    }
    if (value.isTensorList()) {
      std::vector<Value*> elements;
      for (const at::Tensor& element : value.toTensorVector()) {
        elements.push_back(insert_attribute(graph, element, name));
      }
      return graph.insertNode(graph.createList(TensorType::get(), elements))->output();
    }
    const auto constant = tryInsertConstant(graph, value);
    if (!constant) {
      throw UnsupportedModelError("attribute '" + name + "' of type " + value.type()->repr_str() +
                                  " cannot be made a constant: keep only tensors, numbers and strings in the model");
    }
    return *constant;
  }

  static std::vector<Value*> insert_and_replace(Graph& graph, Node* call, Graph& callee, c10::ArrayRef<Value*> inputs) {
    WithInsertPoint guard(call);
    std::unordered_map<Value*, Value*> copies;
    const auto outputs = insertGraph(graph, callee, inputs, copies);
    if (call->outputs().size() == outputs.size()) {
      for (std::size_t i = 0; i < outputs.size(); ++i) {
        call->output(i)->replaceAllUsesWith(outputs[i]);
      }
    }
    call->destroy();
    return outputs;
  }

  /// Scripted transformers take a fused path, which hides their activations, unless a weight requires a gradient;
  /// our weights are constants. Asking as training would takes the path that eager autograd takes.
  static void assume_trainable(Graph& graph) {
    const auto assume = [&](Node* node) {
      const bool asks = node->kind() == prim::requires_grad || node->kind() == c10::Symbol::aten("is_grad_enabled");
      if (!asks) {
        return false;
      }
      WithInsertPoint guard(node);
      node->output()->replaceAllUsesWith(graph.insertConstant(true));
      node->destroy();
      return true;
    };
    change_nodes(graph.block(), assume);
  }

  void tag(Block* block, std::size_t call) {
    for (Node* node : block->nodes()) {
      for (Block* inner : node->blocks()) {
        tag(inner, call);
      }
      result_.tag(node, call);
    }
  }

  /// The places in which a module returns tensors: its output's, or those of a tuple, in tuples too, in their order.
  static void collect_returns(Node* node, std::size_t input, std::vector<torch::jit::Use>& found) {
    Value* value = node->input(input);
    if (value->type()->isSubtypeOf(*TensorType::get())) {
      found.emplace_back(node, input);
    } else if (value->node()->kind() == prim::TupleConstruct) {
      for (std::size_t i = 0; i < value->node()->inputs().size(); ++i) {
        collect_returns(value->node(), i, found);
      }
    }
  }

  /// Lets a tuple that a branch or a loop gives be put together again from its elements, each a value of its own.
  void expose_elements(Graph& graph, Node* node, std::size_t input, std::size_t call) {
    Value* const value = node->input(input);
    const auto type = value->type()->cast<TupleType>();
    if (!type || type->schema()) {
      return;
    }
    Node* tuple = value->node();
    if (tuple->kind() != prim::TupleConstruct) {
      WithInsertPoint guard(node);
      Node* const unpacked = graph.insertNode(graph.createTupleUnpack(value));
      tuple = graph.insertNode(graph.createTuple(unpacked->outputs()));
      result_.tag(unpacked, call);
      result_.tag(tuple, call);
      node->replaceInput(input, tuple->output());
    }
    for (std::size_t i = 0; i < tuple->inputs().size(); ++i) {
      expose_elements(graph, tuple, i, call);
    }
  }

  /// Where a module writes into what it returns after making it, its output is a value of its own: that of its exit.
  void complete_outputs(Graph& graph, std::size_t call) {
    if (graph.outputs().size() != 1) {
      return;
    }
    expose_elements(graph, graph.return_node(), 0, call);
    std::vector<torch::jit::Use> returns;
    collect_returns(graph.return_node(), 0, returns);
    std::vector<torch::jit::Use> marked;
    {
      const AliasDb aliases(graph.shared_from_this());
      for (const torch::jit::Use& use : returns) {
        Value* output = use.user->input(use.offset);
        const bool is_own = output->node()->owningBlock() == graph.block();
        // Of a branch, results that nobody reads are removed, so that the others move up.
        const bool may_move = !output->node()->blocks().empty() && output->node()->outputs().size() > 1;
        if (is_own && (may_move || completing_node(aliases, output, graph.return_node()) != output->node())) {
          marked.push_back(use);
        }
      }
    }
    for (const torch::jit::Use& use : marked) {
      WithInsertPoint guard(use.user);
      Value* completed = graph.insert(aten::alias, {use.user->input(use.offset)});
      use.user->replaceInput(use.offset, completed);
      result_.tag(completed->node(), call);
    }
  }

  void call_submodules(Level& level) {
    const auto call = [&](Node* node) {
      if (node->kind() != prim::CallMethod) {
        return false;
      }
      const auto self = level.modules.find(node->input(0));
      if (self == level.modules.end()) {
        return false;
      }
      call_submodule(level, node, self->second.first, self->second.second);
      return true;
    };
    change_nodes(level.graph->block(), call);
    EliminateDeadCode(level.graph->shared_from_this());
  }

  void call_submodule(Level& level, Node* node, const Module& module, const std::string& path) {
    const std::string& method = node->s(attr::name);
    // Tracing names the later calls of one module forward1, forward2, ...; overloads are forward__0, forward__1, ...
    const bool is_forward = method.rfind("forward", 0) == 0 &&
                            method.find_first_not_of("0123456789_", std::string("forward").size()) == std::string::npos;
    const auto callee = method_graph(module, path, method, node->inputs(), level.call);
    const auto outputs = insert_and_replace(*level.graph, node, *callee, node->inputs());
    if (!is_forward || outputs.size() != 1) {
      return;
    }
    std::vector<Value*> tensors;
    collect_tensors(outputs[0], tensors);
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      Node* producer = tensors[i]->node();
      if (producer->kind() != prim::Param && producer->scope()) {
        result_.module_outputs.push_back(
            {path, producer->scope().get(), tensors[i]->offset(), i, outputs[0] != tensors[0]});
      }
    }
  }

  static void collect_tensors(Value* value, std::vector<Value*>& found) {
    if (value->type()->isSubtypeOf(*TensorType::get())) {
      found.push_back(value);
    } else if (value->node()->kind() == prim::TupleConstruct) {
      for (Value* element : value->node()->inputs()) {
        collect_tensors(element, found);
      }
    }
  }

  InlinedModel& result_;
  c10::Device device_;
};

}  // namespace

InlinedModel inline_modules(const Module& module, c10::Device device) {
  InlinedModel result;
  Inliner inliner(result, device);
  result.graph = inliner.method_graph(module, "", "forward", {}, 0);
  // What a module returns in a tuple is the tensor that it put in.
  LowerSimpleTuples(result.graph);
  if (!result.graph->inputs().at(0)->uses().empty()) {
    const auto forks = [](Node* node) { return node->kind() == prim::fork || node->kind() == prim::forkClosure; };
    if (any_node(result.graph->block(), forks)) {
      throw UnsupportedModelError("forward runs a part of itself with torch.jit.fork: call it directly");
    }
    throw UnsupportedModelError(
        "forward passes the model itself on to something other than a method: keep to calls of "
        "its modules");
  }
  result.graph->eraseInput(0);
  write_out_autocast(result);
  return result;
}

}  // namespace pregrad::graph
