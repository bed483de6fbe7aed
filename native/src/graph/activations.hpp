#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "graph/inlined_model.hpp"

namespace pregrad::graph {

/// An activation in a model's graph: one node, or a pointwise part of the graph that one tensor z enters, that one
/// tensor a leaves, and that has something nonlinear in it.
struct Activation {
  torch::jit::Node* last = nullptr;    ///< makes a, its first output
  torch::jit::Node* reader = nullptr;  ///< the first of its nodes that reads z
  std::size_t input = 0;               ///< which of the reader's inputs z is
  std::string op;                      ///< the operator's name; of several the module's class, or their names
  std::string operators;               ///< the names of all operators, in alphabetical order
  bool in_place = false;
  std::size_t call = 0;   ///< the module call in whose forward all of it runs
  bool is_known = false;  ///< whether an operator of the catalogue takes part
  bool nested = false;    ///< whether it stands in a loop or a branch
};

struct Activations {
  std::vector<Activation> found;  ///< in program order
  /// Modules that compute nothing but a part of an activation, by path, with the path of the module that computes all
  /// of it; the root's is empty.
  std::map<std::string, std::string> parts;
};

/// How an activation of several nodes is told from nodes that happen to follow each other:
/// - A module whose forward is pointwise in one tensor is one, from what enters it to what leaves it; a normalisation
/// of
///   its own at either end, a scale per neuron behind it, and a residual stay outside. A module that only calls others
///   is none.
/// - Nodes between a tensor p and a node q at which all ways from p meet again are one (x·σ(x)), the outermost
/// counting,
///   unless q only adds p itself (a residual).
/// - Else an operator of the catalogue is one, with the powers, clamps, roots and logarithms directly behind it; so are
///   a few others (sin, exp, clamp) where nothing nonlinear is in front.
/// Affine steps at the ends stay outside. What leads into a normalisation by hand is none.
Activations find_activations(const InlinedModel& model);

/// Replaces operators that hide activations by the ones that they are made of: `glu` by a split, a sigmoid and a
/// product, and the cells of recurrent networks by their gates, as tracing shows them.
void uncover_activations(InlinedModel& model);

}  // namespace pregrad::graph
