#pragma once

#include <memory>

#include <torch/csrc/jit/ir/ir.h>
#include <torch/csrc/jit/runtime/interpreter.h>

#include "graph/inlined_model.hpp"

namespace pregrad::rewrites {

/// Whether `node` is a dropout of any kind; its third argument says whether it is active.
bool is_dropout(const torch::jit::Node* node);

/// Whether `node` is a dropout that is the identity.
bool is_inactive_dropout(const torch::jit::Node* node);

/// Removes dropout that is not active: it is the identity, and would hide which module produces a pre-activation.
void remove_eval_dropout(torch::jit::Graph& graph);

}  // namespace pregrad::rewrites

namespace pregrad::graph {

/// Refuses a forward that changes the model's own tensors, or runs parts of itself asynchronously.
/// @throws UnsupportedModelError
void require_fixed_graph(const InlinedModel& model);

/// Refuses a graph in which training is baked: batch statistics make samples interact, dropout makes results random.
/// @throws UnsupportedModelError
void require_evaluation_mode(const InlinedModel& model);

/// From now on operators that divide integers throw where they would end the process with a signal, by 0 or the least
/// number by −1, in every model of this process. To be called before LibTorch reads a model.
void guard_integer_division();

/// The code of a graph, into which it puts looks at whether the call that runs it goes on: in every loop, and every few
/// operators. To be called last of all that is done to a graph.
torch::jit::Code checked_code(const std::shared_ptr<torch::jit::Graph>& graph, const char* name);

/// Runs code in the caller's gradient mode.
/// @throws CancelledError where the caller's call is to end
void run_code(const torch::jit::Code& code, torch::jit::Stack& stack);

}  // namespace pregrad::graph
