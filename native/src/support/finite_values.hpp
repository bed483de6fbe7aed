#pragma once

#include <cstdint>
#include <optional>

#include <ATen/core/Tensor.h>

namespace pregrad::support {

/// The first sample of a floating-point tensor [N, ...] that holds NaN or infinity, if there is one.
std::optional<std::int64_t> first_sample_not_finite(const at::Tensor& values);

}  // namespace pregrad::support
