#pragma once

#include <torch/csrc/jit/ir/ir.h>

namespace pregrad::graph {

/// Which share of a graph's convolutions and matrix products, which are nearly all of a network's work, comes behind
/// the first tap in it, in [0, 1]; each counts as one. 1 for a graph without products.
double work_behind_first_tap(torch::jit::Graph& graph);

}  // namespace pregrad::graph
