#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/TensorBody.h>

namespace pregrad::jni {

/// The contiguous tensor into which this thread copied a Java array last, where it fits and nobody else holds it any
/// more; undefined otherwise. Making and freeing one costs as much as a tenth of a small network.
at::Tensor kept_array_tensor(const std::vector<std::int64_t>& shape, at::ScalarType type);
/// Another one, its values undefined; it is the last one from now on.
at::Tensor new_array_tensor(const std::vector<std::int64_t>& shape, at::ScalarType type);

/// A tensor that shows the memory of a direct buffer; the one that this thread had last, where it
/// is the same.
at::Tensor buffer_tensor(void* address, const std::vector<std::int64_t>& shape, at::ScalarType type);

}  // namespace pregrad::jni
