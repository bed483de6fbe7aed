#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>
#include <torch/csrc/jit/ir/ir.h>

#include "graph/model_graph.hpp"
#include "pruning/rules.hpp"

namespace pregrad::pruning {

/// Runs a graph, which stays as it is, without gradients.
Values traced(torch::jit::Graph& graph, std::vector<c10::IValue> arguments);

/// Products that a run has added up in linear layers, convolutions, products of matrices and attention at the top level
/// of its graph.
std::int64_t multiply_adds(torch::jit::Graph& graph, const Values& values);

/// Which indices of an axis go.
using Gone = std::vector<bool>;
std::vector<std::int64_t> indices_of(const Gone& gone);

/// A number that an operator was given, and that must change when indices go.
struct ArgumentChange {
  torch::jit::Node* node = nullptr;
  std::size_t input = 0;     ///< of the node
  std::int64_t element = 0;  ///< of that list; −1 for a number alone
  std::int64_t value = 0;
};

/// What else goes when some indices of an axis of a value go: the same of all that it is added to or multiplied with,
/// of the weights that make it and of those that read it, whatever shape it is brought into in between.
class Dependence {
 public:
  /// @param values of a run of the graph in which what goes is zero
  /// @param transparent nodes that hand on their first input
  Dependence(torch::jit::Graph& graph, const Values& values, std::set<const torch::jit::Node*> transparent,
             const graph::Provenance& provenance);

  /// Takes indices away, and all that depends on them.
  void remove(const torch::jit::Value* value, std::int64_t axis, const std::vector<std::int64_t>& indices);
  /// What has gone of an axis; empty if nothing has.
  Gone gone(const torch::jit::Value* value, std::int64_t axis) const;
  /// Puts everything back.
  void restore();

  /// Why what has gone cannot go: the operator and its place; empty where it can.
  std::string why_not() const;
  /// What changes in the operators' arguments; only where it can go.
  std::vector<ArgumentChange> changes() const;
  /// The constants that lose something, and what they become.
  std::vector<std::pair<const torch::jit::Value*, at::Tensor>> cut_constants() const;
  /// What has gone of the model's tensors, by name and axis.
  /// @throws UnsupportedModelError for a constant that is none of them
  std::map<std::pair<std::string, std::int64_t>, Gone> cut_weights() const;

 private:
  using Place = std::pair<const torch::jit::Value*, std::int64_t>;

  const torch::jit::Value* representative(const torch::jit::Value* value) const;
  const Rule& rule(const torch::jit::Node* node);
  bool follow(const Link& link);
  void close();
  bool is_touched(const torch::jit::Node* node) const;
  std::string refusal(const torch::jit::Node* node) const;
  std::string words(const torch::jit::Node* node) const;

  torch::jit::Graph& graph_;
  const Values& values_;
  const graph::Provenance& provenance_;
  std::unordered_map<const torch::jit::Node*, Rule> rules_;
  std::unordered_map<const torch::jit::Value*, const torch::jit::Value*> representatives_;  ///< of constants
  std::set<const torch::jit::Node*> transparent_;
  std::map<Place, Gone> gone_;
};

}  // namespace pregrad::pruning
