#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <torch/csrc/jit/ir/ir.h>

namespace pregrad::graph {

/// Where a module call's output is computed: the node that carries `scope`, and which of its outputs.
struct ModuleOutput {
  std::string path;
  const torch::jit::Scope* scope = nullptr;
  std::size_t offset = 0;
  bool is_tensor = true;
};

/// An activation that is computed by several nodes, the last of which carries the scope that leads here.
struct CompositeActivation {
  std::string op;                              ///< as activation_catalog names it
  const torch::jit::Scope* z_scope = nullptr;  ///< of the node that makes z
  std::size_t z_offset = 0;                    ///< which of its outputs
};

/// A model's forward as one graph without module calls: attributes are constants, and every node carries a scope of
/// its own, so that it can be found again after passes that replace nodes.
struct InlinedModel {
  std::shared_ptr<torch::jit::Graph> graph;                                ///< inputs: the model's
  std::unordered_map<const torch::jit::Scope*, std::string> module_paths;  ///< the module in whose forward a node runs
  std::vector<ModuleOutput> module_outputs;                                ///< in program order
  std::unordered_map<const c10::TensorImpl*, std::string> attributes;      ///< names of the model's tensors
  std::unordered_map<const torch::jit::Scope*, CompositeActivation> composites;
  /// Nodes that are a part of something larger, and no activation of their own.
  std::unordered_set<const torch::jit::Scope*> parts;
  std::vector<torch::jit::ScopePtr> scopes;  ///< kept alive: their addresses identify nodes

  /// Gives `node` a scope of its own, in the module at `path`.
  void tag(torch::jit::Node* node, const std::string& path);
  /// Path of the module in whose forward `node` runs; the root's is empty.
  const std::string& path_of(torch::jit::Node* node) const;
};

}  // namespace pregrad::graph
