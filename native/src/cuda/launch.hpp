#pragma once

#include <cstdint>

#include <cuda_runtime_api.h>

namespace pregrad::cuda {

/// Starts a kernel on a stream of the current device. Whoever calls it looks for errors.
template <typename Kernel>
void launch(const Kernel& kernel, cudaStream_t stream);

}  // namespace pregrad::cuda
