#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <torch/csrc/jit/runtime/interpreter.h>

#include "graph/capture.hpp"
#include "graph/small_products.hpp"
#include "graph/tap_insertion.hpp"
#include "pregrad/inputs.hpp"

namespace pregrad::graph {

/// What a tapped graph gives.
struct Run {
  c10::IValue output;
  std::vector<Execution> executions;  ///< `site` indexes the taps; in the order in which the activations ran
};

/// Runs code with taps in it, in the caller's gradient mode.
/// @param editor for the sites that edit; may be null
Run run_tapped(const torch::jit::Code& code, const TapSites& sites, std::vector<c10::IValue> arguments,
               const Editor* editor);

/// A model's graph with taps in it, ready to run from any number of threads at once.
class TappedGraph {
 public:
  /// Copies `model`, which stays as it is.
  TappedGraph(torch::jit::Graph& model, const std::vector<Tap>& taps);

  /// Runs the model on `arguments` in the caller's gradient mode.
  /// @param editor for the taps that edit; may be null
  Run run(std::vector<c10::IValue> arguments, const Editor* editor = nullptr) const;

  /// As work_behind_first_tap.
  double work_behind_first_tap() const { return work_behind_; }
  /// Whether running it on these inputs asks for no product that is worth a second thread.
  bool has_small_products(const Inputs& inputs) const {
    return inputs.size() == 1 && are_small_products(multiply_adds_per_row_, inputs.only());
  }

 private:
  double work_behind_ = 1;
  std::optional<std::int64_t> multiply_adds_per_row_;
  TapSites sites_;
  torch::jit::Code code_;
};

}  // namespace pregrad::graph
