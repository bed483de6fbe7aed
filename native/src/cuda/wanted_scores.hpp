#pragma once

#include <array>

#include <ATen/core/Tensor.h>

#include "cuda/score_quantities.hpp"

namespace pregrad::cuda {

/// What is wanted of one quantity.
struct WantedQuantity {
  bool moments = false;     ///< per cluster
  bool values = false;      ///< per sample
  bool is_divided = false;  ///< by the number of positions

  bool is_wanted() const { return moments || values; }
};

using WantedQuantities = std::array<WantedQuantity, quantity_count>;

/// Float64 on the device of the tensors; of the wanted quantities, in their order.
struct ScoreTensors {
  at::Tensor moments;  ///< [quantities, clusters, 3, neurons]: Σv, Σ|v|, Σ(v − mean)²
  at::Tensor values;   ///< [quantities, samples, neurons]
};

}  // namespace pregrad::cuda
