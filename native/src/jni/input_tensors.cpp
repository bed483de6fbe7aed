#include "input_tensors.hpp"

#include <cstddef>

#include <ATen/EmptyTensor.h>
#include <ATen/ops/from_blob.h>

namespace pregrad::jni {
namespace {

/// A thread keeps no more than this between its calls; beyond it the time of a new tensor is nothing.
constexpr std::size_t most_bytes_kept = 1 << 20;

/// A model may have looked at its input in other ways, or written into it what has a history.
bool is_as_new(const at::Tensor& tensor, const std::vector<std::int64_t>& shape, at::ScalarType type) {
  return tensor.defined() && tensor.scalar_type() == type && tensor.sizes() == shape && tensor.is_contiguous() &&
         !tensor.requires_grad() && tensor.use_count() == 1 && tensor.storage().use_count() == 1;
}

}  // namespace

at::Tensor array_tensor(const std::vector<std::int64_t>& shape, at::ScalarType type) {
  thread_local at::Tensor kept;
  if (is_as_new(kept, shape, type)) {
    return kept;
  }
  at::Tensor tensor = at::detail::empty_cpu(shape, type);
  kept = tensor.nbytes() <= most_bytes_kept ? tensor : at::Tensor();
  return tensor;
}

at::Tensor buffer_tensor(void* address, const std::vector<std::int64_t>& shape, at::ScalarType type) {
  // Of no memory of its own: once the buffer is gone nobody reads it, until another one lies there.
  thread_local at::Tensor kept;
  if (!is_as_new(kept, shape, type) || kept.const_data_ptr() != address) {
    kept = at::from_blob(address, shape, at::TensorOptions().dtype(type));
  }
  return kept;
}

}  // namespace pregrad::jni
