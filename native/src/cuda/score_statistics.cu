#include "cuda/launch.cuh"
#include "cuda/row_statistics.hpp"
#include "cuda/run_statistics.hpp"

namespace pregrad::cuda {

#define PREGRAD_INSTANTIATE(T)                                                                 \
  template void launch<RowStatistics<T, true>>(const RowStatistics<T, true>&, cudaStream_t);   \
  template void launch<RowStatistics<T, false>>(const RowStatistics<T, false>&, cudaStream_t); \
  template void launch<ColumnSums<T>>(const ColumnSums<T>&, cudaStream_t);                     \
  template void launch<RunStatistics<T>>(const RunStatistics<T>&, cudaStream_t);

PREGRAD_INSTANTIATE(float)
PREGRAD_INSTANTIATE(double)
PREGRAD_INSTANTIATE(c10::Half)
PREGRAD_INSTANTIATE(c10::BFloat16)

template void launch<MergedMoments>(const MergedMoments&, cudaStream_t);

}  // namespace pregrad::cuda
