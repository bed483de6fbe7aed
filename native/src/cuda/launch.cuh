#pragma once

#include "cuda/kernel.hpp"

namespace pregrad::cuda {

template <int phase, typename Kernel>
__device__ void run_phases(const Kernel& kernel, const Place& place, typename Kernel::Registers& registers,
                           typename Kernel::Shared& shared) {
  if constexpr (phase < Kernel::phases) {
    // All threads of a block are of one mind about what is skipped.
    if (!kernel.skips(phase, registers)) {
      kernel.template run<phase>(place, registers, shared);
      if constexpr (Kernel::phases > 1) {
        __syncthreads();
      }
    }
    run_phases<phase + 1>(kernel, place, registers, shared);
  }
}

template <typename Kernel>
__global__ void __launch_bounds__(Kernel::threads, Kernel::blocks_per_processor)
    run_kernel(const __grid_constant__ Kernel kernel) {
  using Shared = typename Kernel::Shared;
  __shared__ alignas(16) unsigned char memory[sizeof(Shared)];
  Shared& shared = *reinterpret_cast<Shared*>(memory);
  typename Kernel::Registers registers;
  const Place place = {blockIdx.x, static_cast<int>(threadIdx.x)};
  const std::int64_t steps = kernel.steps(place.block);
  for (std::int64_t step = 0; step < steps; ++step) {
    run_phases<0>(kernel, place, registers, shared);
    kernel.advance(registers);
  }
  kernel.finish(place, registers);
}

template <typename Kernel>
void launch(const Kernel& kernel, cudaStream_t stream) {
  run_kernel<<<static_cast<unsigned int>(kernel.blocks()), Kernel::threads, 0, stream>>>(kernel);
}

}  // namespace pregrad::cuda
