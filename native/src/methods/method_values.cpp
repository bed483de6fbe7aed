#include "methods/method_values.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "cuda/device.hpp"
#include "model/layer_taps.hpp"
#include "pregrad/error.hpp"

namespace pregrad::methods {

namespace {

using statistics::NeuronValues;
using statistics::SampleValues;
using statistics::WantedSums;

/// Sums of z and ∂y/∂z.
WantedSums wanted_of_z(const std::vector<Method>& methods) {
  WantedSums sums;
  sums.x = model::wants(methods, Method::preactivation);
  sums.y = model::wants(methods, Method::gradient);
  sums.products = model::wants(methods, Method::gradient_x_preactivation);
  return sums;
}

/// Sums of a and ∂y/∂a.
WantedSums wanted_of_a(const std::vector<Method>& methods) {
  const bool is_centred = model::wants(methods, Method::gradient_x_centred_activation);
  WantedSums sums;
  sums.x = is_centred || model::wants(methods, Method::activation);
  sums.y = is_centred;
  sums.products = is_centred || model::wants(methods, Method::gradient_x_activation);
  sums.positive = model::wants(methods, Method::activation_rate);
  return sums;
}

std::vector<double> divided(std::vector<double> sums, std::int64_t positions) {
  if (positions > 1) {
    std::for_each(sums.begin(), sums.end(), [&](double& each) { each /= static_cast<double>(positions); });
  }
  return sums;
}

const model::SampleScores* rerun_scores(const model::LayerBatch& layer, Method method) {
  const auto found = std::find_if(layer.rerun.begin(), layer.rerun.end(),
                                  [&](const model::SampleScores& scores) { return scores.method == method; });
  return found == layer.rerun.end() ? nullptr : &*found;
}

}  // namespace

MethodReader::MethodReader(const std::vector<Method>& methods, const model::LayerBatch& layer,
                           const SampleValues& reduction, const support::ClusterRows& rows)
    : layer_(layer), reduction_(reduction), rows_(rows) {
  if constexpr (cuda::is_built) {
    if (DeviceMethods::take(layer)) {
      device_.emplace(
          methods, layer, reduction, static_cast<std::int64_t>(rows.size()),
          [&](const at::Tensor& x, const at::Tensor& y, std::int64_t neuron_axis,
              const cuda::WantedQuantities& wanted) { return cuda::device_scores(x, y, neuron_axis, rows, wanted); });
      device_->fetch();
      return;
    }
  }
  WantedSums of_z = wanted_of_z(methods);
  takes_gradient_ = of_z.y && !of_z.x && !of_z.products;
  of_z.y = of_z.y && !takes_gradient_;
  z_ = reduction.sums(layer.z.value, layer.z_gradient, of_z);
  a_ = reduction.sums(layer.activation(), layer.activation_gradient(), wanted_of_a(methods));
}

MethodReader::MethodReader(const model::LayerBatch& layer, const SampleValues& reduction,
                           const support::ClusterRows& rows, DeviceMethods ready)
    : layer_(layer), reduction_(reduction), rows_(rows), device_(std::move(ready)) {}

MethodValues MethodReader::read(Method method) const {
  if (const model::SampleScores* rerun = rerun_scores(layer_, method)) {
    return {NeuronValues::borrowed(rerun->values), rerun->differences, {}, {}};
  }
  if (device_ && DeviceMethods::has_moments(method)) {
    return {NeuronValues::borrowed({}), {}, {}, device_->moments(method, rows_)};
  }
  MethodValues result{values(method), {}, {}, {}};
  if (method == Method::gradient_x_centred_activation && device_) {
    result.centred = device_->centred();
  } else if (method == Method::gradient_x_centred_activation) {
    result.centred = {a_.products, a_.y, divided(a_.x, reduction_.positions())};
  }
  return result;
}

NeuronValues MethodReader::values(Method method) const {
  switch (method) {
    case Method::gradient:
      return takes_gradient_ ? reduction_.values(layer_.z_gradient) : NeuronValues::borrowed(z_.y);
    case Method::gradient_x_preactivation:
      return NeuronValues::borrowed(z_.products);
    case Method::gradient_x_activation:
      return NeuronValues::borrowed(a_.products);
    case Method::preactivation:
      return NeuronValues(divided(z_.x, reduction_.positions()));
    case Method::activation:
      return NeuronValues(divided(a_.x, reduction_.positions()));
    case Method::activation_rate:
      return NeuronValues(divided(a_.positive, reduction_.positions()));
    case Method::random:  // the same for all samples: only their number counts
    case Method::gradient_x_centred_activation:
      return reduction_.values(at::Tensor());
    case Method::integrated_gradients:
    case Method::conductance:
    case Method::internal_influence:
    case Method::ablation:
      break;
  }
  throw InternalError("a method without a formula: " + std::to_string(static_cast<int>(method)));
}

}  // namespace pregrad::methods
