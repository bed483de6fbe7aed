#include "model/output_differences.hpp"

#include <algorithm>
#include <limits>

#include <ATen/Functions.h>

namespace pregrad::model {

namespace {

double epsilon_of(at::ScalarType type) {
  switch (type) {
    case at::kDouble:
      return std::numeric_limits<double>::epsilon();
    case at::kFloat:
      return std::numeric_limits<float>::epsilon();
    case at::kHalf:
      return static_cast<double>(std::numeric_limits<at::Half>::epsilon());
    default:
      return static_cast<double>(std::numeric_limits<at::BFloat16>::epsilon());
  }
}

}  // namespace

double relative_difference(const at::Tensor& seen, const at::Tensor& expected, double size) {
  if (seen.numel() != expected.numel()) {
    return std::numeric_limits<double>::infinity();
  }
  const at::Tensor left = seen.detach().to(at::kCPU, at::kDouble).reshape({-1});
  const at::Tensor right = expected.detach().to(at::kCPU, at::kDouble).reshape({-1});
  const at::Tensor is_same = left.eq(right).logical_or(left.isnan().logical_and(right.isnan()));
  if (is_same.all().item<bool>()) {
    return 0;
  }
  const at::Tensor difference = (left - right).abs().masked_fill(is_same, 0).max();
  const double largest = at::maximum(left.abs(), right.abs()).nan_to_num(0).max().item<double>();
  const double relative = difference.item<double>() / std::max(largest, size);
  return relative >= 0 ? relative : std::numeric_limits<double>::infinity();
}

double rounding_of(at::ScalarType type) {
  switch (type) {
    case at::kDouble:
      return 1e-8;
    case at::kFloat:
      return 1e-4;
    case at::kHalf:
      return 1e-2;
    default:
      return 5e-2;
  }
}

at::ScalarType coarser(at::ScalarType left, at::ScalarType right) {
  return epsilon_of(left) > epsilon_of(right) ? left : right;
}

Inputs with_floats(const Inputs& inputs, std::optional<at::ScalarType> type) {
  return inputs.mapped([&](const at::Tensor& tensor) {
    return type && at::isFloatingType(tensor.scalar_type()) ? tensor.to(*type) : tensor;
  });
}

at::Tensor nudged(const at::Tensor& inputs) {
  if (!at::isFloatingType(inputs.scalar_type())) {
    return inputs;
  }
  const at::Tensor flat = inputs.detach().reshape({-1});
  const at::Tensor turns = at::arange(flat.numel(), flat.options().dtype(at::kLong)).remainder(2).mul(2).sub(1);
  const double largest = flat.abs().max().item<double>();
  const double step = epsilon_of(inputs.scalar_type()) * (largest > 0 ? largest : 1);
  return (flat + turns.to(flat.scalar_type()) * step).reshape(inputs.sizes());
}

}  // namespace pregrad::model
