#include "rounding.hpp"

#include <limits>

#include <ATen/Functions.h>
#include <gtest/gtest.h>

namespace pregrad::test {

double unit_roundoff(at::ScalarType type) {
  switch (type) {
    case at::kDouble:
      return std::numeric_limits<double>::epsilon() / 2;
    case at::kFloat:
      return static_cast<double>(std::numeric_limits<float>::epsilon()) / 2;
    case at::kHalf:
      return static_cast<double>(std::numeric_limits<c10::Half>::epsilon()) / 2;
    case at::kBFloat16:
      return static_cast<double>(std::numeric_limits<c10::BFloat16>::epsilon()) / 2;
    default:
      throw std::invalid_argument(std::string("no rounding in ") + c10::toString(type));
  }
}

double apart(at::ScalarType type, std::initializer_list<std::int64_t> sums) {
  double roundings = 0;
  for (const std::int64_t terms : sums) {
    roundings += static_cast<double>(terms + between_sums);
  }
  const double each = roundings * unit_roundoff(type);
  return 2 * each / (1 - each);
}

bool are_close(const at::Tensor& seen, const at::Tensor& truth, double tolerance) {
  if (seen.sizes() != truth.sizes()) {
    return false;
  }
  const at::Tensor wide = truth.to(at::kDouble);
  const double largest = wide.abs().max().item<double>();
  return (seen.to(at::kDouble) - wide).abs().max().item<double>() <= tolerance * largest;
}

}  // namespace pregrad::test
