#pragma once

#include <string>

#include <torch/csrc/jit/ir/ir.h>

namespace pregrad::pt2 {

/// Puts a check into the graph, which ends a run with `message` where `condition` is false. It has an effect, so no
/// pass removes it.
void insert_require(torch::jit::Graph& graph, torch::jit::Value* condition, const std::string& message);

}  // namespace pregrad::pt2
