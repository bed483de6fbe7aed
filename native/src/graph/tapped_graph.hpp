#pragma once

#include <memory>
#include <vector>

#include <ATen/core/Tensor.h>
#include <torch/csrc/jit/runtime/interpreter.h>

#include "graph/capture.hpp"
#include "graph/layer_sites.hpp"

namespace pregrad::graph {

/// A layer to tap, and what is needed of it.
struct Tap {
  const LayerSite* site = nullptr;
  CaptureNeeds z;
  CaptureNeeds a;
};

/// A model's graph with taps in it, ready to run from any number of threads at once.
class TappedGraph {
 public:
  /// Copies `model`, which stays as it is.
  TappedGraph(torch::jit::Graph& model, const std::vector<Tap>& taps);

  struct Run {
    c10::IValue output;
    std::vector<Execution> executions;  ///< `site` indexes the taps; in the order in which the activations ran
  };

  /// Runs the model on `arguments` in the caller's gradient mode.
  Run run(std::vector<c10::IValue> arguments) const;

 private:
  std::vector<CaptureRecord::Site> sites_;
  std::size_t names_ = 0;
  torch::jit::Code code_;
};

}  // namespace pregrad::graph
