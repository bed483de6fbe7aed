#pragma once

#include <cstdint>
#include <utility>

#include <ATen/Functions.h>
#include <ATen/core/Tensor.h>

#include "cuda/score_quantities.hpp"

namespace pregrad::cuda {

/// A tensor as a kernel reads it.
struct LaidOut {
  at::Tensor tensor;
  Layout layout;
};

/// Whether each step along an axis is the same in both, so that one offset names one element of either.
inline bool lie_alike(const at::Tensor& left, const at::Tensor& right) {
  for (std::int64_t axis = 0; axis < left.dim(); ++axis) {
    if (left.size(axis) > 1 && left.stride(axis) != right.stride(axis)) {
      return false;
    }
  }
  return true;
}

/// Whether the samples lie one after the other, without gaps.
inline bool lies_in_samples(const at::Tensor& tensor) {
  return tensor.is_non_overlapping_and_dense() &&
         (tensor.dim() == 0 || tensor.size(0) == 1 || tensor.stride(0) == tensor.numel() / tensor.size(0));
}

/// `tensor` [samples, ...] where it lies, if its neurons' values are neighbours or those of each neuron are; else a
/// copy.
/// @param neuron_axis 0 for rank 1, where each sample is one neuron
inline LaidOut laid_out(const at::Tensor& tensor, std::int64_t neuron_axis) {
  const at::Tensor plain = tensor.detach();
  Layout layout;
  layout.samples = plain.size(0);
  for (std::int64_t axis = 1; axis < plain.dim(); ++axis) {
    (axis < neuron_axis ? layout.outer : axis == neuron_axis ? layout.neurons : layout.inner) *= plain.size(axis);
  }
  if (plain.is_contiguous()) {
    return {plain, layout};
  }
  if (neuron_axis > 0 && plain.stride(neuron_axis) == 1 && lies_in_samples(plain)) {
    // Sums over positions do not ask for their order.
    return {plain, {layout.samples, layout.positions(), layout.neurons, 1}};
  }
  return {plain.contiguous(), layout};
}

/// Calls `body` with a value of the tensor's type.
template <typename Body>
void with_values_of(at::ScalarType type, const Body& body) {
  switch (type) {
    case at::kDouble:
      return body(double());
    case at::kHalf:
      return body(c10::Half());
    case at::kBFloat16:
      return body(c10::BFloat16());
    default:
      return body(float());
  }
}

}  // namespace pregrad::cuda
