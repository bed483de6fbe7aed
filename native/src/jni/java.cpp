#include "jni/java.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <limits>
#include <string>

#include <ATen/ops/empty.h>
#include <pregrad/error.hpp>

#include "records.hpp"
#include "support/failures.hpp"

namespace pregrad::jni {
namespace {

/// In the order of ErrorKind, which counts from 1; at 0 stands OutOfMemoryError, which is no error of PreGrad's.
constexpr std::array<const char*, 10> exception_names = {
    "java/lang/OutOfMemoryError",     "org/pregrad/PreGradException",          "org/pregrad/ArgumentException",
    "org/pregrad/ModelException",     "org/pregrad/UnsupportedModelException", "org/pregrad/LayerException",
    "org/pregrad/InputException",     "java/lang/IllegalStateException",       "org/pregrad/DeviceException",
    "org/pregrad/CancelledException",
};

Classes loaded;

template <class Reference>
Reference global(JNIEnv* env, Reference local) {
  if (local == nullptr) {
    return nullptr;
  }
  auto reference = static_cast<Reference>(env->NewGlobalRef(local));
  env->DeleteLocalRef(local);
  return reference;
}

bool load(JNIEnv* env, const char* name, jclass& type) {
  type = global(env, env->FindClass(name));
  return type != nullptr;
}

bool load(JNIEnv* env, jclass type, const char* signature, jmethodID& constructor) {
  constructor = env->GetMethodID(type, "<init>", signature);
  return constructor != nullptr;
}

}  // namespace

const Classes& classes() { return loaded; }

bool load_classes(JNIEnv* env) {
  if (loaded.utf8 != nullptr) {
    return true;
  }
  if (!load(env, "java/lang/Object", loaded.object) || !load(env, "java/lang/String", loaded.string) ||
      !load(env, loaded.string, "([BLjava/lang/String;)V", loaded.string_of_bytes)) {
    return false;
  }
  if (!load(env, "java/lang/Thread", loaded.thread)) {
    return false;
  }
  loaded.current_thread = env->GetStaticMethodID(loaded.thread, "currentThread", "()Ljava/lang/Thread;");
  loaded.is_interrupted = env->GetMethodID(loaded.thread, "isInterrupted", "()Z");
  if (loaded.current_thread == nullptr || loaded.is_interrupted == nullptr) {
    return false;
  }
  loaded.utf8 = global(env, env->NewStringUTF("UTF-8"));
  return loaded.utf8 != nullptr;
}

bool is_interrupted(JNIEnv* env) noexcept {
  // No call may be made while an exception is pending; it ends the call soon anyway.
  if (env->ExceptionCheck() == JNI_TRUE) {
    return false;
  }
  jobject thread = env->CallStaticObjectMethod(classes().thread, classes().current_thread);
  if (env->ExceptionCheck() == JNI_TRUE) {
    env->ExceptionClear();
    return false;
  }
  const bool result = env->CallBooleanMethod(thread, classes().is_interrupted) == JNI_TRUE;
  if (env->ExceptionCheck() == JNI_TRUE) {
    env->ExceptionClear();
  }
  env->DeleteLocalRef(thread);
  return result;
}

namespace {

// A message may hold any bytes, e.g. of a file name; Java's own decoder replaces what is no UTF-8.
jstring java_string(JNIEnv* env, const char* text) {
  const auto size = static_cast<jsize>(std::strlen(text));
  jbyteArray bytes = env->NewByteArray(size);
  if (bytes == nullptr) {
    return nullptr;
  }
  env->SetByteArrayRegion(bytes, 0, size, reinterpret_cast<const jbyte*>(text));
  auto* string =
      static_cast<jstring>(env->NewObject(classes().string, classes().string_of_bytes, bytes, classes().utf8));
  env->DeleteLocalRef(bytes);
  return string;
}

// The class is that of whoever calls: the JVM looks where the class of the running native method comes from. If Java
// has no memory for this exception, the one it throws instead is pending.
void throw_class(JNIEnv* env, const char* name, const char* message) noexcept {
  jclass type = env->FindClass(name);
  jmethodID constructor = nullptr;
  if (type == nullptr || !load(env, type, "(Ljava/lang/String;)V", constructor)) {
    return;
  }
  jstring text = java_string(env, message);
  if (text == nullptr) {
    return;
  }
  auto* thrown = static_cast<jthrowable>(env->NewObject(type, constructor, text));
  env->DeleteLocalRef(text);
  if (thrown != nullptr) {
    env->Throw(thrown);
    env->DeleteLocalRef(thrown);
  }
}

}  // namespace

void throw_java(JNIEnv* env, ErrorKind kind, const char* message) noexcept {
  throw_class(env, exception_names.at(static_cast<std::size_t>(kind)), message);
}

void throw_out_of_memory(JNIEnv* env) noexcept {
  throw_class(env, exception_names.front(), "native memory ran out; use smaller batches or a machine with more of it");
}

void throw_foreign(JNIEnv* env, const std::exception& error) noexcept {
  try {
    if (support::device_failure(error) != support::DeviceFailure::none) {
      throw_java(env, ErrorKind::device, support::device_error_text(error).c_str());
      return;
    }
    const std::string sentence = support::first_sentence(error);
    if (sentence.find("can't allocate memory") != std::string::npos) {
      throw_out_of_memory(env);
    } else {
      throw_java(env, ErrorKind::internal, sentence.empty() ? "LibTorch failed without a message" : sentence.c_str());
    }
  } catch (...) {
    throw_out_of_memory(env);
  }
}

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

std::vector<std::string> names(JNIEnv* env, jbyteArray terminated) {
  const std::string all = text(env, terminated);
  std::vector<std::string> list;
  for (std::size_t first = 0; first < all.size();) {
    const std::size_t end = std::min(all.find('\0', first), all.size());
    list.push_back(all.substr(first, end - first));
    first = end + 1;
  }
  return list;
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

jobjectArray java_objects(JNIEnv* env, std::size_t size) {
  jobjectArray result = env->NewObjectArray(static_cast<jsize>(size), classes().object, nullptr);
  check(env);
  return result;
}

void put(JNIEnv* env, jobjectArray into, std::size_t index, jobject object) {
  env->SetObjectArrayElement(into, static_cast<jsize>(index), object);
  check(env);
  env->DeleteLocalRef(object);
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
