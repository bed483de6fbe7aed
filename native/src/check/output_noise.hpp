#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "methods/layer_rerun.hpp"
#include "model/batch.hpp"
#include "model/layer_batch.hpp"
#include "pregrad/options.hpp"

namespace pregrad::check {

/// y of a batch with z of one neuron shifted at all positions; several neurons at a time, each in a copy of the batch.
class ShiftedOutputs {
 public:
  /// @param neurons of the layer
  /// @param chosen  those that are shifted, one after the other
  /// @param elements of z per sample
  ShiftedOutputs(const methods::LayerRerun& rerun, const model::Batch& batch, Output output, std::int64_t neurons,
                 std::vector<std::int64_t> chosen, std::int64_t elements);

  const std::vector<std::int64_t>& chosen() const { return chosen_; }
  /// How many neurons one run shifts.
  std::int64_t at_once() const { return start_.copies; }
  /// float64 [at_once · N] on the CPU, as all of these: nothing is shifted.
  at::Tensor intact() const { return shifted(0, 0); }
  /// Copy i has neuron chosen()[first + i] shifted by `step`; copies beyond the last neuron are intact.
  at::Tensor shifted(std::int64_t first, double step) const;

 private:
  const methods::LayerRerun& rerun_;
  Output output_;
  std::int64_t neurons_;
  std::vector<std::int64_t> chosen_;
  methods::LayerRerun::Start start_;
  model::Targets targets_;
};

/// Whether y moves as smoothly with z as float64 lets it: a model may cast to less in the midst.
/// @param output_size the largest of all outputs
bool resolves_float64(const ShiftedOutputs& outputs, const at::Tensor& intact, std::int64_t samples, double z_size,
                      double output_size);

/// How far rounding alone moves y of each sample, as a standard deviation: fourth differences of y over a step of z so
/// small that a smooth function has none. At least a quarter of what the type of y resolves.
/// @param intact as ShiftedOutputs::intact gives it
/// @param z_size the root mean square of z
/// @param coarsest what the model computes in
std::vector<double> noise_of(const ShiftedOutputs& outputs, const at::Tensor& intact, std::int64_t samples,
                             double z_size, at::ScalarType coarsest);

/// The step of z that lifts the effect of a typical unit 400 times above that noise, but at least a thousandth and at
/// most a half of z's root mean square.
/// @param gradients ∂y/∂z of all units
double step_above(const std::vector<double>& noise, const std::vector<double>& gradients, double z_size);

}  // namespace pregrad::check
