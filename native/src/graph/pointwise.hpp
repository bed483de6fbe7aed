#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include <torch/csrc/jit/ir/ir.h>

namespace pregrad::graph {

/// Which values of a graph hold something of the data: what is computed from the numbers in the graph's inputs, and
/// what such is written into. Sizes, and what is made from them, are none of it; neither are constants.
class DataFlow {
 public:
  explicit DataFlow(torch::jit::Graph& graph);

  bool carries(const torch::jit::Value* value) const { return carrying_.count(value) != 0; }
  /// The inputs of `node` that are tensors of the data, in their order; one that is read twice stands there twice.
  std::vector<std::size_t> data_inputs(const torch::jit::Node* node) const;

 private:
  void visit(torch::jit::Block* block);
  void add(const torch::jit::Value* value);
  /// What `value`, which is written into, is a view or a part of holds the data as well.
  void add_written(const torch::jit::Value* value);

  std::unordered_set<const torch::jit::Value*> carrying_;
  bool has_grown_ = false;
};

/// What a node does, element by element, to the tensors of the data that it reads.
enum class Role {
  opaque,      ///< it is not pointwise
  passing,     ///< it gives what it gets: casts, aliases, dropout that is not active
  affine,      ///< a sum, or a product with what is none of the data
  comparison,  ///< it gives truth values
  nonlinear,
};

/// The role of `node`, which reads the data at `data_inputs`. Nodes that write into what they read are opaque.
Role role_of(const torch::jit::Node* node, const std::vector<std::size_t>& data_inputs);

/// Whether the operator looks at the shape and type of a tensor alone.
bool reads_no_numbers(const torch::jit::Node* node);

/// Whether a value is, or may contain, a tensor.
bool may_hold_tensors(const torch::jit::Value* value);

/// The name of the node's operator without the mark of its in-place form; of several names of one operator the usual.
std::string operator_name(const torch::jit::Node* node);

/// Whether the node computes element by element, whatever it reads; casts are none of it.
bool is_pointwise(const torch::jit::Node* node);

/// Whether the operator of that name gives truth values.
bool is_comparison(std::string_view name);

/// The input of that name; null where the operator has none.
const torch::jit::Value* input_named(const torch::jit::Node* node, const char* name);

// What operators do to axes, by the names that operator_name gives.

bool is_convolution(std::string_view name);
/// Normalisations of channels by statistics over the batch.
bool is_batch_norm(std::string_view name);
/// Operators that hand on the elements of their first operand, each in its place: copies, casts, dropout.
bool hands_on(std::string_view name);
/// Operators that take the elements along some axes, their `dim`, together.
bool reduces_axes(std::string_view name);

/// Whether the node normalises by statistics: of its input, or running ones.
bool is_normalisation(const torch::jit::Node* node);

}  // namespace pregrad::graph
