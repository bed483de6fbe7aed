#include "cuda/device.hpp"

#include "cuda/device_runner.hpp"
#include "cuda/tensors.hpp"

namespace pregrad::cuda {

ScoreTensors device_scores(const at::Tensor& x, const at::Tensor& y, std::int64_t neuron_axis,
                           const support::ClusterRows& rows, const WantedQuantities& wanted) {
  DeviceRunner runner((x.defined() ? x : y).device());
  return score_tensors(runner, x, y, neuron_axis, rows, wanted);
}

at::Tensor device_removal(const at::Tensor& value, std::int64_t neuron_axis, const at::Tensor& masks,
                          const at::Tensor& constants) {
  DeviceRunner runner(value.device());
  return removal_tensor(runner, value, neuron_axis, masks.to(value.device()),
                        constants.defined() ? constants.to(value.device(), value.scalar_type()) : at::Tensor());
}

at::Tensor device_path(const at::Tensor& baseline, const at::Tensor& way, const std::vector<double>& alphas,
                       at::ScalarType type) {
  DeviceRunner runner(way.device());
  return path_tensor(runner, baseline, way, alphas, type);
}

}  // namespace pregrad::cuda
