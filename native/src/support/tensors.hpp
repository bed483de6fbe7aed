#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>
#include <c10/util/ArrayRef.h>

#include "pregrad/inputs.hpp"

namespace pregrad::support {

/// A shape as messages show it: `[8, 64]`.
std::string shape_text(c10::ArrayRef<std::int64_t> shape);
/// Names as messages list them: `'x', 'mask'`.
std::string quoted(const std::vector<std::string>& names);

/// `tensor` on `device`. What goes up to a GPU passes through pinned memory, so that the caller need not wait for it;
/// LibTorch keeps that memory until it is there. `tensor` itself is not read any more after this returns.
at::Tensor uploaded(const at::Tensor& tensor, c10::Device device);
Inputs uploaded(const Inputs& inputs, c10::Device device);

/// A tensor so many times, one after the other along axis 0; an undefined one stays undefined.
at::Tensor copies_of(const at::Tensor& tensor, std::int64_t count);

/// The inputs without the history that autograd has of them.
Inputs detached(const Inputs& inputs);

/// The first sample of a floating-point tensor [N, ...] that holds NaN or infinity, if there is one.
std::optional<std::int64_t> first_sample_not_finite(const at::Tensor& values);

}  // namespace pregrad::support
