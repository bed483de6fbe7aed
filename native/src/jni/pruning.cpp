#include <pregrad/pruning.hpp>

#include <pregrad/model.hpp>

#include "guard.hpp"
#include "inputs.hpp"
#include "java.hpp"
#include "records.hpp"
#include "registry.hpp"

namespace jni = pregrad::jni;
using pregrad::Pruning;

PREGRAD_JNI(jlong, pruning)(JNIEnv* env, jclass /*unused*/, jlong model, jbyteArray packed) {
  return jni::guarded(env, [&] {
    return jni::registry().add(Pruning(*jni::registry().get<pregrad::Model>(model), jni::pruning_options(env, packed)));
  });
}

PREGRAD_JNI(void, pruningAdd)
(JNIEnv* env, jclass /*unused*/, jlong pruning, jbyteArray names, jobjectArray data, jlongArray layout) {
  jni::guarded(env, [&] {
    const jni::Batch batch = jni::batch(env, names, data, layout);
    jni::registry().get<Pruning>(pruning)->add(batch.inputs, batch.labels);
  });
}

PREGRAD_JNI(jbyteArray, pruningResult)(JNIEnv* env, jclass /*unused*/, jlong pruning) {
  return jni::guarded(env, [&] {
    const pregrad::PruningResult result = jni::registry().get<Pruning>(pruning)->result();
    jni::Records records;
    records.add(result.samples);
    records.add(result.neurons.size());
    for (const pregrad::PrunedNeurons& layer : result.neurons) {
      records.add(layer.layer);
      records.add(layer.call);
      records.add(layer.neurons);
      records.add(layer.of);
    }
    records.add(result.open);
    records.add(result.cuts.size());
    for (const pregrad::WeightCut& cut : result.cuts) {
      records.add(cut.weight);
      records.add(cut.axis);
      records.add(cut.indices);
      records.add(cut.shape);
      records.add(cut.pruned_shape);
    }
    records.add(result.accuracy);
    records.add(result.accuracy_at_zero);
    records.add(result.pruned_accuracy);
    records.add(result.difference);
    records.add(result.multiply_adds);
    records.add(result.pruned_multiply_adds);
    records.add(result.parameters);
    records.add(result.pruned_parameters);
    return jni::java_bytes(env, records.bytes());
  });
}

PREGRAD_JNI(void, pruningSaveWeights)(JNIEnv* env, jclass /*unused*/, jlong pruning, jbyteArray file) {
  jni::guarded(env, [&] { jni::registry().get<Pruning>(pruning)->save_weights(jni::text(env, file)); });
}

PREGRAD_JNI(void, pruningSaveExported)
(JNIEnv* env, jclass /*unused*/, jlong pruning, jbyteArray source, jbyteArray file) {
  jni::guarded(
      env, [&] { jni::registry().get<Pruning>(pruning)->save_exported(jni::text(env, source), jni::text(env, file)); });
}
