#pragma once

#include <array>
#include <cstdint>

#include <ATen/core/Tensor.h>

#include "cuda/kernel.hpp"
#include "cuda/moments.hpp"
#include "cuda/packs.hpp"

namespace pregrad::cuda {

/// What is added up over the positions of a pair of tensors, per sample and neuron.
enum Quantity : int {
  sum_of_x,
  sum_of_y,
  sum_of_products,
  positive_x,  ///< the number of positions with x > 0
  quantity_count,
};

/// How a tensor lies in memory: [samples, outer, neurons, inner].
struct Layout {
  std::int64_t samples = 0;
  std::int64_t outer = 1;
  std::int64_t neurons = 1;
  std::int64_t inner = 1;

  PREGRAD_KERNEL std::int64_t positions() const { return outer * inner; }
};

/// The pair of tensors; null where nothing that is wanted reads one.
template <typename T>
struct Pair {
  const T* x = nullptr;
  const T* y = nullptr;
  Layout layout;
};

/// Which samples are added up together: `chunk_begins` cuts `rows`, the samples in the order of their clusters, into
/// chunks; `cluster_chunks` says with which chunk each cluster begins. All have one element more than there are chunks
/// or clusters, for the end.
struct Chunks {
  const std::int64_t* rows = nullptr;
  const std::int64_t* chunk_begins = nullptr;
  const std::int64_t* cluster_chunks = nullptr;
  std::int64_t chunks = 0;
  std::int64_t clusters = 0;

  PREGRAD_KERNEL std::int64_t size(std::int64_t chunk) const { return chunk_begins[chunk + 1] - chunk_begins[chunk]; }
};

/// Where the results of one quantity go; null where they are not wanted.
struct QuantityOutput {
  double* moments = nullptr;  ///< [chunks or clusters, 3, neurons]: Σv, Σ|v|, Σ(v − mean)²
  double* values = nullptr;   ///< [samples, neurons]
  double divisor = 1;         ///< of each sum over positions

  PREGRAD_KERNEL bool is_wanted() const { return moments != nullptr || values != nullptr; }
  PREGRAD_KERNEL void write(std::int64_t row, std::int64_t neurons, std::int64_t neuron, const Moments& result) const {
    if (moments != nullptr) {
      double* const to = moments + row * 3 * neurons + neuron;
      to[0] = result.sum;
      to[neurons] = result.absolute;
      to[2 * neurons] = result.spread;
    }
  }
};

struct Outputs {
  QuantityOutput of[quantity_count];
};

/// The sums of one sample and neuron over some positions.
struct Sums {
  double x = 0;
  double y = 0;
  double products = 0;
  int positive = 0;

  PREGRAD_KERNEL static Sums of_position(double left, double right) {
    return {left, right, left * right, left > 0 ? 1 : 0};
  }
  PREGRAD_KERNEL void add(double left, double right) {
    x += left;
    y += right;
    products += left * right;
    positive += left > 0 ? 1 : 0;
  }
  PREGRAD_KERNEL double of(int quantity) const {
    return quantity == sum_of_x          ? x
           : quantity == sum_of_y        ? y
           : quantity == sum_of_products ? products
                                         : static_cast<double>(positive);
  }
};

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
