#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/TensorBody.h>

namespace pregrad::jni {

/// A contiguous tensor to copy a Java array into, its values undefined. It is the one that this thread had last, where
/// it fits and nobody else holds it any more: making and freeing one costs as much as a tenth of a small network.
at::Tensor array_tensor(const std::vector<std::int64_t>& shape, at::ScalarType type);

/// A tensor that shows the memory of a direct buffer; likewise the one that this thread had last, where it is the same.
at::Tensor buffer_tensor(void* address, const std::vector<std::int64_t>& shape, at::ScalarType type);

}  // namespace pregrad::jni
