#pragma once

#include <memory>
#include <vector>

#include <torch/csrc/jit/runtime/interpreter.h>

#include "graph/tap_insertion.hpp"
#include "graph/tapped_graph.hpp"

namespace pregrad::graph {

/// A model that is run again and again with one layer's tensor changed. Where the layer stands at the top level of the
/// graph, what comes before it (the prefix) runs once, and each rerun starts at the layer; inside a loop or a branch
/// the whole graph runs each time. Safe from any number of threads at once.
class RerunGraph {
 public:
  /// @param taps of one layer, which edit at `stage`, and those that follow
  RerunGraph(torch::jit::Graph& model, const std::vector<Tap>& taps, Stage stage);

  /// What a rerun starts from. Reruns leave it as it is.
  using Start = std::vector<c10::IValue>;

  /// Runs the prefix in the caller's gradient mode.
  Start start(std::vector<c10::IValue> arguments) const;
  /// Runs the rest in the caller's gradient mode.
  /// @param editor sees the tensor at the stage; null runs the model as it is
  Run run(const Start& start, const Editor* editor) const;

  /// Whether there is a prefix that reruns leave out.
  bool is_split() const { return prefix_ != nullptr; }

 private:
  TapSites sites_;
  std::shared_ptr<torch::jit::Code> prefix_;
  torch::jit::Code rest_;
  std::vector<bool> is_written_;  ///< per value of a start: whether a rerun writes into it
};

}  // namespace pregrad::graph
