#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/ir/ir.h>

namespace pregrad::graph {

/// Where a module call's output is computed: the node that carries `scope`, and which of its outputs.
struct ModuleOutput {
  std::string path;
  const torch::jit::Scope* scope = nullptr;
  std::size_t offset = 0;
  bool is_tensor = true;
};

/// A model's forward as one graph without module calls: attributes are constants, and every node carries a scope of
/// its own, so that it can be found again after passes that replace nodes.
struct InlinedModel {
  std::shared_ptr<torch::jit::Graph> graph;                                ///< inputs: the model's
  std::unordered_map<const torch::jit::Scope*, std::string> module_paths;  ///< the module in whose forward a node runs
  std::vector<ModuleOutput> module_outputs;                                ///< in program order
  std::unordered_map<const c10::TensorImpl*, std::string> attributes;      ///< names of the model's tensors
  std::vector<torch::jit::ScopePtr> scopes;  ///< kept alive: their addresses identify nodes

  /// Path of the module in whose forward `node` runs; the root's is empty.
  const std::string& path_of(torch::jit::Node* node) const;
};

/// Inlines `module.forward`, which must be in evaluation mode; its tensors become constants on `device`.
/// @throws UnsupportedModelError if the forward does what a fixed graph cannot hold, e.g. changes an attribute
InlinedModel inline_modules(const torch::jit::Module& module, c10::Device device);

}  // namespace pregrad::graph
