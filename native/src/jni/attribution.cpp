#include <pregrad/attribution.hpp>

#include "convert.hpp"
#include "guard.hpp"
#include "input.hpp"
#include "registry.hpp"

namespace jni = pregrad::jni;
using pregrad::Attribution;

PREGRAD_JNI(void, add)
(JNIEnv* env, jclass /*unused*/, jlong attribution, jint source, jobject data, jlong offset, jlongArray shape,
 jlongArray labels, jlongArray clusters) {
  jni::guarded(env, [&] {
    jni::registry()
        .get<Attribution>(attribution)
        ->add(jni::input(env, source, data, offset, shape), jni::integer_tensor(env, labels),
              jni::integer_tensor(env, clusters));
  });
}

PREGRAD_JNI(void, addTargets)
(JNIEnv* env, jclass /*unused*/, jlong attribution, jint source, jobject data, jlong offset, jlongArray shape,
 jlongArray labels, jlongArray clusters, jint per_sample) {
  jni::guarded(env, [&] {
    const auto of_samples = [&](jlongArray values) {
      const at::Tensor flat = jni::integer_tensor(env, values);
      return flat.defined() ? flat.view({-1, per_sample}) : flat;
    };
    jni::registry()
        .get<Attribution>(attribution)
        ->add(jni::input(env, source, data, offset, shape), of_samples(labels), of_samples(clusters));
  });
}

PREGRAD_JNI(jlong, scores)(JNIEnv* env, jclass /*unused*/, jlong attribution) {
  return jni::guarded(env,
                      [&] { return jni::registry().add(jni::registry().get<Attribution>(attribution)->scores()); });
}

PREGRAD_JNI(jbyteArray, save)(JNIEnv* env, jclass /*unused*/, jlong attribution) {
  return jni::guarded(env, [&] { return jni::java_bytes(env, jni::registry().get<Attribution>(attribution)->save()); });
}

PREGRAD_JNI(void, restore)(JNIEnv* env, jclass /*unused*/, jlong attribution, jbyteArray state) {
  jni::guarded(env, [&] { jni::registry().get<Attribution>(attribution)->restore(jni::text(env, state)); });
}
