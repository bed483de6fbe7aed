#include "java_exception.hpp"

#include <cstddef>
#include <cstring>
#include <string>

#include "classes.hpp"
#include "support/device_failure.hpp"
#include "support/libtorch_error.hpp"

namespace pregrad::jni {
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

// If Java has no memory for this exception, the one it throws instead is pending.
void throw_class(JNIEnv* env, const ExceptionClass& exception, const char* message) noexcept {
  jstring text = java_string(env, message);
  if (text == nullptr) {
    return;
  }
  auto* thrown = static_cast<jthrowable>(env->NewObject(exception.type, exception.constructor, text));
  env->DeleteLocalRef(text);
  if (thrown != nullptr) {
    env->Throw(thrown);
    env->DeleteLocalRef(thrown);
  }
}

}  // namespace

void throw_java(JNIEnv* env, ErrorKind kind, const char* message) noexcept {
  throw_class(env, classes().exceptions.at(static_cast<std::size_t>(kind)), message);
}

void throw_out_of_memory(JNIEnv* env) noexcept {
  throw_class(env, classes().exceptions.front(),
              "native memory ran out; use smaller batches or a machine with more of it");
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

}  // namespace pregrad::jni
