#include "cuda/launch.cuh"
#include "cuda/path_points.hpp"
#include "cuda/removed_neurons.hpp"
#include "cuda/row_statistics.hpp"
#include "cuda/run_statistics.hpp"

namespace pregrad::cuda {

#define PREGRAD_STATISTICS(T)                                                                  \
  template void launch<RowStatistics<T, true>>(const RowStatistics<T, true>&, cudaStream_t);   \
  template void launch<RowStatistics<T, false>>(const RowStatistics<T, false>&, cudaStream_t); \
  template void launch<ColumnSums<T>>(const ColumnSums<T>&, cudaStream_t);                     \
  template void launch<RunStatistics<T>>(const RunStatistics<T>&, cudaStream_t);

PREGRAD_STATISTICS(float)
PREGRAD_STATISTICS(double)
PREGRAD_STATISTICS(c10::Half)
PREGRAD_STATISTICS(c10::BFloat16)

template void launch<MergedMoments>(const MergedMoments&, cudaStream_t);

#define PREGRAD_PATHS(In, Out) template void launch<PathPoints<In, Out>>(const PathPoints<In, Out>&, cudaStream_t);

PREGRAD_PATHS(float, float)
PREGRAD_PATHS(double, double)
PREGRAD_PATHS(c10::Half, c10::Half)
PREGRAD_PATHS(c10::BFloat16, c10::BFloat16)
PREGRAD_PATHS(double, float)
PREGRAD_PATHS(double, c10::Half)
PREGRAD_PATHS(double, c10::BFloat16)

template void launch<RemovedNeurons<std::uint16_t>>(const RemovedNeurons<std::uint16_t>&, cudaStream_t);
template void launch<RemovedNeurons<std::uint32_t>>(const RemovedNeurons<std::uint32_t>&, cudaStream_t);
template void launch<RemovedNeurons<std::uint64_t>>(const RemovedNeurons<std::uint64_t>&, cudaStream_t);

}  // namespace pregrad::cuda
