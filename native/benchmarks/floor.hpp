#pragma once

#include <memory>
#include <string>
#include <vector>

#include <ATen/core/TensorBody.h>

#include "cases.hpp"

namespace pregrad::benchmarks {

/// The work of a case as one who knows LibTorch writes it by hand: at:: calls alone on the weights of the same file, no
/// gradient before the first wanted layer, one backward of the summed label outputs.
class Floor {
 public:
  virtual ~Floor() = default;
  /// Adds up, per wanted layer, [clusters, neurons] in float64.
  virtual void add(const at::Tensor& inputs, const at::Tensor& labels, const at::Tensor& clusters) = 0;
  const std::vector<at::Tensor>& sums() const { return sums_; }

 protected:
  std::vector<at::Tensor> sums_;
};

std::unique_ptr<Floor> make_floor(const Case& one);

}  // namespace pregrad::benchmarks
