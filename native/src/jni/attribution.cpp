#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include <pregrad/attribution.hpp>
#include <pregrad/certainty.hpp>
#include <pregrad/error.hpp>
#include <pregrad/scores.hpp>

#include "guard.hpp"
#include "inputs.hpp"
#include "java.hpp"
#include "records.hpp"
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

PREGRAD_JNI(void, addInputs)
(JNIEnv* env, jclass /*unused*/, jlong attribution, jbyteArray names, jobjectArray data, jlongArray layout) {
  jni::guarded(env, [&] {
    const jni::Batch batch = jni::batch(env, names, data, layout);
    jni::registry().get<Attribution>(attribution)->add(batch.inputs, batch.labels, batch.clusters);
  });
}

namespace {

using Explanations = std::vector<pregrad::Explanation>;

Explanations explained(JNIEnv* env, jlong attribution, jint source, jobject data, jlong offset, jlongArray integers) {
  thread_local jni::BatchIntegers batch;
  batch.read(env, integers);
  return jni::registry()
      .get<Attribution>(attribution)
      ->explain(jni::input(env, source, data, offset, batch.shape()), batch.labels());
}

Explanations explained(JNIEnv* env, jlong attribution, jbyteArray names, jobjectArray data, jlongArray layout) {
  const jni::Batch batch = jni::batch(env, names, data, layout);
  return jni::registry().get<Attribution>(attribution)->explain(batch.inputs, batch.labels);
}

std::size_t count_of(const Explanations& explanations) {
  std::size_t count = 0;
  for (const pregrad::Explanation& each : explanations) {
    count += each.values.size();
  }
  return count;
}

void write(JNIEnv* env, const Explanations& explanations, jdoubleArray into, jlong begin) {
  for (const pregrad::Explanation& each : explanations) {
    env->SetDoubleArrayRegion(into, static_cast<jsize>(begin), static_cast<jsize>(each.values.size()),
                              each.values.data());
    jni::check(env);
    begin += static_cast<jlong>(each.values.size());
  }
}

/// What the values are of, and all of them one after the other.
jobjectArray java_explanations(JNIEnv* env, const Explanations& explanations) {
  const std::size_t count = count_of(explanations);
  if (count > static_cast<std::size_t>(std::numeric_limits<jsize>::max()) - 8) {
    throw pregrad::ArgumentError("there are " + std::to_string(count) +
                                 " values, more than a Java array holds: explain fewer samples at once");
  }
  jni::Records records;
  records.add(explanations.size());
  for (const pregrad::Explanation& each : explanations) {
    records.add(each.layer);
    records.add(each.call);
    records.add(static_cast<int>(each.method));
    records.add(each.samples);
    records.add(each.neurons);
    records.add(each.positions);
  }
  jobjectArray result = jni::java_objects(env, 2);
  jni::put(env, result, 0, jni::java_bytes(env, records.bytes()));
  auto* const values = env->NewDoubleArray(static_cast<jsize>(count));
  jni::check(env);
  write(env, explanations, values, 0);
  jni::put(env, result, 1, values);
  return result;
}

/// Writes all values into an array or, where that is null, into a direct buffer.
jlong written(JNIEnv* env, const Explanations& explanations, jdoubleArray array, jobject buffer, jlong begin,
              jlong room) {
  const std::size_t count = count_of(explanations);
  if (count > static_cast<std::size_t>(std::max<jlong>(room, 0))) {
    throw pregrad::ArgumentError("there are " + std::to_string(count) + " values and room for " + std::to_string(room) +
                                 ": give memory for all of them, or fewer samples at once");
  }
  if (array != nullptr) {
    write(env, explanations, array, begin);
    return static_cast<jlong>(count);
  }
  auto* to = static_cast<double*>(env->GetDirectBufferAddress(buffer));
  if (to == nullptr) {
    throw pregrad::InternalError("the buffer has no address; please report it");
  }
  to += begin;
  for (const pregrad::Explanation& each : explanations) {
    to = std::copy(each.values.begin(), each.values.end(), to);
  }
  return static_cast<jlong>(count);
}

}  // namespace

PREGRAD_JNI(jobjectArray, explain)
(JNIEnv* env, jclass /*unused*/, jlong attribution, jint source, jobject data, jlong offset, jlongArray integers) {
  return jni::guarded(
      env, [&] { return java_explanations(env, explained(env, attribution, source, data, offset, integers)); });
}

