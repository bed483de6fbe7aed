#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <ATen/core/TensorBody.h>
#include <c10/util/SmallVector.h>

#include <pregrad/export.hpp>

namespace pregrad {

/// One tensor of a model's inputs and the name that the model's forward has for it.
struct NamedTensor {
  std::string name;  ///< "" for the only one, whatever it is called
  at::Tensor tensor;
  bool is_shared = false;  ///< without a batch axis, the same for all samples: an adjacency, a vocabulary
};

/// What goes into a model at once: named tensors [N, ...], axis 0 of each being the batch, but for shared ones.
class PREGRAD_API Inputs {
 public:
  Inputs() = default;
  /// The only input of a model, whatever it is called.
  Inputs(at::Tensor only);  // NOLINT(google-explicit-constructor): one tensor is the common case
  /// @param tensors named as Model::inputs lists them; optional ones may be left out
  /// @throws ArgumentError if there is none, or a name is missing or stands twice, or all are shared
  static Inputs of(std::vector<NamedTensor> tensors);

  std::size_t size() const { return tensors_.size(); }
  const NamedTensor* begin() const { return tensors_.begin(); }
  const NamedTensor* end() const { return tensors_.end(); }
  /// The tensor of a model with one input; undefined if there is none.
  /// @throws InputError if there are several
  const at::Tensor& only() const;

  /// The tensor of that name; null if there is none.
  const at::Tensor* find(std::string_view name) const;

  /// N; 0 without a tensor.
  std::int64_t samples() const;
  /// Samples [begin, end), on the same memory. Shared tensors stay as they are, here and below.
  Inputs slice(std::int64_t begin, std::int64_t end) const;
  /// The batch so many times, one after the other.
  Inputs copies(std::int64_t count) const;
  /// Each sample so many times, side by side.
  Inputs repeated(std::int64_t count) const;
  /// The same names for what `change` makes of the tensors, shared ones too.
  Inputs mapped(const std::function<at::Tensor(const at::Tensor&)>& change) const;
  /// The same names for what `change` makes of those that are not shared.
  Inputs per_sample(const std::function<at::Tensor(const at::Tensor&)>& change) const;
  /// The others.
  Inputs without(std::string_view name) const;

 private:
  c10::SmallVector<NamedTensor, 1> tensors_;
};

}  // namespace pregrad
