#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ATen/core/TensorBody.h>
#include <jni.h>
#include <pregrad/certainty.hpp>
#include <pregrad/error.hpp>
#include <pregrad/model.hpp>
#include <pregrad/pruning.hpp>

namespace pregrad::jni {

/// What is looked up once; global references. Only classes of the JDK: one of PreGrad's would keep its class loader
/// from being collected, and is another one for the next class loader.
struct Classes {
  jclass object = nullptr;
  jclass string = nullptr;
  jmethodID string_of_bytes = nullptr;
  jclass thread = nullptr;
  jmethodID current_thread = nullptr;
  jmethodID is_interrupted = nullptr;
  jstring utf8 = nullptr;
};

const Classes& classes();

/// False, with a Java exception pending, if one is missing. The second time it does nothing.
bool load_classes(JNIEnv* env);

/// Bytes, UTF-8 or a file name.
std::string text(JNIEnv* env, jbyteArray bytes);
std::vector<std::int64_t> integers(JNIEnv* env, jlongArray values);
std::vector<double> reals(JNIEnv* env, jdoubleArray values);
/// Names with a NUL, which no name holds, behind each.
std::vector<std::string> names(JNIEnv* env, jbyteArray terminated);
/// int64, [length]; undefined for null.
at::Tensor integer_tensor(JNIEnv* env, jlongArray values);

/// Whether the Java thread that calls was interrupted; its flag stays as it is.
bool is_interrupted(JNIEnv* env) noexcept;

/// The tensor that JavaCPP holds at this address.
at::Tensor& tensor_at(jlong address);

jbyteArray java_bytes(JNIEnv* env, std::string_view bytes);
/// Of `size` nulls.
jobjectArray java_objects(JNIEnv* env, std::size_t size);
/// Puts the object there and gives its local reference back.
void put(JNIEnv* env, jobjectArray into, std::size_t index, jobject object);
jlongArray java_longs(JNIEnv* env, at::IntArrayRef values);
/// Layers as org.pregrad.internal.Records reads them.
jbyteArray java_layers(JNIEnv* env, const std::vector<Layer>& layers);

/// What the builders of org.pregrad packed by name; what they leave out keeps its default.
/// @throws ArgumentError for an option or a name that this library does not know
/// @throws InternalError if the bytes are cut off or garbled
std::pair<c10::Device, ModelOptions> model_options(JNIEnv* env, jbyteArray packed);
AttributionOptions probe_options(JNIEnv* env, jbyteArray packed);
AttributionOptions attribution_options(JNIEnv* env, jbyteArray packed);
AblationOptions ablation_options(JNIEnv* env, jbyteArray packed);
CheckOptions check_options(JNIEnv* env, jbyteArray packed);
/// The differences of scores that org.pregrad.Scores packed.
std::vector<Difference> differences(JNIEnv* env, jbyteArray packed);
PruningOptions pruning_options(JNIEnv* env, jbyteArray packed);

/// Thrown where a JNI call left a Java exception behind; the guard then lets that one through.
struct PendingJavaException {};

/// Makes the Java exception of that kind pending.
void throw_java(JNIEnv* env, ErrorKind kind, const char* message) noexcept;
/// Makes an OutOfMemoryError pending.
void throw_out_of_memory(JNIEnv* env) noexcept;
/// For an exception that is none of PreGrad's: its message is cut to the sentence that says what is wrong. A device
/// whose memory ran out gives a DeviceException, since that is no reason for the JVM to give up.
void throw_foreign(JNIEnv* env, const std::exception& error) noexcept;

/// To be called after every JNI call that can fail: no other may be made while an exception is pending.
inline void check(JNIEnv* env) {
  if (env->ExceptionCheck() == JNI_TRUE) {
    throw PendingJavaException();
  }
}

}  // namespace pregrad::jni
