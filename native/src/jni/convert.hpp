#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <jni.h>

#include <ATen/core/TensorBody.h>

#include <pregrad/layer.hpp>

namespace pregrad::jni {

/// Bytes, UTF-8 or a file name.
std::string text(JNIEnv* env, jbyteArray bytes);
std::vector<std::int64_t> integers(JNIEnv* env, jlongArray values);
std::vector<double> reals(JNIEnv* env, jdoubleArray values);
/// int64, [length]; undefined for null.
at::Tensor integer_tensor(JNIEnv* env, jlongArray values);

/// The tensor that JavaCPP holds at this address.
at::Tensor& tensor_at(jlong address);

jbyteArray java_bytes(JNIEnv* env, std::string_view bytes);
jlongArray java_longs(JNIEnv* env, at::IntArrayRef values);
/// Layers as org.pregrad.internal.Records reads them.
jbyteArray java_layers(JNIEnv* env, const std::vector<Layer>& layers);

}  // namespace pregrad::jni
