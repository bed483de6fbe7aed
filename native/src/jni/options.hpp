#pragma once

#include <jni.h>

#include <pregrad/ablation.hpp>
#include <pregrad/check.hpp>
#include <pregrad/options.hpp>

namespace pregrad::jni {

/// What the builders of org.pregrad packed, in the order in which they write it.
/// @throws ArgumentError, InternalError if classes and library are of different builds
AttributionOptions probe_options(JNIEnv* env, jbyteArray packed);
AttributionOptions attribution_options(JNIEnv* env, jbyteArray packed);
AblationOptions ablation_options(JNIEnv* env, jbyteArray packed);
CheckOptions check_options(JNIEnv* env, jbyteArray packed);

}  // namespace pregrad::jni
