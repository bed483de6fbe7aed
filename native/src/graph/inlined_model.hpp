#pragma once

#include <cstddef>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <torch/csrc/jit/ir/alias_analysis.h>
#include <torch/csrc/jit/ir/ir.h>

namespace pregrad::graph {

/// One execution of a module's forward, as far as the program's text tells it from others.
struct ModuleCall {
  std::string path;                ///< the module's name in the model; the root's is empty
  std::string type;                ///< the module's class, without what encloses it
  std::size_t parent = 0;          ///< the call that makes it; the root's is the root's own
  bool is_recurrent_cell = false;  ///< of PyTorch's: its forward is one step of a recurrent network
};

/// The scope that identifies a node.
inline const torch::jit::Scope* scope_of(const torch::jit::Node* node) {
  return const_cast<torch::jit::Node*>(node)->scope().get();  // LibTorch's accessor is not const, but changes nothing
}

using NodesByScope = std::unordered_map<const torch::jit::Scope*, torch::jit::Node*>;
/// The nodes of a block and of the blocks inside it; of several of one scope the first.
NodesByScope nodes_by_scope(torch::jit::Block* block);

/// Whether a class, named in full, is one of PyTorch's cells of recurrent networks.
bool is_recurrent_cell(const std::string& class_name);

/// Where a tensor that a module call returns is computed: the node that carries `scope`, and which of its outputs.
struct ModuleOutput {
  std::string path;
  const torch::jit::Scope* scope = nullptr;
  std::size_t offset = 0;
  /// Which of the tensors it is, where the module returns several.
  std::size_t number = 0;
  bool is_one_of_several = false;
};

/// An activation that is known to be computed by several nodes, the last of which carries the scope that leads here.
struct CompositeActivation {
  std::string op;                              ///< as activation_catalog names it
  const torch::jit::Scope* z_scope = nullptr;  ///< of the node that makes z
  std::size_t z_offset = 0;                    ///< which of its outputs
};

/// A model's forward as one graph without module calls: attributes are constants, and every node carries a scope of
/// its own, so that it can be found again after passes that replace nodes.
struct InlinedModel {
  std::shared_ptr<torch::jit::Graph> graph;                            ///< inputs: the model's
  std::vector<ModuleCall> calls;                                       ///< the root's first, each behind its parent
  std::vector<ModuleOutput> module_outputs;                            ///< in program order
  std::set<std::string> untold_outputs;                                ///< modules of which a file does not tell them
  std::unordered_map<const c10::TensorImpl*, std::string> attributes;  ///< names of the model's tensors
  std::unordered_map<const torch::jit::Scope*, CompositeActivation> composites;
  /// Nodes that are a part of something larger, and no activation of their own.
  std::unordered_set<const torch::jit::Scope*> parts;
  /// Of nodes that are a part of something larger: the function that was decomposed into them.
  std::unordered_map<const torch::jit::Scope*, std::string> functions;
  std::unordered_map<const torch::jit::Scope*, std::size_t> node_calls;  ///< the call in whose forward a node runs
  /// Of nodes at the top level of an archive's graph: which of the archive's nodes they were made of.
  std::unordered_map<const torch::jit::Scope*, std::size_t> archive_nodes;
  std::vector<torch::jit::ScopePtr> scopes;  ///< kept alive: their addresses identify nodes

  /// Gives `node` a scope of its own, in the forward of `call`.
  void tag(torch::jit::Node* node, std::size_t call);
  /// The call in whose forward `node` runs; the root's if it is not known.
  std::size_t call_of(const torch::jit::Node* node) const;
  /// Path of the module in whose forward `node` runs; the root's is empty.
  const std::string& path_of(const torch::jit::Node* node) const { return calls[call_of(node)].path; }
  /// The innermost call that both calls run in.
  std::size_t common_call(std::size_t left, std::size_t right) const;
};

/// The node after which `z` is as `activation` reads it: its producer or, where the model writes into it in between,
/// the last writer. Where `z` comes from outside the activation's block, the node before the activation.
torch::jit::Node* completing_node(const torch::jit::AliasDb& aliases, torch::jit::Value* z,
                                  torch::jit::Node* activation);

}  // namespace pregrad::graph
