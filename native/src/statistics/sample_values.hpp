#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

namespace pregrad::statistics {

/// Reduces a tensor [N, ..., C, ...] over its positions, all axes but the batch and the neuron axis, in float64.
/// Every result has N rows of C values.
class SampleValues {
 public:
  /// @param neuron_axis in [1, rank), or 0 for rank 1, where each sample is one neuron
  SampleValues(const std::vector<std::int64_t>& shape, std::int64_t neuron_axis);

  std::int64_t samples() const { return samples_; }
  std::int64_t neurons() const { return neurons_; }
  std::int64_t positions() const { return outer_ * inner_; }

  /// Σₚ xₚ; zeros for an undefined tensor.
  std::vector<double> sum(const at::Tensor& x) const;
  /// Σₚ xₚ·yₚ; zeros where one is undefined.
  std::vector<double> sum_of_products(const at::Tensor& x, const at::Tensor& y) const;
  /// The mean over the positions.
  std::vector<double> mean(const at::Tensor& x) const;

 private:
  template <typename Term>
  std::vector<double> reduce(const Term& term) const;

  std::int64_t samples_ = 0;
  std::int64_t outer_ = 1;
  std::int64_t neurons_ = 1;
  std::int64_t inner_ = 1;
};

}  // namespace pregrad::statistics
