#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "check/shifted_outputs.hpp"

namespace pregrad::check {

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
