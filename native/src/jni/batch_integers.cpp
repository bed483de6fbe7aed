#include "batch_integers.hpp"

#include <algorithm>
#include <string>

#include <ATen/ops/from_blob.h>

#include <pregrad/error.hpp>

#include "java_exception.hpp"

namespace pregrad::jni {

void BatchIntegers::read(JNIEnv* env, jlongArray packed) {
  const jsize size = env->GetArrayLength(packed);
  if (static_cast<std::size_t>(size) != values_.size()) {
    layout_ = {};  // the tensors may show memory that is gone
    values_.resize(static_cast<std::size_t>(size));
  }
  env->GetLongArrayRegion(packed, 0, size, reinterpret_cast<jlong*>(values_.data()));
  check(env);
  if (is_laid_out_as_before()) {
    return;
  }
  const Layout layout = this->layout();
  layout_ = {};  // until all is made
  shape_.assign(values_.begin() + 1, values_.begin() + 1 + layout.axes);
  labels_ = shown(layout.labels, 3 + layout.axes, layout.per_sample);
  clusters_ = shown(layout.clusters, clusters_of(layout) + 1, layout.per_sample);
  layout_ = layout;
}

bool BatchIntegers::is_laid_out_as_before() const {
  const std::int64_t* const values = values_.data();
  return layout_.axes >= 0 && values[0] == layout_.axes && values[1 + layout_.axes] == layout_.per_sample &&
         values[2 + layout_.axes] == layout_.labels && values[clusters_of(layout_)] == layout_.clusters &&
         std::equal(shape_.begin(), shape_.end(), values + 1);
}

BatchIntegers::Layout BatchIntegers::layout() const {
  Layout layout;
  layout.axes = std::max<std::int64_t>(0, count_at(0));
  layout.per_sample = at(1 + layout.axes);
  layout.labels = count_at(2 + layout.axes);
  layout.clusters = count_at(clusters_of(layout));
  const std::int64_t end = clusters_of(layout) + 1 + std::max<std::int64_t>(0, layout.clusters);
  if (end != static_cast<std::int64_t>(values_.size())) {
    throw InternalError("a batch has " + std::to_string(values_.size()) + " integers where " + std::to_string(end) +
                        " are announced; use classes and library of one build");
  }
  return layout;
}

std::int64_t BatchIntegers::clusters_of(const Layout& layout) {
  return 3 + layout.axes + std::max<std::int64_t>(0, layout.labels);
}

std::int64_t BatchIntegers::at(std::int64_t index) const {
  if (index < 0 || index >= static_cast<std::int64_t>(values_.size())) {
    throw InternalError("the integers of a batch end early; use classes and library of one build");
  }
  return values_[static_cast<std::size_t>(index)];
}

std::int64_t BatchIntegers::count_at(std::int64_t index) const {
  return std::clamp<std::int64_t>(at(index), -1, static_cast<std::int64_t>(values_.size()));
}

at::Tensor BatchIntegers::shown(std::int64_t count, std::int64_t begin, std::int64_t per_sample) {
  if (count < 0) {
    return {};
  }
  std::int64_t* const values = values_.data() + begin;
  if (per_sample == 1) {
    return at::from_blob(values, {count}, at::TensorOptions().dtype(at::kLong));
  }
  if (per_sample < 1 || count % per_sample != 0) {
    throw InternalError("a batch has " + std::to_string(count) + " integers, " + std::to_string(per_sample) +
                        " per sample; use classes and library of one build");
  }
  return at::from_blob(values, {count / per_sample, per_sample}, at::TensorOptions().dtype(at::kLong));
}

}  // namespace pregrad::jni
