#include "methods/device_methods.hpp"

#include <optional>
#include <utility>

#include <ATen/Functions.h>

#include "cuda/device.hpp"
#include "methods/catalog.hpp"
#include "methods/layer_rerun.hpp"

namespace pregrad::methods {

namespace {

/// Which quantity of the kernels a sum over positions is, if it is one.
std::optional<std::size_t> quantity_of(Sum sum) {
  switch (sum) {
    case Sum::values:
      return cuda::sum_of_x;
    case Sum::gradients:
      return cuda::sum_of_y;
    case Sum::products:
      return cuda::sum_of_products;
    case Sum::positive:
      return cuda::positive_x;
    default:
      return std::nullopt;
  }
}

cuda::WantedQuantities quantities_of(const std::vector<Method>& methods, Subject subject) {
  cuda::WantedQuantities wanted;
  wanted[cuda::sum_of_x].is_divided = true;
  wanted[cuda::positive_x].is_divided = true;
  for (const Method method : methods) {
    const MethodRow& row = row_of(method);
    if (row.subject != subject) {
      continue;
    }
    if (const auto quantity = quantity_of(row.sum)) {
      wanted[*quantity].moments = true;
    }
    if (row.sum == Sum::centred_products) {
      for (const std::size_t quantity :
           std::array<std::size_t, 3>{cuda::sum_of_x, cuda::sum_of_y, cuda::sum_of_products}) {
        wanted[quantity].values = true;
      }
    }
  }
  return wanted;
}

}  // namespace

bool DeviceMethods::take(const model::LayerBatch& layer) {
  bool some = false;
  for (const at::Tensor& tensor : {layer.z.value, layer.z_gradient, layer.activation(), layer.activation_gradient()}) {
    if (tensor.defined() && !cuda::takes(tensor)) {
      return false;
    }
    some = some || tensor.defined();
  }
  return some;
}

bool DeviceMethods::has_moments(Method method) { return quantity_of(row_of(method).sum).has_value(); }

DeviceMethods::DeviceMethods(const std::vector<Method>& methods, const model::LayerBatch& layer,
                             const statistics::SampleValues& reduction, std::int64_t clusters, const Kernels& kernels) {
  const auto start = [&](Subject subject, const at::Tensor& x, const at::Tensor& y) {
    const cuda::WantedQuantities wanted = quantities_of(methods, subject);
    Scores scores;
    std::int64_t moments = 0;
    std::int64_t values = 0;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      scores.moments_at[i] = wanted[i].moments ? moments++ : -1;
      scores.values_at[i] = wanted[i].values ? values++ : -1;
    }
    const bool reads_products = wanted[cuda::sum_of_products].is_wanted();
    const bool reads_x = wanted[cuda::sum_of_x].is_wanted() || wanted[cuda::positive_x].is_wanted() || reads_products;
    const bool reads_y = wanted[cuda::sum_of_y].is_wanted() || reads_products;
    const at::Tensor left = reads_x ? x : at::Tensor();
    const at::Tensor right = reads_y ? y : at::Tensor();
    if (left.defined() || right.defined()) {
      cuda::ScoreTensors tensors = kernels(left, right, reduction.neuron_axis(), wanted);
      scores.moments = std::move(tensors.moments);
      scores.values = std::move(tensors.values);
      return scores;
    }
    // Undefined gradients are zero.
    scores.moments = at::zeros({moments, clusters, 3, reduction.neurons()}, at::kDouble);
    scores.values = at::zeros({values, reduction.samples(), reduction.neurons()}, at::kDouble);
    return scores;
  };
  z_ = start(Subject::preactivation, layer.z.value, layer.z_gradient);
  a_ = start(Subject::activation, layer.activation(), layer.activation_gradient());
}

std::array<at::Tensor*, 4> DeviceMethods::results() { return {&z_.moments, &z_.values, &a_.moments, &a_.values}; }

void DeviceMethods::fetch() {
  for (at::Tensor* const tensor : results()) {
    *tensor = tensor->to(at::kCPU);
  }
}

statistics::BatchMoments DeviceMethods::moments(Method method, const support::ClusterRows& rows) const {
  const MethodRow& row = row_of(method);
  const Scores& scores = row.subject == Subject::activation ? a_ : z_;
  const at::Tensor moments = scores.moments[scores.moments_at[quantity_of(row.sum).value()]];
  return {values_of(moments), static_cast<std::size_t>(moments.size(2)), rows};
}

CentredValues DeviceMethods::centred() const {
  const auto read = [&](std::size_t quantity) { return values_of(a_.values[a_.values_at[quantity]]); };
  return {read(cuda::sum_of_products), read(cuda::sum_of_y), read(cuda::sum_of_x)};
}

}  // namespace pregrad::methods