PREGRAD_JNI(jobjectArray, explainInputs)
(JNIEnv* env, jclass /*unused*/, jlong attribution, jbyteArray names, jobjectArray data, jlongArray layout) {
  return jni::guarded(env, [&] { return java_explanations(env, explained(env, attribution, names, data, layout)); });
}

PREGRAD_JNI(jlong, explainInto)
(JNIEnv* env, jclass /*unused*/, jlong attribution, jint source, jobject data, jlong offset, jlongArray integers,
 jdoubleArray array, jobject buffer, jlong begin, jlong room) {
  return jni::guarded(env, [&] {
    return written(env, explained(env, attribution, source, data, offset, integers), array, buffer, begin, room);
  });
}

PREGRAD_JNI(jlong, explainInputsInto)
(JNIEnv* env, jclass /*unused*/, jlong attribution, jbyteArray names, jobjectArray data, jlongArray layout,
 jdoubleArray array, jobject buffer, jlong begin, jlong room) {
  return jni::guarded(
      env, [&] { return written(env, explained(env, attribution, names, data, layout), array, buffer, begin, room); });
}

PREGRAD_JNI(jbyteArray, examples)(JNIEnv* env, jclass /*unused*/, jlong attribution) {
  return jni::guarded(env, [&] {
    const std::vector<pregrad::Example> examples = jni::registry().get<Attribution>(attribution)->examples();
    jni::Records records;
    records.add(examples.size());
    const pregrad::Example* last = nullptr;
    for (const pregrad::Example& each : examples) {
      // A name for each would be most of it.
      const bool is_other = last == nullptr || last->layer != each.layer;
      records.add(is_other ? 1 : 0);
      if (is_other) {
        records.add(each.layer);
      }
      records.add(each.call);
      records.add(each.cluster);
      records.add(static_cast<int>(each.method));
      records.add(each.neuron);
      records.add(each.rank);
      records.add(each.sample);
      records.add(each.position);
      records.add(each.value);
      last = &each;
    }
    return jni::java_bytes(env, records.bytes());
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
      records.add(score.position.value_or(-1));
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

PREGRAD_JNI(jbyteArray, differences)(JNIEnv* env, jclass /*unused*/, jbyteArray packed) {
  return jni::guarded(env, [&] {
    const std::vector<pregrad::Difference> differences = jni::differences(env, packed);
    jni::Records records;
    records.add(differences.size());
    for (const pregrad::Difference& each : differences) {
      records.add(each.layer);
      records.add(each.call);
      records.add(each.cluster);
      records.add(each.against);
      records.add(static_cast<int>(each.method));
      records.add(static_cast<int>(each.aggregate));
      records.add(each.position.value_or(-1));
      for (const std::vector<double>* values :
           {&each.difference, &each.standard_error, &each.degrees, &each.low, &each.high, &each.p, &each.q}) {
        records.add(*values);
      }
    }
    return jni::java_bytes(env, records.bytes());
  });
}

PREGRAD_JNI(jdouble, studentBound)(JNIEnv* env, jclass /*unused*/, jdouble confidence, jdouble degrees) {
  return jni::guarded(env, [&]() -> jdouble { return pregrad::student_t_bound(confidence, degrees); });
}

PREGRAD_JNI(jdouble, studentP)(JNIEnv* env, jclass /*unused*/, jdouble t, jdouble degrees) {
  return jni::guarded(env, [&]() -> jdouble { return pregrad::student_t_p(t, degrees); });
}

PREGRAD_JNI(jdoubleArray, falseDiscoveryRates)(JNIEnv* env, jclass /*unused*/, jdoubleArray p) {
  return jni::guarded(env, [&] {
    const std::vector<double> rates = pregrad::false_discovery_rates(jni::reals(env, p));
    jdoubleArray result = env->NewDoubleArray(static_cast<jsize>(rates.size()));
    jni::check(env);
    write(env, result, rates);
    return result;
  });
}

PREGRAD_JNI(jbyteArray, selectivity)
(JNIEnv* env, jclass /*unused*/, jdoubleArray values, jlong neurons, jlongArray clusters) {
  return jni::guarded(env, [&] {
    const pregrad::Selectivity result =
        pregrad::selectivity(jni::reals(env, values), neurons, jni::integers(env, clusters));
    jni::Records records;
    records.add(result.clusters);
    records.add(result.entropy);
    for (const std::vector<double>& each : result.auroc) {
      records.add(each);
    }
    return jni::java_bytes(env, records.bytes());
  });
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
