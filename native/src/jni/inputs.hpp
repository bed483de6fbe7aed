#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <ATen/core/TensorBody.h>
#include <jni.h>
#include <pregrad/inputs.hpp>

namespace pregrad::jni {

/// What org.pregrad.internal.BatchIntegers packs. The tensors show its memory, and hold until the next read. A thread
/// keeps one and reads batch after batch: those of one size then share the tensors too.
class BatchIntegers {
 public:
  void read(JNIEnv* env, jlongArray packed);

  const std::vector<std::int64_t>& shape() const { return shape_; }
  /// int64 [N], or [N, K] for several labels per sample; undefined for null.
  const at::Tensor& labels() const { return labels_; }
  const at::Tensor& clusters() const { return clusters_; }

 private:
  /// How long a batch's parts are; -1 for null.
  struct Layout {
    std::int64_t axes = -1;
    std::int64_t per_sample = 0;
    std::int64_t labels = 0;
    std::int64_t clusters = 0;
  };

  /// Whether the tensors of the batch before show this one already.
  bool is_laid_out_as_before() const;
  Layout layout() const;
  /// Where the number of clusters stands.
  static std::int64_t clusters_of(const Layout& layout);
  std::int64_t at(std::int64_t index) const;
  /// The same, not beyond what there can be.
  std::int64_t count_at(std::int64_t index) const;
  at::Tensor shown(std::int64_t count, std::int64_t begin, std::int64_t per_sample);

  std::vector<std::int64_t> values_;
  Layout layout_;
  std::vector<std::int64_t> shape_;
  at::Tensor labels_;
  at::Tensor clusters_;
};

/// A contiguous tensor to copy a Java array into, its values undefined. It is the one that this thread had last, where
/// it fits and nobody else holds it any more: making and freeing one costs as much as a tenth of a small network.
at::Tensor array_tensor(const std::vector<std::int64_t>& shape, at::ScalarType type);

/// A tensor that shows the memory of a direct buffer; likewise the one that this thread had last, where it is the same.
at::Tensor buffer_tensor(void* address, const std::vector<std::int64_t>& shape, at::ScalarType type);

/// The input that org.pregrad.internal.Native describes. A direct buffer or a tensor is shown in place, for the length
/// of the call; an array is copied. Undefined if there is none. No critical section: it would hold up the garbage
/// collector.
at::Tensor input(JNIEnv* env, jint source, jobject data, jlong offset, const std::vector<std::int64_t>& sizes);
at::Tensor input(JNIEnv* env, jint source, jobject data, jlong offset, jlongArray shape);

/// Named inputs and what stands beside them. Tensors of buffers hold for the length of the call, as in `input`.
struct Batch {
  Inputs inputs;
  at::Tensor labels;    ///< undefined if there are none
  at::Tensor clusters;  ///< likewise
};

/// What org.pregrad.Inputs describes: one element of `data`, and in `layout` its source, its offset, whether it is
/// shared, its number of axes and their sizes, for each input, and then for labels and clusters.
/// @param names of the inputs, a NUL behind each; "" for the only one
Batch batch(JNIEnv* env, jbyteArray names, jobjectArray data, jlongArray layout);

}  // namespace pregrad::jni
