#include "attribution/fixed_tensor.hpp"

#include <utility>

#include <ATen/Functions.h>

namespace pregrad::attribution {

FixedTensor::FixedTensor(at::Tensor on_device)
    : on_device_(std::move(on_device)),
      // Pinned, since the device takes other memory only while the host waits.
      on_host_(at::empty_like(on_device_, on_device_.options().device(at::kCPU).pinned_memory(on_device_.is_cuda()))) {}

FixedTensor FixedTensor::like(const at::Tensor& tensor, c10::Device device) {
  return FixedTensor(at::empty_like(tensor, tensor.options().device(device).pinned_memory(false)));
}

void FixedTensor::fill(const at::Tensor& values) {
  if (!values.is_cpu()) {
    on_device_.copy_(values, /*non_blocking=*/true);
    return;
  }
  on_host_.copy_(values);
  on_device_.copy_(on_host_, /*non_blocking=*/true);
}

void FixedTensor::upload(std::int64_t elements) {
  on_device_.slice(0, 0, elements).copy_(on_host_.slice(0, 0, elements), /*non_blocking=*/true);
}

void FixedTensor::fetch() { on_host_.copy_(on_device_); }

}  // namespace pregrad::attribution
