#pragma once

#include <memory>
#include <optional>
#include <vector>

#include <torch/csrc/jit/ir/alias_analysis.h>
#include <torch/csrc/jit/ir/ir.h>

namespace pregrad::graph {

/// A value that is made before a cut and used behind it.
struct Crossing {
  torch::jit::Value* value = nullptr;
  bool is_written = false;  ///< something behind the cut writes into it
};

/// The values that cross the graph's top level behind `last`, constants aside.
/// @param tapped     always crosses, because a tap will read it behind the cut
/// @param is_edited  whether that tap will write into it, besides what the graph writes
/// @returns nothing where a part behind the cut could not run again and again from kept values: it writes into
/// something that is no tensor, or that crosses under two names, or it begins within a region of its own gradient mode
std::optional<std::vector<Crossing>> crossings(torch::jit::Graph& graph, const torch::jit::AliasDb& aliases,
                                               torch::jit::Node* last, torch::jit::Value* tapped, bool is_edited);

/// The nodes of the top level up to `last` as a graph of their own, which gives `outputs`.
std::shared_ptr<torch::jit::Graph> graph_before(torch::jit::Graph& graph, torch::jit::Node* last,
                                                const std::vector<Crossing>& outputs);
/// The nodes behind `last` as a graph of their own: takes `inputs` and then the last input of `graph`.
std::shared_ptr<torch::jit::Graph> graph_behind(torch::jit::Graph& graph, torch::jit::Node* last,
                                                const std::vector<Crossing>& inputs);

}  // namespace pregrad::graph
