#include "convert.hpp"

#include <limits>

#include <ATen/ops/empty.h>

#include <pregrad/error.hpp>

#include "java_exception.hpp"
#include "records.hpp"

namespace pregrad::jni {

static_assert(sizeof(jlong) == sizeof(std::int64_t) && sizeof(jint) == sizeof(int));

std::string text(JNIEnv* env, jbyteArray bytes) {
  std::string result(static_cast<std::size_t>(env->GetArrayLength(bytes)), '\0');
  env->GetByteArrayRegion(bytes, 0, static_cast<jsize>(result.size()), reinterpret_cast<jbyte*>(result.data()));
  check(env);
  return result;
}

std::vector<std::int64_t> integers(JNIEnv* env, jlongArray values) {
  std::vector<std::int64_t> result(static_cast<std::size_t>(env->GetArrayLength(values)));
  env->GetLongArrayRegion(values, 0, static_cast<jsize>(result.size()), reinterpret_cast<jlong*>(result.data()));
  check(env);
  return result;
}

at::Tensor integer_tensor(JNIEnv* env, jlongArray values) {
  if (values == nullptr) {
    return {};
  }
  const jsize size = env->GetArrayLength(values);
  at::Tensor result = at::empty({size}, at::TensorOptions().dtype(at::kLong));
  env->GetLongArrayRegion(values, 0, size, static_cast<jlong*>(result.mutable_data_ptr()));
  check(env);
  return result;
}

std::vector<double> reals(JNIEnv* env, jdoubleArray values) {
  std::vector<double> result(static_cast<std::size_t>(env->GetArrayLength(values)));
  env->GetDoubleArrayRegion(values, 0, static_cast<jsize>(result.size()), result.data());
  check(env);
  return result;
}

at::Tensor& tensor_at(jlong address) {
  // Java has checked that the tensor is open, and keeps it so for this call.
  return *reinterpret_cast<at::Tensor*>(address);  // NOLINT(performance-no-int-to-ptr): JavaCPP holds addresses
}

jbyteArray java_bytes(JNIEnv* env, std::string_view bytes) {
  if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<jsize>::max())) {
    throw InternalError("the result has " + std::to_string(bytes.size()) +
                        " bytes, more than a Java array holds; use fewer layers or clusters at once");
  }
  const auto size = static_cast<jsize>(bytes.size());
  jbyteArray result = env->NewByteArray(size);
  check(env);
  env->SetByteArrayRegion(result, 0, size, reinterpret_cast<const jbyte*>(bytes.data()));
  check(env);
  return result;
}

jlongArray java_longs(JNIEnv* env, at::IntArrayRef values) {
  const auto size = static_cast<jsize>(values.size());
  jlongArray result = env->NewLongArray(size);
  check(env);
  env->SetLongArrayRegion(result, 0, size, reinterpret_cast<const jlong*>(values.data()));
  check(env);
  return result;
}

jbyteArray java_layers(JNIEnv* env, const std::vector<Layer>& layers) {
  Records records;
  records.add(layers.size());
  for (const Layer& layer : layers) {
    records.add(layer.name);
    records.add(layer.call);
    records.add(layer.op);
    records.add(layer.in_place);
    records.add(layer.neurons);
    records.add(layer.neuron_axis);
    records.add(layer.shape.size());
    for (const std::int64_t size : layer.shape) {
      records.add(size);
    }
    records.add(layer.pre_activation);
    records.add(layer.operators);
  }
  return java_bytes(env, records.bytes());
}

}  // namespace pregrad::jni
