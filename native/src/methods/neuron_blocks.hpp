#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

namespace pregrad::methods {

/// `tensor` [copies · N, ...] as [copies, N, ...], on the same memory.
at::Tensor as_blocks(const at::Tensor& tensor, std::int64_t copies);

/// `values` [copies or 1, N or 1, neurons] in a shape that spreads over as_blocks of a tensor of that rank.
at::Tensor over_neurons(const at::Tensor& values, std::int64_t rank, std::int64_t neuron_axis);

/// The elements in row-major order.
std::vector<double> values_of(const at::Tensor& tensor);

}  // namespace pregrad::methods
