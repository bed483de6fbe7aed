#include "input.hpp"

#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include <ATen/ops/empty.h>

#include <pregrad/error.hpp>

#include "convert.hpp"
#include "input_tensors.hpp"
#include "java_exception.hpp"

namespace pregrad::jni {
namespace {

// The constants of org.pregrad.internal.Native.
enum class Source : jint {
  float_array = 0,
  double_array = 1,
  long_array = 2,
  float_buffer = 3,
  double_buffer = 4,
  long_buffer = 5,
  tensor = 6,
  none = 7,
};

// Java has compared the shape with its data; memory is worth a second look.
std::int64_t checked_size(const std::vector<std::int64_t>& shape, jlong offset, jlong available) {
  std::int64_t size = 1;
  bool fits = offset >= 0;
  for (const std::int64_t axis : shape) {
    fits = fits && axis >= 0 && !__builtin_mul_overflow(size, axis, &size);
  }
  if (!fits || size > available - offset) {
    throw InputError("the shape needs more values than there are from element " + std::to_string(offset) + " of " +
                     std::to_string(available) + "; give the shape of all samples, batch axis first");
  }
  return size;
}

template <class Element, class Array>
at::Tensor from_array(JNIEnv* env, jobject data, jlong offset, const std::vector<std::int64_t>& shape,
                      at::ScalarType type, void (JNIEnv::*get)(Array, jsize, jsize, Element*)) {
  auto array = static_cast<Array>(data);
  const std::int64_t size = checked_size(shape, offset, env->GetArrayLength(array));
  at::Tensor tensor = array_tensor(shape, type);
  (env->*get)(array, static_cast<jsize>(offset), static_cast<jsize>(size),
              static_cast<Element*>(tensor.mutable_data_ptr()));
  check(env);
  return tensor;
}

at::Tensor from_buffer(JNIEnv* env, jobject data, jlong offset, const std::vector<std::int64_t>& shape,
                       at::ScalarType type) {
  const std::int64_t size = checked_size(shape, offset, env->GetDirectBufferCapacity(data));
  const std::size_t width = c10::elementSize(type);
  auto* address = static_cast<char*>(env->GetDirectBufferAddress(data));
  if (address == nullptr || size == 0) {
    return at::empty(shape, type);
  }
  address += static_cast<std::size_t>(offset) * width;
  if (reinterpret_cast<std::uintptr_t>(address) % width != 0) {
    // A view of a ByteBuffer may begin anywhere, where LibTorch may not read.
    at::Tensor copy = at::empty(shape, type);
    std::memcpy(copy.mutable_data_ptr(), address, static_cast<std::size_t>(size) * width);
    return copy;
  }
  return buffer_tensor(address, shape, type);
}

}  // namespace

at::Tensor input(JNIEnv* env, jint source, jobject data, jlong offset, const std::vector<std::int64_t>& sizes) {
  switch (static_cast<Source>(source)) {
    case Source::float_array:
      return from_array(env, data, offset, sizes, at::kFloat, &JNIEnv::GetFloatArrayRegion);
    case Source::double_array:
      return from_array(env, data, offset, sizes, at::kDouble, &JNIEnv::GetDoubleArrayRegion);
    case Source::long_array:
      return from_array(env, data, offset, sizes, at::kLong, &JNIEnv::GetLongArrayRegion);
    case Source::float_buffer:
      return from_buffer(env, data, offset, sizes, at::kFloat);
    case Source::double_buffer:
      return from_buffer(env, data, offset, sizes, at::kDouble);
    case Source::long_buffer:
      return from_buffer(env, data, offset, sizes, at::kLong);
    case Source::tensor:
      return tensor_at(offset);
    case Source::none:
      return {};
  }
  throw InternalError("there is no kind of input " + std::to_string(source) + "; use classes and library of one build");
}

at::Tensor input(JNIEnv* env, jint source, jobject data, jlong offset, jlongArray shape) {
  return input(env, source, data, offset, shape == nullptr ? std::vector<std::int64_t>() : integers(env, shape));
}

}  // namespace pregrad::jni
