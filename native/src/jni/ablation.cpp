#include <pregrad/ablation.hpp>

#include <vector>

#include "guard.hpp"
#include "inputs.hpp"
#include "java.hpp"
#include "records.hpp"
#include "registry.hpp"

namespace jni = pregrad::jni;

namespace {

using pregrad::Ablation;

void write(const pregrad::RemovalOrder& order, jni::Records& records) {
  records.add(order.layer);
  records.add(order.call);
  records.add(order.cluster);
  records.add(static_cast<int>(order.method));
  records.add(static_cast<int>(order.aggregate));
  records.add(order.repeat);
  records.add(order.neurons);
  records.add(order.keep ? 1 : 0);
}

}  // namespace

PREGRAD_JNI(void, ablationAdd)
(JNIEnv* env, jclass /*unused*/, jlong ablation, jint source, jobject data, jlong offset, jlongArray shape,
 jlongArray labels, jlongArray clusters) {
  jni::guarded(env, [&] {
    jni::registry().get<Ablation>(ablation)->add(jni::input(env, source, data, offset, shape),
                                                 jni::integer_tensor(env, labels), jni::integer_tensor(env, clusters));
  });
}

PREGRAD_JNI(void, ablationAddInputs)
(JNIEnv* env, jclass /*unused*/, jlong ablation, jbyteArray names, jobjectArray data, jlongArray layout) {
  jni::guarded(env, [&] {
    const jni::Batch batch = jni::batch(env, names, data, layout);
    jni::registry().get<Ablation>(ablation)->add(batch.inputs, batch.labels, batch.clusters);
  });
}

PREGRAD_JNI(jlong, ablationBatchesSplit)(JNIEnv* env, jclass /*unused*/, jlong ablation) {
  return jni::guarded(env, [&]() -> jlong { return jni::registry().get<Ablation>(ablation)->batches_split(); });
}

PREGRAD_JNI(jbyteArray, curves)(JNIEnv* env, jclass /*unused*/, jlong ablation) {
  return jni::guarded(env, [&] {
    const std::vector<pregrad::RemovalCurve> curves = jni::registry().get<Ablation>(ablation)->curves();
    jni::Records records;
    records.add(curves.size());
    for (const pregrad::RemovalCurve& curve : curves) {
      write(curve.order, records);
      records.add(curve.count);
      records.add(curve.outside_count);
      records.add(curve.removed);
      records.add(curve.accuracy);
      records.add(curve.mean_output);
      records.add(curve.cross_entropy);
      records.add(curve.outside_accuracy);
      records.add(curve.area());
      records.add(curve.area_error);
    }
    return jni::java_bytes(env, records.bytes());
  });
}

PREGRAD_JNI(jbyteArray, ablationSave)(JNIEnv* env, jclass /*unused*/, jlong ablation) {
  return jni::guarded(env, [&] { return jni::java_bytes(env, jni::registry().get<Ablation>(ablation)->save()); });
}

PREGRAD_JNI(void, ablationRestore)(JNIEnv* env, jclass /*unused*/, jlong ablation, jbyteArray state) {
  jni::guarded(env, [&] { jni::registry().get<Ablation>(ablation)->restore(jni::text(env, state)); });
}

PREGRAD_JNI(void, ablationMerge)(JNIEnv* env, jclass /*unused*/, jlong ablation, jbyteArray state) {
  jni::guarded(env, [&] { jni::registry().get<Ablation>(ablation)->merge(jni::text(env, state)); });
}

PREGRAD_JNI(jbyteArray, randomOrders)
(JNIEnv* env, jclass /*unused*/, jbyteArray layer, jlong call, jlong cluster, jlong neurons, jlong repeats,
 jlong seed) {
  return jni::guarded(env, [&] {
    const std::vector<pregrad::RemovalOrder> orders = pregrad::random_orders(
        jni::text(env, layer), call, cluster, neurons, repeats, static_cast<std::uint64_t>(seed));
    jni::Records records;
    records.add(orders.size());
    for (const pregrad::RemovalOrder& order : orders) {
      write(order, records);
    }
    return jni::java_bytes(env, records.bytes());
  });
}
