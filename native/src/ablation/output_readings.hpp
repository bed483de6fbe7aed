#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "ablation/curve_sums.hpp"
#include "pregrad/options.hpp"

namespace pregrad::ablation {

/// What a run with neurons removed shows of each sample: one element per row of the outputs.
class OutputReadings {
 public:
  /// @param outputs [rows, outputs]
  /// @param targets int64 [rows]
  /// @param labels  int64 [rows]; undefined for a model of one output, where no row counts as right
  OutputReadings(const at::Tensor& outputs, const at::Tensor& targets, const at::Tensor& labels, Output output);

  /// Adds one copy of a batch to a point of the curve of `cluster`.
  /// @param first_row where the copy begins
  /// @param clusters  int64 [N] on the CPU
  void add_to(CurveSums::Point& point, std::int64_t first_row, const at::Tensor& clusters, std::int64_t cluster) const;

 private:
  std::vector<double> y_;
  std::vector<double> is_right_;
  std::vector<double> cross_entropy_;
};

}  // namespace pregrad::ablation
