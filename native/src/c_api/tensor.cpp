#include "tensor.hpp"

#include <array>
#include <limits>
#include <string>
#include <utility>

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/ScalarType.h>
#include <c10/util/ArrayRef.h>

#include "arguments.hpp"

namespace pregrad::c_api {
namespace {

constexpr std::array<std::pair<pregrad_dtype, at::ScalarType>, 7> dtypes = {{
    {PREGRAD_FLOAT32, at::kFloat},
    {PREGRAD_FLOAT64, at::kDouble},
    {PREGRAD_FLOAT16, at::kHalf},
    {PREGRAD_BFLOAT16, at::kBFloat16},
    {PREGRAD_INT64, at::kLong},
    {PREGRAD_INT32, at::kInt},
    {PREGRAD_UINT8, at::kByte},
}};

at::ScalarType scalar_type(pregrad_dtype dtype) {
  for (const auto& [ours, theirs] : dtypes) {
    if (ours == dtype) {
      return theirs;
    }
  }
  throw ArgumentError("the dtype " + std::to_string(dtype) + " is unknown; use PREGRAD_FLOAT32 or another constant");
}

void check_shape(at::IntArrayRef shape, std::size_t element_size) {
  constexpr std::int64_t limit = std::numeric_limits<std::int64_t>::max();
  auto bytes = static_cast<std::int64_t>(element_size);
  bool overflow = false;
  bool empty = false;
  for (const std::int64_t size : shape) {
    if (size < 0) {
      throw InputError("the tensor's shape has the negative size " + std::to_string(size) +
                       "; give sizes of 0 or more");
    }
    empty = empty || size == 0;
    overflow = overflow || (size != 0 && bytes > limit / size);
    bytes = overflow || size == 0 ? bytes : bytes * size;
  }
  if (overflow && !empty) {
    throw InputError("the tensor's shape has more elements than memory can hold; check its sizes");
  }
}

at::Tensor borrow(const void* data, at::IntArrayRef shape, at::ScalarType type, const char* what) {
  const std::size_t element_size = c10::elementSize(type);
  check_shape(shape, element_size);
  bool empty = false;
  for (const std::int64_t size : shape) {
    empty = empty || size == 0;
  }
  if (empty) {
    return at::empty(shape, at::TensorOptions().dtype(type));
  }
  if (data == nullptr) {
    throw InputError(std::string("the data of ") + what + " is NULL; point it at the first element");
  }
  if (reinterpret_cast<std::uintptr_t>(data) % element_size != 0) {
    throw InputError(std::string("the data of ") + what + " is not aligned to its elements of " +
                     std::to_string(element_size) + " bytes; copy it to an array of their type");
  }
  // from_blob takes no const; nothing here or in the core writes to inputs, labels or clusters.
  return at::from_blob(const_cast<void*>(data), shape, at::TensorOptions().dtype(type));
}

}  // namespace

at::Tensor borrow(const pregrad_tensor* tensor) {
  const pregrad_tensor given = read_struct(tensor, "pregrad_tensor");
  check_reserved(given.reserved, "pregrad_tensor");
  if (given.rank > 0) {
    required(given.shape, "the shape of pregrad_tensor");
  }
  return borrow(given.data, at::IntArrayRef(given.shape, given.rank), scalar_type(given.dtype), "pregrad_tensor");
}

at::Tensor borrow(const std::int64_t* values, std::size_t count, const char* what) {
  if (values == nullptr) {
    if (count != 0) {
      throw ArgumentError(std::string(what) + " is NULL but its count is " + std::to_string(count) +
                          "; pass the values, or 0 as the count");
    }
    return {};
  }
  const auto size = static_cast<std::int64_t>(count);
  return borrow(values, at::IntArrayRef(&size, 1), at::kLong, what);
}

pregrad_dtype dtype_of(const at::Tensor& tensor) {
  for (const auto& [ours, theirs] : dtypes) {
    if (theirs == tensor.scalar_type()) {
      return ours;
    }
  }
  throw UnsupportedModelError(std::string("the model's output has the type ") + c10::toString(tensor.scalar_type()) +
                              ", which C cannot take; let the model return a floating-point tensor");
}

}  // namespace pregrad::c_api
