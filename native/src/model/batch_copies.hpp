#pragma once

#include <cstdint>
#include <exception>

#include "pregrad/error.hpp"
#include "support/device_failure.hpp"

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

}  // namespace pregrad::model
