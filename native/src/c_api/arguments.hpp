#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include <ATen/core/TensorBody.h>
#include <c10/core/Device.h>
#include <pregrad/pregrad.h>
#include <pregrad/ablation.hpp>
#include <pregrad/check.hpp>
#include <pregrad/error.hpp>
#include <pregrad/inputs.hpp>
#include <pregrad/model.hpp>
#include <pregrad/options.hpp>
#include <pregrad/scores.hpp>

namespace pregrad::c_api {

/// A pointer that the caller must give.
inline void require_pointer(const void* pointer, const char* what) {
  if (pointer == nullptr) {
    throw ArgumentError(std::string(what) + " is NULL; pass a valid pointer");
  }
}
template <class T>
T& required(T* pointer, const char* what) {
  require_pointer(pointer, what);
  return *pointer;
}

inline void check_struct_size(std::size_t given, std::size_t least, const char* type) {
  if (given < least) {
    throw ArgumentError(std::string("struct_size of ") + type + " is " + std::to_string(given) + "; set it to sizeof(" +
                        type + "), which is at least " + std::to_string(least));
  }
}

/// Size of the struct in version 1 of the interface, the least that a caller's may have.
template <class T>
inline constexpr std::size_t first_size = sizeof(T);
template <>
inline constexpr std::size_t first_size<pregrad_model_options> = offsetof(pregrad_model_options, time_limit_ms);
template <>
inline constexpr std::size_t first_size<pregrad_attribution_options> = offsetof(pregrad_attribution_options, steps);
template <>
inline constexpr std::size_t first_size<pregrad_ablation_options> = offsetof(pregrad_ablation_options, reading);
template <>
inline constexpr std::size_t first_size<pregrad_check_options> = offsetof(pregrad_check_options, reading);
template <>
inline constexpr std::size_t first_size<pregrad_score> = offsetof(pregrad_score, cancellation);

/// The `struct_size` that the caller set. Only so much of the struct may be touched: its header may be older.
template <class T>
std::size_t caller_size(const T* given, const char* type) {
  required(given, type);
  std::size_t size = 0;
  std::memcpy(&size, given, sizeof size);
  check_struct_size(size, first_size<T>, type);
  return size;
}

/// Reads a struct that begins with `struct_size`: shorter if the caller's header is older, which leaves the rest 0, or
/// longer if it is newer.
template <class T>
T read_struct(const T* given, const char* type) {
  const std::size_t size = caller_size(given, type);
  const auto* bytes = reinterpret_cast<const unsigned char*>(given);
  // A newer caller asks for more than this library knows as soon as one of the fields unknown here is set.
  if (size > sizeof(T) && std::any_of(bytes + sizeof(T), bytes + size, [](unsigned char byte) { return byte != 0; })) {
    throw ArgumentError(std::string(type) + " has fields that this library does not know; use a newer library");
  }
  T result = {};
  std::memcpy(&result, bytes, std::min(size, sizeof(T)));
  return result;
}

/// Writes the fields but `struct_size` that the caller's struct has, which may be shorter or longer than this one.
template <class T>
void write_struct(T value, T* out, const char* type) {
  value.struct_size = caller_size(out, type);
  std::memcpy(out, &value, std::min(value.struct_size, sizeof(T)));
}

/// Element `index` of a list.
template <class T>
const T& element(const std::vector<T>& list, std::size_t index, const char* what) {
  if (index >= list.size()) {
    throw ArgumentError(std::string("there is no ") + what + ' ' + std::to_string(index) + "; there are " +
                        std::to_string(list.size()) + ", counted from 0");
  }
  return list[index];
}

/// What the caller has saved.
inline std::string_view state_bytes(const void* bytes, std::size_t size) {
  require_pointer(bytes, "the saved state");
  return {static_cast<const char*>(bytes), size};
}

inline void check_reserved(std::int32_t reserved, const char* type) {
  if (reserved != 0) {
    throw ArgumentError(std::string("reserved of ") + type + " is " + std::to_string(reserved) + "; set it to 0");
  }
}

/// A tensor on the caller's memory, which must outlive it.
/// @throws InputError, ArgumentError
at::Tensor borrow(const pregrad_tensor* tensor);

/// [count] int64 on the caller's memory; undefined for NULL.
/// @param what `labels` or `clusters`
at::Tensor borrow(const std::int64_t* values, std::size_t count, const char* what);

/// The same for a tensor that may be NULL; undefined then.
at::Tensor borrow_optional(const pregrad_tensor* tensor);

/// Inputs on the caller's memory, which must outlive them.
/// @throws InputError, ArgumentError
Inputs borrow(const pregrad_input* inputs, std::size_t count);

/// Layer names.
/// @param what the word for messages
std::vector<std::string> layer_names(const char* const* names, std::size_t count, const char* what);

/// The dtype of a type of elements; PREGRAD_UNKNOWN_DTYPE if C has none.
pregrad_dtype dtype_of(at::ScalarType type);
/// The dtype of a tensor that the library gives out.
pregrad_dtype dtype_of(const at::Tensor& tensor);

/// @throws ArgumentError if the number is no method
Method method(pregrad_method method);

/// @throws ArgumentError if the number is no aggregate
Aggregate aggregate(pregrad_aggregate aggregate);

/// @throws ArgumentError, StateError
AttributionOptions attribution_options(const pregrad_attribution_options* options);
AblationOptions ablation_options(const pregrad_ablation_options* options);
CheckOptions check_options(const pregrad_check_options* options);

/// The device of the options, or of the defaults for NULL.
/// @throws ArgumentError
c10::Device device(const pregrad_model_options* options);
/// The rest of them, likewise.
/// @throws ArgumentError
ModelOptions model_options(const pregrad_model_options* options);

}  // namespace pregrad::c_api
