#include "jni/inputs.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <ATen/EmptyTensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <pregrad/error.hpp>

#include "java.hpp"

namespace pregrad::jni {

void BatchIntegers::read(JNIEnv* env, jlongArray packed) {
  const jsize size = env->GetArrayLength(packed);
  if (static_cast<std::size_t>(size) != values_.size()) {
    layout_ = {};  // the tensors may show memory that is gone
    values_.resize(static_cast<std::size_t>(size));
  }
  env->GetLongArrayRegion(packed, 0, size, reinterpret_cast<jlong*>(values_.data()));
  check(env);
  if (is_laid_out_as_before()) {
    return;
  }
  const Layout layout = this->layout();
  layout_ = {};  // until all is made
  shape_.assign(values_.begin() + 1, values_.begin() + 1 + layout.axes);
  labels_ = shown(layout.labels, 3 + layout.axes, layout.per_sample);
  clusters_ = shown(layout.clusters, clusters_of(layout) + 1, layout.per_sample);
  layout_ = layout;
}

bool BatchIntegers::is_laid_out_as_before() const {
  const std::int64_t* const values = values_.data();
  return layout_.axes >= 0 && values[0] == layout_.axes && values[1 + layout_.axes] == layout_.per_sample &&
         values[2 + layout_.axes] == layout_.labels && values[clusters_of(layout_)] == layout_.clusters &&
         std::equal(shape_.begin(), shape_.end(), values + 1);
}

BatchIntegers::Layout BatchIntegers::layout() const {
  Layout layout;
  layout.axes = std::max<std::int64_t>(0, count_at(0));
  layout.per_sample = at(1 + layout.axes);
  layout.labels = count_at(2 + layout.axes);
  layout.clusters = count_at(clusters_of(layout));
  const std::int64_t end = clusters_of(layout) + 1 + std::max<std::int64_t>(0, layout.clusters);
  if (end != static_cast<std::int64_t>(values_.size())) {
    throw InternalError("a batch has " + std::to_string(values_.size()) + " integers where " + std::to_string(end) +
                        " are announced; use classes and library of one build");
  }
  return layout;
}

std::int64_t BatchIntegers::clusters_of(const Layout& layout) {
  return 3 + layout.axes + std::max<std::int64_t>(0, layout.labels);
}

std::int64_t BatchIntegers::at(std::int64_t index) const {
  if (index < 0 || index >= static_cast<std::int64_t>(values_.size())) {
    throw InternalError("the integers of a batch end early; use classes and library of one build");
  }
  return values_[static_cast<std::size_t>(index)];
}

std::int64_t BatchIntegers::count_at(std::int64_t index) const {
  return std::clamp<std::int64_t>(at(index), -1, static_cast<std::int64_t>(values_.size()));
}

at::Tensor BatchIntegers::shown(std::int64_t count, std::int64_t begin, std::int64_t per_sample) {
  if (count < 0) {
    return {};
  }
  std::int64_t* const values = values_.data() + begin;
  if (per_sample == 1) {
    return at::from_blob(values, {count}, at::TensorOptions().dtype(at::kLong));
  }
  if (per_sample < 1 || count % per_sample != 0) {
    throw InternalError("a batch has " + std::to_string(count) + " integers, " + std::to_string(per_sample) +
                        " per sample; use classes and library of one build");
  }
  return at::from_blob(values, {count / per_sample, per_sample}, at::TensorOptions().dtype(at::kLong));
}

namespace {

/// A thread keeps no more than this between its calls; beyond it the time of a new tensor is nothing.
constexpr std::size_t most_bytes_kept = 1 << 20;

/// A model may have looked at its input in other ways, or written into it what has a history.
bool is_as_new(const at::Tensor& tensor, const std::vector<std::int64_t>& shape, at::ScalarType type) {
  return tensor.defined() && tensor.scalar_type() == type && tensor.sizes() == shape && tensor.is_contiguous() &&
         !tensor.requires_grad() && tensor.use_count() == 1 && tensor.storage().use_count() == 1;
}

}  // namespace

at::Tensor array_tensor(const std::vector<std::int64_t>& shape, at::ScalarType type) {
  thread_local at::Tensor kept;
  if (is_as_new(kept, shape, type)) {
    return kept;
  }
  at::Tensor tensor = at::detail::empty_cpu(shape, type);
  kept = tensor.nbytes() <= most_bytes_kept ? tensor : at::Tensor();
  return tensor;
}

at::Tensor buffer_tensor(void* address, const std::vector<std::int64_t>& shape, at::ScalarType type) {
  // Of no memory of its own: once the buffer is gone nobody reads it, until another one lies there.
  thread_local at::Tensor kept;
  if (!is_as_new(kept, shape, type) || kept.const_data_ptr() != address) {
    kept = at::from_blob(address, shape, at::TensorOptions().dtype(type));
  }
  return kept;
}

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
  boolean_array = 8,
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
    case Source::boolean_array:
      return from_array(env, data, offset, sizes, at::kBool, &JNIEnv::GetBooleanArrayRegion);
  }
  throw InternalError("there is no kind of input " + std::to_string(source) + "; use classes and library of one build");
}

