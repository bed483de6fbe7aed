#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

namespace pregrad::attribution {

/// A checked batch and which output of each sample is explained.
struct SampleBatch {
  at::Tensor inputs;    ///< [N, ...], detached
  at::Tensor targets;   ///< int64 [N], on the outputs' device
  at::Tensor clusters;  ///< int64 [N], on the CPU

  std::int64_t samples() const { return inputs.size(0); }
};

}  // namespace pregrad::attribution
