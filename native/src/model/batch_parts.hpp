#pragma once

#include <cstdint>
#include <exception>
#include <functional>

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include "pregrad/error.hpp"
#include "support/failures.hpp"

namespace pregrad::model {

/// `body(copies)` on so many copies of a batch, or `body(1)` where the model takes no other batch than the one it is
/// given, because its code names the size, or where the device has no memory for more.
template <typename Body>
auto with_copies(std::int64_t copies, const Body& body) {
  if (copies > 1) {
    try {
      return body(copies);
    } catch (const InputError&) {
      // What is wrong with the inputs themselves shows below.
    } catch (const UnsupportedModelError&) {
      // The copies came out in another shape; what is wrong with the model itself shows below.
    } catch (const std::exception& error) {
      if (support::device_failure(error) != support::DeviceFailure::out_of_memory) {
        throw;
      }
    }
  }
  return body(1);
}

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
