#pragma once

#include <torch/csrc/jit/ir/alias_analysis.h>
#include <torch/csrc/jit/ir/ir.h>

namespace pregrad::graph {

/// The node after which `z` is as `activation` reads it: its producer or, where the model writes into it in between,
/// the last writer. Where `z` comes from outside the activation's block, the node before the activation.
torch::jit::Node* completing_node(const torch::jit::AliasDb& aliases, torch::jit::Value* z,
                                  torch::jit::Node* activation);

}  // namespace pregrad::graph
