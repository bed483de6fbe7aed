#include <pregrad/model.hpp>

#include <limits>
#include <string>

#include "guard.hpp"
#include "inputs.hpp"
#include "java.hpp"
#include "options.hpp"
#include "registry.hpp"
#include "support/failures.hpp"

namespace jni = pregrad::jni;

namespace {

using pregrad::Model;

jobjectArray java_output(JNIEnv* env, const at::Tensor& output) {
  const bool wide = output.scalar_type() == at::kDouble || !output.is_floating_point();
  const at::Tensor values = output.to(at::kCPU, wide ? at::kDouble : at::kFloat).contiguous();
  if (values.numel() > std::numeric_limits<jsize>::max()) {
    throw pregrad::InputError("the output has " + std::to_string(values.numel()) +
                              " values, more than a Java array holds; give fewer samples at once");
  }
  const auto size = static_cast<jsize>(values.numel());
  jobject array = nullptr;
  if (wide) {
    jdoubleArray doubles = env->NewDoubleArray(size);
    jni::check(env);
    env->SetDoubleArrayRegion(doubles, 0, size, values.const_data_ptr<double>());
    array = doubles;
  } else {
    jfloatArray floats = env->NewFloatArray(size);
    jni::check(env);
    env->SetFloatArrayRegion(floats, 0, size, values.const_data_ptr<float>());
    array = floats;
  }
  jni::check(env);
  jobjectArray result = env->NewObjectArray(2, jni::classes().object, nullptr);
  jni::check(env);
  env->SetObjectArrayElement(result, 0, jni::java_longs(env, values.sizes()));
  jni::check(env);
  env->SetObjectArrayElement(result, 1, array);
  jni::check(env);
  return result;
}

/// Names with a NUL, which no name holds, behind each.
std::vector<std::string> listed(const std::string& names) {
  std::vector<std::string> list;
  for (std::size_t first = 0; first < names.size();) {
    const std::size_t end = std::min(names.find('\0', first), names.size());
    list.push_back(names.substr(first, end - first));
    first = end + 1;
  }
  return list;
}

}  // namespace

PREGRAD_JNI(jlong, loadModel)(JNIEnv* env, jclass /*unused*/, jbyteArray path, jbyteArray device) {
  return jni::guarded(
      env, [&] { return jni::registry().add(Model::load(jni::text(env, path), c10::Device(jni::text(env, device)))); });
}

PREGRAD_JNI(jbyteArray, layers)(JNIEnv* env, jclass /*unused*/, jlong model) {
  return jni::guarded(env, [&] { return jni::java_layers(env, jni::registry().get<Model>(model)->layers()); });
}

PREGRAD_JNI(jbyteArray, namedLayersOfShape)
(JNIEnv* env, jclass /*unused*/, jlong model, jlongArray shape, jbyteArray names) {
  return jni::guarded(env, [&] {
    return jni::java_layers(
        env, jni::registry().get<Model>(model)->layers(jni::integers(env, shape), listed(jni::text(env, names))));
  });
}

PREGRAD_JNI(jbyteArray, namedLayersOfInput)
(JNIEnv* env, jclass /*unused*/, jlong model, jint source, jobject data, jlong offset, jlongArray shape,
 jbyteArray names) {
  return jni::guarded(env, [&] {
    return jni::java_layers(env, jni::registry().get<Model>(model)->layers(jni::input(env, source, data, offset, shape),
                                                                           listed(jni::text(env, names))));
  });
}

PREGRAD_JNI(jbyteArray, layersOfShape)(JNIEnv* env, jclass /*unused*/, jlong model, jlongArray shape) {
  return jni::guarded(
      env, [&] { return jni::java_layers(env, jni::registry().get<Model>(model)->layers(jni::integers(env, shape))); });
}

PREGRAD_JNI(jbyteArray, layersOfInput)
(JNIEnv* env, jclass /*unused*/, jlong model, jint source, jobject data, jlong offset, jlongArray shape) {
  return jni::guarded(env, [&] {
    return jni::java_layers(env,
                            jni::registry().get<Model>(model)->layers(jni::input(env, source, data, offset, shape)));
  });
}

PREGRAD_JNI(jobjectArray, forward)
(JNIEnv* env, jclass /*unused*/, jlong model, jint source, jobject data, jlong offset, jlongArray shape) {
  return jni::guarded(env, [&] {
    const auto opened = jni::registry().get<Model>(model);
    // What went wrong on a device may show only when the result is fetched from there.
    return pregrad::support::on_device(opened->device(), [&] {
      return java_output(env, opened->forward(jni::input(env, source, data, offset, shape)));
    });
  });
}

PREGRAD_JNI(jlong, attribution)
(JNIEnv* env, jclass /*unused*/, jlong model, jbyteArray packed, jint source, jobject data, jlong offset,
 jlongArray shape) {
  return jni::guarded(env, [&] {
    pregrad::AttributionOptions options = jni::attribution_options(env, packed);
    const at::Tensor baseline = jni::input(env, source, data, offset, shape);
    if (baseline.defined()) {
      // The attribution keeps it for longer than the caller's memory is lent.
      options.input_baseline = baseline.clone();
    }
    return jni::registry().add(jni::registry().get<Model>(model)->attribution(options));
  });
}

PREGRAD_JNI(jlong, ablation)(JNIEnv* env, jclass /*unused*/, jlong model, jbyteArray packed) {
  return jni::guarded(env, [&] {
    return jni::registry().add(jni::registry().get<Model>(model)->ablation(jni::ablation_options(env, packed)));
  });
}

PREGRAD_JNI(jlong, check)(JNIEnv* env, jclass /*unused*/, jlong model, jbyteArray packed) {
  return jni::guarded(env, [&] {
    return jni::registry().add(jni::registry().get<Model>(model)->check(jni::check_options(env, packed)));
  });
}
