#include <pregrad/scores.hpp>

#include <string>

#include "convert.hpp"
#include "guard.hpp"
#include "records.hpp"
#include "registry.hpp"

namespace jni = pregrad::jni;
using pregrad::Scores;

namespace {

void write(JNIEnv* env, jdoubleArray array, const std::vector<double>& values) {
  env->SetDoubleArrayRegion(array, 0, static_cast<jsize>(values.size()), values.data());
  jni::check(env);
}

}  // namespace

PREGRAD_JNI(jbyteArray, scoresIndex)(JNIEnv* env, jclass /*unused*/, jlong snapshot) {
  return jni::guarded(env, [&] {
    const auto scores = jni::registry().get<Scores>(snapshot);
    jni::Records records;
    records.add(scores->entries().size());
    for (const pregrad::Score& score : scores->entries()) {
      records.add(score.layer);
      records.add(score.call);
      records.add(score.cluster);
      records.add(static_cast<int>(score.method));
      records.add(score.statistics.count);
      records.add(score.completeness_error);
      records.add(score.statistics.mean.size());
    }
    records.add(scores->names().size());
    for (const auto& [name, calls] : scores->names()) {
      records.add(name);
      records.add(calls.size());
      for (const auto& [layer, call] : calls) {
        records.add(layer);
        records.add(call);
      }
    }
    return jni::java_bytes(env, records.bytes());
  });
}

PREGRAD_JNI(jdouble, rankCorrelation)(JNIEnv* env, jclass /*unused*/, jdoubleArray left, jdoubleArray right) {
  return jni::guarded(env, [&] { return pregrad::rank_correlation(jni::reals(env, left), jni::reals(env, right)); });
}

PREGRAD_JNI(void, scoresValues)
(JNIEnv* env, jclass /*unused*/, jlong snapshot, jint entry, jdoubleArray mean, jdoubleArray mean_abs, jdoubleArray rms,
 jdoubleArray std) {
  jni::guarded(env, [&] {
    const auto scores = jni::registry().get<Scores>(snapshot);
    const pregrad::Statistics& statistics = scores->entries().at(static_cast<std::size_t>(entry)).statistics;
    write(env, mean, statistics.mean);
    write(env, mean_abs, statistics.mean_abs);
    write(env, rms, statistics.rms);
    write(env, std, statistics.std);
  });
}
