#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "cuda/wanted_scores.hpp"
#include "support/cluster_rows.hpp"

namespace pregrad::cuda {

/// Whether this library has the kernels. Where it has not, LibTorch's own operators do their work, and the functions
/// below are not there.
#if defined(PREGRAD_CUDA)
inline constexpr bool is_built = true;
#else
inline constexpr bool is_built = false;
#endif

/// Whether the kernels take the tensor.
inline bool takes(const at::Tensor& tensor) {
  if constexpr (is_built) {
    return tensor.defined() && tensor.is_cuda() && tensor.numel() > 0 &&
           (tensor.scalar_type() == at::kFloat || tensor.scalar_type() == at::kDouble ||
            tensor.scalar_type() == at::kHalf || tensor.scalar_type() == at::kBFloat16);
  }
  return false;
}

/// score_tensors on the current stream of the tensors' device.
ScoreTensors device_scores(const at::Tensor& x, const at::Tensor& y, std::int64_t neuron_axis,
                           const support::ClusterRows& rows, const WantedQuantities& wanted);

/// removal_tensor on the current stream of the value's device.
/// @param masks, constants on any device
at::Tensor device_removal(const at::Tensor& value, std::int64_t neuron_axis, const at::Tensor& masks,
                          const at::Tensor& constants);

/// path_tensor on the current stream of the way's device.
at::Tensor device_path(const at::Tensor& baseline, const at::Tensor& way, const std::vector<double>& alphas,
                       at::ScalarType type);

}  // namespace pregrad::cuda
