#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

namespace pregrad::model {

/// A checked batch and which output of each sample is explained.
struct SampleBatch {
  at::Tensor inputs;    ///< [N, ...], detached
  at::Tensor targets;   ///< int64 [N], on the outputs' device
  at::Tensor clusters;  ///< int64 [N], on the CPU
  /// Whether a larger part of it did not fit into the device's memory: runs are not joined then.
  bool short_of_memory = false;

  std::int64_t samples() const { return inputs.size(0); }
};

}  // namespace pregrad::model
