#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <c10/core/Device.h>

#include "graph/inlined_model.hpp"
#include "readers/pt2/module_calls.hpp"
#include "readers/pt2/values.hpp"

namespace pregrad::pt2 {

/// Translates the ATen graph of an archive into a TorchScript graph, which LibTorch can analyse, split and run, and
/// whose operators go through the dispatcher with their derivatives.
class GraphTranslator {
 public:
  GraphTranslator(graph::InlinedModel& model, c10::Device device) : model_(model), device_(device) {
    model_.calls.emplace_back();
  }

  /// Puts the nodes of an archive's graph at the end of the model's graph.
  /// @param values  the graph's inputs; gets what the nodes make
  void translate(const JsonValue& archived, Values& values);
  /// Puts the nodes of a graph inside a node at the current place, with `inputs` for its own.
  /// @returns its outputs
  std::vector<torch::jit::Value*> translate_inner(const JsonValue& archived,
                                                  const std::vector<torch::jit::Value*>& inputs);

  torch::jit::Graph& graph() { return *model_.graph; }
  c10::Device device() const { return device_; }

 private:
  void translate_node(const JsonValue& node, Values& values);
  /// Gives a node and those inside it, unless they have one, a scope of their own.
  void tag(torch::jit::Node* node, std::size_t call);
  /// The innermost of the calls that are under way.
  std::size_t current_call();
  void add_composite_activations(const ModuleCalls& calls, const Values& values);
  void add_module_outputs(const ModuleResults& results, const Values& values);

  graph::InlinedModel& model_;
  c10::Device device_;
  ModuleStack around_;  ///< the calls in which the graph runs that is being translated
  std::map<std::pair<std::size_t, std::string>, std::size_t> calls_;  ///< by the call around and the archive's key
  std::size_t depth_ = 0;
  std::size_t archive_node_ = 0;  ///< which of the archive's nodes at the top level is translated
};

/// Whether a node's target is an operator on graphs, such as `torch.ops.higher_order.cond`.
bool is_higher_order(const std::string& target);

/// Puts branches, loops and blocks without gradients into the graph, as TorchScript has them, and defines their
/// outputs; so autograd follows them.
/// @throws UnsupportedModelError for one that TorchScript has no counterpart of
void add_higher_order(GraphTranslator& translator, const JsonValue& node, Values& values);

/// Whether a node's target is an operator of LibTorch's dispatcher, such as `torch.ops.aten.linear.default`.
bool is_operator(const std::string& target);

/// Puts the operator of a node into the graph, arguments that the archive leaves out by their defaults, and defines its
/// outputs. Assertions become checks that stay; dropout that is not active leaves its input.
/// @throws UnsupportedModelError if this LibTorch has no such operator, ArchiveError if it takes other arguments
void add_operator(torch::jit::Graph& graph, const JsonValue& node, Values& values, c10::Device device);

}  // namespace pregrad::pt2
