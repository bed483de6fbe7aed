#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

namespace pregrad::attribution {

/// A tensor on a device that keeps its place, beside memory of the host that the device reads and writes without
/// help. For one thread at a time, which waits for the device before it fills the tensor again.
class FixedTensor {
 public:
  FixedTensor() = default;
  /// @param on_device has no gaps
  explicit FixedTensor(at::Tensor on_device);
  /// A tensor of that shape, type and order of axes, whatever is in it.
  static FixedTensor like(const at::Tensor& tensor, c10::Device device);

  const at::Tensor& on_device() const { return on_device_; }
  const at::Tensor& on_host() const { return on_host_; }

  /// Copies values of the same shape from wherever they are; those on the host are not read any more when it returns.
  void fill(const at::Tensor& values);
  /// Copies the first elements of `on_host`, a tensor of one axis.
  void upload(std::int64_t elements);
  /// Copies everything to `on_host`, and waits for it.
  void fetch();

 private:
  at::Tensor on_device_;
  at::Tensor on_host_;
};

}  // namespace pregrad::attribution
