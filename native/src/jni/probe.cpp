#include <pregrad/probe.hpp>

#include <limits>
#include <optional>

#include "guard.hpp"
#include "java.hpp"
#include "registry.hpp"

namespace jni = pregrad::jni;
using pregrad::Probe;

PREGRAD_JNI(jlong, probe)(JNIEnv* env, jclass /*unused*/, jbyteArray packed) {
  return jni::guarded(env, [&] { return jni::registry().add(Probe(jni::probe_options(env, packed))); });
}

PREGRAD_JNI(void, tap)
(JNIEnv* env, jclass /*unused*/, jlong probe, jbyteArray layer, jlong z, jlong neuron_axis, jlong result) {
  jni::guarded(env, [&] {
    const bool by_default = neuron_axis == std::numeric_limits<jlong>::min();
    jni::tensor_at(result) = jni::registry().get<Probe>(probe)->tap(
        jni::text(env, layer), jni::tensor_at(z), by_default ? std::nullopt : std::optional<std::int64_t>(neuron_axis));
  });
}

PREGRAD_JNI(void, activation)(JNIEnv* env, jclass /*unused*/, jlong probe, jbyteArray layer, jlong a, jlong result) {
  jni::guarded(env, [&] {
    jni::tensor_at(result) = jni::registry().get<Probe>(probe)->activation(jni::text(env, layer), jni::tensor_at(a));
  });
}

PREGRAD_JNI(void, probeAdd)
(JNIEnv* env, jclass /*unused*/, jlong probe, jlong logits, jlongArray labels, jlongArray clusters) {
  jni::guarded(env, [&] {
    jni::registry().get<Probe>(probe)->add(jni::tensor_at(logits), jni::integer_tensor(env, labels),
                                           jni::integer_tensor(env, clusters));
  });
}

PREGRAD_JNI(void, probeCollect)
(JNIEnv* env, jclass /*unused*/, jlong probe, jlongArray clusters, jdouble scale) {
  jni::guarded(env, [&] { jni::registry().get<Probe>(probe)->collect(jni::integer_tensor(env, clusters), scale); });
}

PREGRAD_JNI(void, discard)(JNIEnv* env, jclass /*unused*/, jlong probe) {
  jni::guarded(env, [&] { jni::registry().get<Probe>(probe)->discard(); });
}

PREGRAD_JNI(jbyteArray, probeLayers)(JNIEnv* env, jclass /*unused*/, jlong probe) {
  return jni::guarded(env, [&] { return jni::java_layers(env, jni::registry().get<Probe>(probe)->layers()); });
}

PREGRAD_JNI(jlong, probeScores)(JNIEnv* env, jclass /*unused*/, jlong probe) {
  return jni::guarded(env, [&] { return jni::registry().add(jni::registry().get<Probe>(probe)->scores()); });
}
