#include "cuda/launch.cuh"
#include "cuda/removed_neurons.hpp"

namespace pregrad::cuda {

template void launch<RemovedNeurons<std::uint16_t>>(const RemovedNeurons<std::uint16_t>&, cudaStream_t);
template void launch<RemovedNeurons<std::uint32_t>>(const RemovedNeurons<std::uint32_t>&, cudaStream_t);
template void launch<RemovedNeurons<std::uint64_t>>(const RemovedNeurons<std::uint64_t>&, cudaStream_t);

}  // namespace pregrad::cuda
