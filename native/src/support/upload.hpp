#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

namespace pregrad::support {

/// `tensor` on `device`. What goes up to a GPU passes through pinned memory, so that the caller need not wait for it;
/// LibTorch keeps that memory until it is there. `tensor` itself is not read any more after this returns.
at::Tensor uploaded(const at::Tensor& tensor, c10::Device device);

}  // namespace pregrad::support
