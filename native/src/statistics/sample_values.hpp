#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "statistics/batch_moments.hpp"

namespace pregrad::statistics {

/// Which sums over the positions of a pair of tensors are wanted.
struct WantedSums {
  bool x = false;         ///< Σₚ xₚ
  bool y = false;         ///< Σₚ yₚ
  bool products = false;  ///< Σₚ xₚ·yₚ
  bool positive = false;  ///< the number of positions with xₚ > 0
};

/// N rows of C values each; empty where not wanted.
struct PositionSums {
  std::vector<double> x;
  std::vector<double> y;
  std::vector<double> products;
  std::vector<double> positive;
};

/// Reduces a tensor [N, ..., C, ...] over its positions, all axes but the batch and the neuron axis, in float64.
/// Every result has N rows of C values.
class SampleValues {
 public:
  /// @param neuron_axis in [1, rank), or 0 for rank 1, where each sample is one neuron
  SampleValues(const std::vector<std::int64_t>& shape, std::int64_t neuron_axis);

  std::int64_t samples() const { return samples_; }
  std::int64_t neurons() const { return neurons_; }
  std::int64_t positions() const { return outer_ * inner_; }
  std::int64_t neuron_axis() const { return neuron_axis_; }
  /// How many positions the axes behind the neurons' come to.
  std::int64_t inner() const { return inner_; }

  /// All wanted sums in one pass; an undefined tensor counts as zeros.
  PositionSums sums(const at::Tensor& x, const at::Tensor& y, WantedSums wanted) const;
  /// Σₚ xₚ; zeros for an undefined tensor.
  std::vector<double> sum(const at::Tensor& x) const { return sums(x, {}, {.x = true}).x; }
  /// Σₚ xₚ·yₚ; zeros where one is undefined.
  std::vector<double> sum_of_products(const at::Tensor& x, const at::Tensor& y) const {
    return sums(x, y, {.products = true}).products;
  }
  /// Σₚ xₚ, without a copy where each neuron has one position.
  NeuronValues values(const at::Tensor& x) const;

 private:
  std::int64_t neuron_axis_ = 0;
  std::int64_t samples_ = 0;
  std::int64_t outer_ = 1;
  std::int64_t neurons_ = 1;
  std::int64_t inner_ = 1;
};

}  // namespace pregrad::statistics
