#pragma once

#include <vector>

#include <ATen/core/ivalue.h>
#include <torch/csrc/jit/api/module.h>

#include "graph/inlined_model.hpp"

namespace pregrad::graph {

/// The values of forward's arguments after the input.
/// @throws UnsupportedModelError if forward does not take exactly one tensor, the rest having defaults
std::vector<c10::IValue> optional_arguments(const torch::jit::Module& module);

/// Refuses a forward that changes the model's own tensors, or runs parts of itself asynchronously.
/// @throws UnsupportedModelError
void require_fixed_graph(const InlinedModel& model);

/// Refuses a graph in which training is baked: batch statistics make samples interact, dropout makes results random.
/// @throws UnsupportedModelError
void require_evaluation_mode(const InlinedModel& model);

}  // namespace pregrad::graph
