#pragma once

#include <cstdint>

#include "cuda/removed_neurons.hpp"
#include "cuda/tensor_layout.hpp"

namespace pregrad::cuda {

/// `value` [copies · N, ...] with the neurons of each copy's mask set to their constants, as it lies in memory.
/// @param masks     bool [copies, neurons]
/// @param constants [copies or 1, N or 1, neurons] of the value's type; undefined for zeros
template <typename Runner>
at::Tensor removal_tensor(Runner& runner, const at::Tensor& value, std::int64_t neuron_axis, const at::Tensor& masks,
                          const at::Tensor& constants) {
  const LaidOut from = laid_out(value, neuron_axis);
  const at::Tensor result = at::empty_like(from.tensor);
  const at::Tensor chosen = masks.contiguous();
  const at::Tensor fill = constants.defined() ? constants.contiguous() : at::Tensor();
  const auto run = [&](auto word) {
    using Word = decltype(word);
    RemovedNeurons<Word> kernel;
    kernel.value = static_cast<const Word*>(from.tensor.const_data_ptr());
    kernel.result = static_cast<Word*>(result.data_ptr());
    kernel.layout = from.layout;
    kernel.samples_per_copy = from.layout.samples / chosen.size(0);
    kernel.masks = chosen.template const_data_ptr<bool>();
    if (fill.defined()) {
      kernel.constants = static_cast<const Word*>(fill.const_data_ptr());
      kernel.copy_stride = fill.size(0) == 1 ? 0 : fill.size(1) * fill.size(2);
      kernel.sample_stride = fill.size(1) == 1 ? 0 : fill.size(2);
    }
    kernel.is_packed = is_aligned<kernel.width>(kernel.value) && is_aligned<kernel.width>(kernel.result);
    runner.run(kernel);
  };
  // NOLINTNEXTLINE(bugprone-branch-clone): the types differ.
  if (value.element_size() == sizeof(std::uint16_t)) {
    run(std::uint16_t());
  } else if (value.element_size() == sizeof(std::uint32_t)) {
    run(std::uint32_t());
  } else {
    run(std::uint64_t());
  }
  return result;
}

}  // namespace pregrad::cuda
