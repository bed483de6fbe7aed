#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "cuda/device.hpp"

namespace pregrad::test {

/// What recorders made by one factory did.
struct RecorderCounts {
  std::atomic<int> recorders = 0;
  std::atomic<int> recordings = 0;
  std::atomic<int> replays = 0;
};

/// Stands in for a device that records: a replay does the work again, with all that the work held by value as it was.
/// What a CUDA graph cannot hold is refused with LibTorch's words.
cuda::RecorderFactory host_recorders(RecorderCounts& counts);

/// Whether this thread is recording.
bool is_recording();
/// Throws what LibTorch throws where an operation waits for a stream that is recorded.
void refuse_to_wait();

}  // namespace pregrad::test
