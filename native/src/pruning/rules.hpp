#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <ATen/core/ivalue.h>
#include <torch/csrc/jit/ir/ir.h>

namespace pregrad::pruning {

/// What the nodes at the top level of a graph made in a run.
using Values = std::unordered_map<const torch::jit::Value*, c10::IValue>;

/// Two axes of which indices go together: those of the second go with the one of the first that they are part of, and
/// that one once all its parts have gone.
struct Link {
  const torch::jit::Value* from = nullptr;
  std::int64_t from_axis = 0;
  const torch::jit::Value* to = nullptr;
  std::int64_t to_axis = 0;
  /// Of each index of the second axis: of the first; −1 for one that has none there. Empty where both are the same.
  std::vector<std::int64_t> source;
  /// Whether an index of the second axis may go that has none in the first: nothing is made of it.
  bool is_partial = false;
};

/// An axis along which an operator adds products up. What goes must be 0 in one of the factors, or the sum changes.
struct Contraction {
  const torch::jit::Value* value = nullptr;
  std::int64_t axis = 0;
  const torch::jit::Value* other = nullptr;  ///< the other factor; null where it does not matter
  std::int64_t other_axis = 0;
  bool is_alone = false;  ///< whether nothing else loses what goes from the axis
};

/// An axis in equal groups.
struct Groups {
  const torch::jit::Value* value = nullptr;
  std::int64_t axis = 0;
  std::int64_t count = 1;
  bool whole = false;  ///< whether groups can go as a whole only; else each must lose as many
};

/// What an operator does to the axes of the tensors that it reads and makes. An axis that is in none of these is one
/// from which nothing can go.
struct Rule {
  std::vector<Link> links;
  std::vector<Contraction> contractions;
  std::vector<Groups> groups;
  std::string limits;  ///< why nothing can go from other axes; may be empty
};

/// An argument that is one list of tensors counts as the tensors in it.
std::vector<const torch::jit::Value*> tensors_read(const torch::jit::Node* node);
/// The tensors that a node makes; a list of tensors counts as what is unpacked from it, by places in the list.
std::vector<std::vector<const torch::jit::Value*>> tensors_made(const torch::jit::Node* node);

/// The tensor that a value was in the run, or is as a constant; undefined if it is none.
at::Tensor tensor_of(const torch::jit::Value* value, const Values& values);

/// The name of an operator of LibTorch or PreGrad without the mark of its in-place form; of other nodes none.
std::string name_of(const torch::jit::Node* node);
/// The operators that lay elements out anew, each of which comes from one place.
bool is_movement(std::string_view name);

/// What a node did in the run that gave `values`.
Rule rule_of(const torch::jit::Node* node, const Values& values);

}  // namespace pregrad::pruning
