#include "methods/removal.hpp"

#include <ATen/Functions.h>

#include "cuda/device.hpp"
#include "methods/neuron_blocks.hpp"

namespace pregrad::methods {

graph::Stage stage_of(Removal removal) {
  return removal == Removal::zero_preactivation ? graph::Stage::pre_activation : graph::Stage::activation;
}

at::Tensor removed(const at::Tensor& value, std::int64_t neuron_axis, const at::Tensor& masks,
                   const at::Tensor& constants) {
  if constexpr (cuda::is_built) {
    if (cuda::takes(value)) {
      return cuda::device_removal(value, neuron_axis, masks, constants);
    }
  }
  const at::Tensor blocks = as_blocks(value.detach(), masks.size(0));
  const at::Tensor mask = over_neurons(masks.unsqueeze(1), value.dim(), neuron_axis);
  if (!constants.defined()) {
    return blocks.masked_fill(mask.to(value.device()), 0).flatten(0, 1);
  }
  const at::Tensor fill = over_neurons(constants, value.dim(), neuron_axis).to(value.options());
  return at::where(mask.to(value.device()), fill, blocks).flatten(0, 1);
}

}  // namespace pregrad::methods
