#include "methods/neuron_blocks.hpp"

namespace pregrad::methods {

at::Tensor as_blocks(const at::Tensor& tensor, std::int64_t copies) {
  return tensor.unflatten(0, at::IntArrayRef({copies, tensor.size(0) / copies}));
}

at::Tensor over_neurons(const at::Tensor& values, std::int64_t rank, std::int64_t neuron_axis) {
  std::vector<std::int64_t> shape = {values.size(0), values.size(1)};
  for (std::int64_t axis = 1; axis < rank; ++axis) {
    shape.push_back(axis == neuron_axis ? values.size(2) : 1);
  }
  return values.reshape(shape);
}

std::vector<double> values_of(const at::Tensor& tensor) {
  const at::Tensor values = tensor.to(at::kCPU, at::kDouble).contiguous();
  return {values.const_data_ptr<double>(), values.const_data_ptr<double>() + values.numel()};
}

}  // namespace pregrad::methods
