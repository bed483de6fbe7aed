#include <pregrad/check.hpp>

#include <vector>

#include "guard.hpp"
#include "inputs.hpp"
#include "java.hpp"
#include "records.hpp"
#include "registry.hpp"

namespace jni = pregrad::jni;
using pregrad::Check;

PREGRAD_JNI(void, checkAdd)
(JNIEnv* env, jclass /*unused*/, jlong check, jint source, jobject data, jlong offset, jlongArray shape,
 jlongArray labels) {
  jni::guarded(env, [&] {
    jni::registry().get<Check>(check)->add(jni::input(env, source, data, offset, shape),
                                           jni::integer_tensor(env, labels));
  });
}

PREGRAD_JNI(void, checkAddInputs)
(JNIEnv* env, jclass /*unused*/, jlong check, jbyteArray names, jobjectArray data, jlongArray layout) {
  jni::guarded(env, [&] {
    const jni::Batch batch = jni::batch(env, names, data, layout);
    jni::registry().get<Check>(check)->add(batch.inputs, batch.labels);
  });
}

PREGRAD_JNI(jbyteArray, checkResults)(JNIEnv* env, jclass /*unused*/, jlong check) {
  return jni::guarded(env, [&] {
    const std::vector<pregrad::LayerCheck> results = jni::registry().get<Check>(check)->results();
    jni::Records records;
    records.add(results.size());
    for (const pregrad::LayerCheck& result : results) {
      records.add(result.layer);
      records.add(result.call);
      records.add(result.op);
      records.add(result.in_double_precision);
      records.add(result.samples);
      records.add(result.neurons);
      records.add(result.compared);
      records.add(result.at_kink);
      records.add(result.gradient_error);
      records.add(result.tolerance);
      records.add(result.passed);
      records.add(result.hook_error);
      records.add(result.hook_differs);
      records.add(result.cancellation);
    }
    return jni::java_bytes(env, records.bytes());
  });
}
