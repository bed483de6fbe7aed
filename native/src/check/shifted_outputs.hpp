#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "methods/layer_replay.hpp"
#include "model/sample_batch.hpp"
#include "pregrad/options.hpp"

namespace pregrad::check {

/// y of a batch with z of one neuron shifted at all positions; several neurons at a time, each in a copy of the batch.
class ShiftedOutputs {
 public:
  /// @param neurons of the layer
  /// @param chosen  those that are shifted, one after the other
  /// @param elements of z per sample
  ShiftedOutputs(const methods::LayerReplay& replay, const model::SampleBatch& batch, Output output,
                 std::int64_t neurons, std::vector<std::int64_t> chosen, std::int64_t elements);

  const std::vector<std::int64_t>& chosen() const { return chosen_; }
  /// How many neurons one run shifts.
  std::int64_t at_once() const { return start_.copies; }
  /// float64 [at_once · N] on the CPU, as all of these: nothing is shifted.
  at::Tensor intact() const { return shifted(0, 0); }
  /// Copy i has neuron chosen()[first + i] shifted by `step`; copies beyond the last neuron are intact.
  at::Tensor shifted(std::int64_t first, double step) const;

 private:
  const methods::LayerReplay& replay_;
  Output output_;
  std::int64_t neurons_;
  std::vector<std::int64_t> chosen_;
  methods::LayerReplay::Start start_;
  at::Tensor targets_;
};

}  // namespace pregrad::check
