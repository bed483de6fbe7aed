#pragma once

#include <cstdint>
#include <functional>

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

namespace pregrad::model {

/// Some consecutive samples of a batch.
struct BatchPart {
  std::int64_t first = 0;
  std::int64_t samples = 0;
  /// Whether the part is a second try, after the device had no memory for more.
  bool short_of_memory = false;

  bool is_single_sample() const { return samples == 1; }
  /// The part's rows of a tensor of the batch; undefined stays so.
  at::Tensor of(const at::Tensor& tensor) const;
};

/// Calls `body` on the whole batch or, where the device has no memory for a part, on its halves, in order; down to
/// single samples. A call that throws must leave nothing behind.
/// @returns how often a part was cut in two
/// @throws DeviceError if a single sample does not fit, and whatever else `body` throws
std::int64_t in_parts(c10::Device device, std::int64_t samples, const std::function<void(const BatchPart&)>& body);

/// Calls `check`, which runs a few samples at once. A device without memory for two samples never runs two, so that
/// what a batch of several would show does not matter: then nothing is checked.
void if_two_fit(const BatchPart& part, const std::function<void()>& check);

}  // namespace pregrad::model
