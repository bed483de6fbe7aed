#pragma once

#include <cstddef>
#include <cstdint>

#include <ATen/core/TensorBody.h>

#include <pregrad/pregrad.h>

namespace pregrad::c_api {

/// A tensor on the caller's memory, which must outlive it.
/// @throws InputError, ArgumentError
at::Tensor borrow(const pregrad_tensor* tensor);

/// [count] int64 on the caller's memory; undefined for NULL.
/// @param what `labels` or `clusters`
at::Tensor borrow(const std::int64_t* values, std::size_t count, const char* what);

/// The dtype of a tensor that the library gives out.
pregrad_dtype dtype_of(const at::Tensor& tensor);

}  // namespace pregrad::c_api
