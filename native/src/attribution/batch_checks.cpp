#include "attribution/batch_checks.hpp"

#include <cmath>
#include <string>

#include <ATen/Functions.h>

#include "pregrad/error.hpp"

namespace pregrad::attribution {

at::Tensor checked_integers(const at::Tensor& values, const char* what, std::int64_t samples) {
  if (!values.defined()) {
    return values;
  }
  if (!at::isIntegralType(values.scalar_type(), /*includeBool=*/false)) {
    throw InputError(std::string(what) + " have type " + c10::toString(values.scalar_type()) +
                     ": give integers (int64)");
  }
  if (values.dim() != 1 || values.size(0) != samples) {
    throw InputError("there are " + std::to_string(values.numel()) + " " + what + " for " + std::to_string(samples) +
                     " samples: give one per sample");
  }
  return values.detach().to(at::kCPU, at::kLong).contiguous();
}

at::Tensor checked_clusters(const at::Tensor& clusters, std::int64_t samples) {
  return clusters.defined() ? checked_integers(clusters, "clusters", samples) : at::zeros({samples}, at::kLong);
}

void check_inputs(const at::Tensor& inputs, std::optional<at::ScalarType> weight_type) {
  if (!inputs.defined() || inputs.dim() == 0 || inputs.size(0) == 0 || inputs.numel() == 0) {
    throw InputError("the inputs are empty: give at least one sample");
  }
  if (!at::isFloatingType(inputs.scalar_type())) {
    return;
  }
  if (weight_type && *weight_type != inputs.scalar_type()) {
    throw InputError(std::string("the inputs have type ") + c10::toString(inputs.scalar_type()) +
                     ", the model's weights " + c10::toString(*weight_type) +
                     ": convert the inputs, in NumPy with x.astype(" +
                     (*weight_type == at::kDouble ? "np.float64)" : "np.float32)"));
  }
  // A sum is finite only if all its terms are; that it is not may still be an overflow.
  if (std::isfinite(inputs.sum().item<double>())) {
    return;
  }
  const at::Tensor bad = at::isfinite(inputs).logical_not().reshape({inputs.size(0), -1}).any(1).nonzero();
  if (bad.size(0) != 0) {
    throw InputError("the inputs of sample " + std::to_string(bad[0][0].item<std::int64_t>()) +
                     " hold NaN or infinity: remove or repair that sample");
  }
}

}  // namespace pregrad::attribution
