#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include <ATen/Functions.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

namespace pregrad::cuda {

/// Starts a kernel on a stream of the current device. Whoever calls it looks for errors.
template <typename Kernel>
void launch(const Kernel& kernel, cudaStream_t stream);

/// Starts kernels on the current stream of a device, and never waits for them. What it allocates goes back to
/// LibTorch's allocator with it, which hands memory on only behind the kernels of the stream.
class DeviceRunner {
 public:
  explicit DeviceRunner(at::Device device) : guard_(device), stream_(c10::cuda::getCurrentCUDAStream(device.index())) {}

  double* doubles(std::int64_t count) {
    return held_.emplace_back(at::empty({count}, options().dtype(at::kDouble))).data_ptr<double>();
  }

  const std::int64_t* upload(std::vector<std::int64_t> integers) {
    // Pinned, since the device takes other memory only while the host waits.
    const at::Tensor pinned = at::empty({static_cast<std::int64_t>(integers.size())},
                                        at::TensorOptions().dtype(at::kLong).pinned_memory(true));
    std::copy(integers.begin(), integers.end(), pinned.data_ptr<std::int64_t>());
    held_.push_back(pinned.to(options().dtype(at::kLong), /*non_blocking=*/true));
    return held_.back().const_data_ptr<std::int64_t>();
  }

  template <typename Kernel>
  void run(const Kernel& kernel) {
    const std::int64_t blocks = kernel.blocks();
    TORCH_CHECK(blocks <= std::numeric_limits<std::int32_t>::max(),
                "a tensor has too many values for one kernel: ", "give smaller batches");
    if (blocks > 0) {
      launch(kernel, stream_.stream());
      C10_CUDA_KERNEL_LAUNCH_CHECK();
    }
  }

 private:
  at::TensorOptions options() const { return at::TensorOptions().device(stream_.device()); }

  c10::cuda::CUDAGuard guard_;
  c10::cuda::CUDAStream stream_;
  std::vector<at::Tensor> held_;
};

}  // namespace pregrad::cuda
