#include "support/upload.hpp"

namespace pregrad::support {

at::Tensor uploaded(const at::Tensor& tensor, c10::Device device) {
  // Pinned memory of the caller's own may change while it is on its way, unless that is waited for.
  if (!device.is_cuda() || !tensor.is_cpu() || tensor.is_pinned()) {
    return tensor.to(device);
  }
  return tensor.pin_memory().to(device, tensor.scalar_type(), /*non_blocking=*/true);
}

}  // namespace pregrad::support
