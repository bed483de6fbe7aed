#include "cuda/launch.cuh"
#include "cuda/path_points.hpp"

namespace pregrad::cuda {

#define PREGRAD_INSTANTIATE(In, Out) \
  template void launch<PathPoints<In, Out>>(const PathPoints<In, Out>&, cudaStream_t);

PREGRAD_INSTANTIATE(float, float)
PREGRAD_INSTANTIATE(double, double)
PREGRAD_INSTANTIATE(c10::Half, c10::Half)
PREGRAD_INSTANTIATE(c10::BFloat16, c10::BFloat16)
PREGRAD_INSTANTIATE(double, float)
PREGRAD_INSTANTIATE(double, c10::Half)
PREGRAD_INSTANTIATE(double, c10::BFloat16)

}  // namespace pregrad::cuda
