#include <pregrad/attribution.hpp>

#include "batch_integers.hpp"
#include "convert.hpp"
#include "guard.hpp"
#include "input.hpp"
#include "registry.hpp"

namespace jni = pregrad::jni;
using pregrad::Attribution;

PREGRAD_JNI(void, add)
(JNIEnv* env, jclass /*unused*/, jlong attribution, jint source, jobject data, jlong offset, jlongArray integers) {
  jni::guarded(env, [&] {
    thread_local jni::BatchIntegers batch;
    batch.read(env, integers);
    jni::registry()
        .get<Attribution>(attribution)
        ->add(jni::input(env, source, data, offset, batch.shape()), batch.labels(), batch.clusters());
  });
}

PREGRAD_JNI(jlong, batchesSplit)(JNIEnv* env, jclass /*unused*/, jlong attribution) {
  return jni::guarded(env, [&]() -> jlong { return jni::registry().get<Attribution>(attribution)->batches_split(); });
}

PREGRAD_JNI(jlong, batchesReplayed)(JNIEnv* env, jclass /*unused*/, jlong attribution) {
  return jni::guarded(env,
                      [&]() -> jlong { return jni::registry().get<Attribution>(attribution)->batches_replayed(); });
}

PREGRAD_JNI(jbyteArray, graphRefusal)(JNIEnv* env, jclass /*unused*/, jlong attribution) {
  return jni::guarded(
      env, [&] { return jni::java_bytes(env, jni::registry().get<Attribution>(attribution)->graph_refusal()); });
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

PREGRAD_JNI(void, merge)(JNIEnv* env, jclass /*unused*/, jlong attribution, jbyteArray state) {
  jni::guarded(env, [&] { jni::registry().get<Attribution>(attribution)->merge(jni::text(env, state)); });
}
