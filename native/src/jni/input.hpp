#pragma once

#include <cstdint>
#include <vector>

#include <jni.h>

#include <ATen/core/TensorBody.h>

namespace pregrad::jni {

/// The input that org.pregrad.internal.Native describes. A direct buffer or a tensor is shown in place, for the length
/// of the call; an array is copied. Undefined if there is none. No critical section: it would hold up the garbage
/// collector.
at::Tensor input(JNIEnv* env, jint source, jobject data, jlong offset, const std::vector<std::int64_t>& sizes);
at::Tensor input(JNIEnv* env, jint source, jobject data, jlong offset, jlongArray shape);

}  // namespace pregrad::jni
