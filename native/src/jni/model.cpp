#include <pregrad/model.hpp>

#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <c10/core/ScalarType.h>

#include "guard.hpp"
#include "inputs.hpp"
#include "java.hpp"
#include "records.hpp"
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
  jobjectArray result = jni::java_objects(env, 2);
  jni::put(env, result, 0, jni::java_longs(env, values.sizes()));
  jni::put(env, result, 1, array);
  return result;
}

/// What Model::outputs gives: the names, and behind them each one's shape and values.
jobjectArray java_outputs(JNIEnv* env, const std::vector<pregrad::NamedTensor>& outputs) {
  std::string names;
  for (const pregrad::NamedTensor& output : outputs) {
    names.append(output.name).push_back('\0');
  }
  jobjectArray result = jni::java_objects(env, outputs.size() + 1);
  jni::put(env, result, 0, jni::java_bytes(env, names));
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    jni::put(env, result, i + 1, java_output(env, outputs[i].tensor));
  }
  return result;
}

}  // namespace

PREGRAD_JNI(jlong, loadModel)(JNIEnv* env, jclass /*unused*/, jbyteArray path, jbyteArray packed) {
  return jni::guarded(env, [&] {
    const auto [device, options] = jni::model_options(env, packed);
    return jni::registry().add(Model::load(jni::text(env, path), device, options));
  });
}

PREGRAD_JNI(jlong, randomised)(JNIEnv* env, jclass /*unused*/, jlong model, jlong seed) {
  return jni::guarded(env, [&] {
    return jni::registry().add(jni::registry().get<Model>(model)->randomised(static_cast<std::uint64_t>(seed)));
  });
}

PREGRAD_JNI(void, cancelModel)(JNIEnv* env, jclass /*unused*/, jlong model) {
  jni::guarded(env, [&] { jni::registry().get<Model>(model)->cancel(); });
}

PREGRAD_JNI(jbyteArray, layers)(JNIEnv* env, jclass /*unused*/, jlong model) {
  return jni::guarded(env, [&] { return jni::java_layers(env, jni::registry().get<Model>(model)->layers()); });
}

PREGRAD_JNI(jbyteArray, namedLayersOfShape)
(JNIEnv* env, jclass /*unused*/, jlong model, jlongArray shape, jbyteArray names) {
  return jni::guarded(env, [&] {
    return jni::java_layers(
        env, jni::registry().get<Model>(model)->layers(jni::integers(env, shape), jni::names(env, names)));
  });
}

PREGRAD_JNI(jbyteArray, namedLayersOfInput)
(JNIEnv* env, jclass /*unused*/, jlong model, jint source, jobject data, jlong offset, jlongArray shape,
 jbyteArray names) {
  return jni::guarded(env, [&] {
    return jni::java_layers(env, jni::registry().get<Model>(model)->layers(jni::input(env, source, data, offset, shape),
                                                                           jni::names(env, names)));
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

PREGRAD_JNI(jbyteArray, layersOfInputs)
(JNIEnv* env, jclass /*unused*/, jlong model, jbyteArray inputs, jobjectArray data, jlongArray layout) {
  return jni::guarded(env, [&] {
    return jni::java_layers(env,
                            jni::registry().get<Model>(model)->layers(jni::batch(env, inputs, data, layout).inputs));
  });
}

PREGRAD_JNI(jbyteArray, namedLayersOfInputs)
(JNIEnv* env, jclass /*unused*/, jlong model, jbyteArray inputs, jobjectArray data, jlongArray layout,
 jbyteArray names) {
  return jni::guarded(env, [&] {
    return jni::java_layers(env, jni::registry().get<Model>(model)->layers(jni::batch(env, inputs, data, layout).inputs,
                                                                           jni::names(env, names)));
  });
}

PREGRAD_JNI(jobjectArray, forwardInputs)
(JNIEnv* env, jclass /*unused*/, jlong model, jbyteArray inputs, jobjectArray data, jlongArray layout) {
  return jni::guarded(env, [&] {
    const auto opened = jni::registry().get<Model>(model);
    return pregrad::support::on_device(opened->device(), [&] {
      return java_output(env, opened->forward(jni::batch(env, inputs, data, layout).inputs));
    });
  });
}

PREGRAD_JNI(jobjectArray, outputs)
(JNIEnv* env, jclass /*unused*/, jlong model, jbyteArray inputs, jobjectArray data, jlongArray layout) {
  return jni::guarded(env, [&] {
    const auto opened = jni::registry().get<Model>(model);
    return pregrad::support::on_device(opened->device(), [&] {
      return java_outputs(env, opened->outputs(jni::batch(env, inputs, data, layout).inputs));
    });
  });
}

PREGRAD_JNI(jbyteArray, modelInputs)(JNIEnv* env, jclass /*unused*/, jlong model) {
  return jni::guarded(env, [&] {
    const std::vector<pregrad::ModelInput> inputs = jni::registry().get<Model>(model)->inputs();
    jni::Records records;
    records.add(inputs.size());
    for (const pregrad::ModelInput& input : inputs) {
      records.add(input.name);
      records.add(input.type ? c10::getDtypeNames(*input.type).first : std::string_view());
      records.add(input.shape);
      records.add(input.is_optional);
    }
    return jni::java_bytes(env, records.bytes());
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

PREGRAD_JNI(jlong, attributionFromInputs)
(JNIEnv* env, jclass /*unused*/, jlong model, jbyteArray packed, jbyteArray inputs, jobjectArray data,
 jlongArray layout) {
  return jni::guarded(env, [&] {
    pregrad::AttributionOptions options = jni::attribution_options(env, packed);
    const jni::Batch given = jni::batch(env, inputs, data, layout);
    constexpr std::string_view reference = "reference:";
    constexpr std::string_view baseline = "baseline:";
    for (const pregrad::NamedTensor& each : given.inputs) {
      // As above, of memory of its own.
      const bool is_reference = each.name.starts_with(reference);
      const std::string name = each.name.substr((is_reference ? reference : baseline).size());
      if (is_reference) {
        options.references.push_back({name, each.tensor.clone(), each.is_shared});
      } else if (name.empty()) {
        options.input_baseline = each.tensor.clone();
      } else {
        options.input_baselines.push_back({name, each.tensor.clone(), each.is_shared});
      }
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
