#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

namespace pregrad::statistics {
class ClusterRows;
}

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

}  // namespace pregrad::cuda