at::Tensor input(JNIEnv* env, jint source, jobject data, jlong offset, jlongArray shape) {
  return input(env, source, data, offset, shape == nullptr ? std::vector<std::int64_t>() : integers(env, shape));
}

namespace {

/// Takes one described tensor after the other.
class Described {
 public:
  Described(JNIEnv* env, jobjectArray data, jlongArray layout)
      : env_(env), data_(data), layout_(integers(env, layout)) {}

  NamedTensor next(std::string name) {
    const auto source = static_cast<jint>(number());
    const std::int64_t offset = number();
    const bool is_shared = number() != 0;
    const std::int64_t axes = number();
    if (axes < 0 || static_cast<std::size_t>(axes) > layout_.size() - read_) {
      refuse();
    }
    const auto first = layout_.begin() + static_cast<std::ptrdiff_t>(read_);
    read_ += static_cast<std::size_t>(axes);
    if (element_ == env_->GetArrayLength(data_)) {
      refuse();
    }
    const jobject object = env_->GetObjectArrayElement(data_, element_++);
    check(env_);
    const bool is_without_data =
        source == static_cast<jint>(Source::tensor) || source == static_cast<jint>(Source::none);
    if (object == nullptr && !is_without_data) {
      refuse();
    }
    NamedTensor tensor{std::move(name), input(env_, source, object, offset, {first, first + axes}), is_shared};
    env_->DeleteLocalRef(object);
    return tensor;
  }

  void finish() const {
    if (read_ != layout_.size()) {
      refuse();
    }
  }

 private:
  std::int64_t number() {
    if (read_ == layout_.size()) {
      refuse();
    }
    return layout_[read_++];
  }

  [[noreturn]] static void refuse() {
    throw InternalError("the inputs are not described as this library expects; use classes and library of one build");
  }

  JNIEnv* env_;
  jobjectArray data_;
  std::vector<std::int64_t> layout_;
  std::size_t read_ = 0;
  jsize element_ = 0;
};

}  // namespace

Batch batch(JNIEnv* env, jbyteArray names, jobjectArray data, jlongArray layout) {
  std::vector<std::string> list = jni::names(env, names);
  Described described(env, data, layout);
  std::vector<NamedTensor> tensors;
  tensors.reserve(list.size());
  for (std::string& name : list) {
    tensors.push_back(described.next(std::move(name)));
  }
  Batch result;
  result.labels = described.next("").tensor;
  result.clusters = described.next("").tensor;
  described.finish();
  const bool is_only = tensors.size() == 1 && tensors.front().name.empty();
  result.inputs = is_only ? Inputs(std::move(tensors.front().tensor)) : Inputs::of(std::move(tensors));
  return result;
}

}  // namespace pregrad::jni
