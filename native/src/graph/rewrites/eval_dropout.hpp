#pragma once

#include <torch/csrc/jit/ir/ir.h>

namespace pregrad::rewrites {

/// Whether `node` is a dropout of any kind; its third argument says whether it is active.
bool is_dropout(const torch::jit::Node* node);

/// Whether `node` is a dropout that is the identity.
bool is_inactive_dropout(const torch::jit::Node* node);

/// Removes dropout that is not active: it is the identity, and would hide which module produces a pre-activation.
void remove_eval_dropout(torch::jit::Graph& graph);

}  // namespace pregrad::rewrites
