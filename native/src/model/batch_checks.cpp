#include "model/batch_checks.hpp"

#include <string>

#include <ATen/Functions.h>

#include "pregrad/error.hpp"
#include "support/tensors.hpp"

namespace pregrad::model {

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
  const bool is_as_wanted = values.scalar_type() == at::kLong && values.is_cpu() && values.is_contiguous();
  return is_as_wanted ? values : values.detach().to(at::kCPU, at::kLong).contiguous();
}

at::Tensor checked_labels(const at::Tensor& labels, std::int64_t samples, const Target& target) {
  if (!labels.defined() || labels.dim() != 2) {
    return checked_integers(labels, "labels", samples);
  }
  if (labels.size(1) == 1) {
    return checked_integers(labels.squeeze(1), "labels", samples);
  }
  if (target.kind() != Target::Kind::label) {
    throw ArgumentError(
        "there are several labels per sample, but the target is not the label: give one per sample, or "
        "choose target label");
  }
  if (labels.size(0) != samples || labels.size(1) == 0) {
    throw InputError("the labels have shape " + support::shape_text(labels.sizes()) + " for " +
                     std::to_string(samples) + " samples: give as many for each sample");
  }
  return checked_integers(labels.reshape({-1}), "labels", labels.numel()).view(labels.sizes());
}

at::Tensor checked_clusters(const at::Tensor& clusters, std::int64_t samples, std::int64_t labels_per_sample) {
  if (clusters.defined() && clusters.dim() == 2) {
    if (clusters.size(0) != samples || clusters.size(1) != labels_per_sample) {
      throw InputError("the clusters have shape " + support::shape_text(clusters.sizes()) + " for " +
                       std::to_string(samples) + " samples with " + std::to_string(labels_per_sample) +
                       " labels each: give one per sample or per label");
    }
    const at::Tensor flat = checked_integers(clusters.reshape({-1}), "clusters", clusters.numel());
    return labels_per_sample == 1 ? flat : flat.view(clusters.sizes());
  }
  const at::Tensor checked = checked_clusters(clusters, samples);
  return labels_per_sample == 1 ? checked : checked.unsqueeze(1).expand({samples, labels_per_sample}).contiguous();
}

at::Tensor checked_clusters(const at::Tensor& clusters, std::int64_t samples) {
  return clusters.defined() ? checked_integers(clusters, "clusters", samples) : at::zeros({samples}, at::kLong);
}

void require_inputs(const Inputs& given, std::optional<at::ScalarType> weight_type) {
  const at::Tensor& inputs = given.only();
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
  if (const auto sample = support::first_sample_not_finite(inputs)) {
    throw InputError("the inputs of sample " + std::to_string(*sample) +
                     " hold NaN or infinity: remove or repair that sample");
  }
}

}  // namespace pregrad::model
