#pragma once

#include <utility>

#include <jni.h>

#include <c10/core/Device.h>
#include <pregrad/ablation.hpp>
#include <pregrad/check.hpp>
#include <pregrad/model.hpp>
#include <pregrad/options.hpp>

namespace pregrad::jni {

/// What the builders of org.pregrad packed by name; what they leave out keeps its default.
/// @throws ArgumentError for an option or a name that this library does not know
/// @throws InternalError if the bytes are cut off or garbled
std::pair<c10::Device, ModelOptions> model_options(JNIEnv* env, jbyteArray packed);
AttributionOptions probe_options(JNIEnv* env, jbyteArray packed);
AttributionOptions attribution_options(JNIEnv* env, jbyteArray packed);
AblationOptions ablation_options(JNIEnv* env, jbyteArray packed);
CheckOptions check_options(JNIEnv* env, jbyteArray packed);

}  // namespace pregrad::jni
