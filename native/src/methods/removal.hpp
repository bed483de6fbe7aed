#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

#include "graph/capture.hpp"
#include "pregrad/options.hpp"

namespace pregrad::methods {

/// Which tensor a removal changes.
graph::Stage stage_of(Removal removal);

/// `value` [copies · N, ...] with the neurons of each copy's mask set to their constants.
/// @param masks     bool [copies, neurons], true where a neuron is removed
/// @param constants float64 [copies or 1, N or 1, neurons]; undefined for zeros
at::Tensor removed(const at::Tensor& value, std::int64_t neuron_axis, const at::Tensor& masks,
                   const at::Tensor& constants);

}  // namespace pregrad::methods
