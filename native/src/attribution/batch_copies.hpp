#pragma once

#include <cstdint>

#include "pregrad/error.hpp"

namespace pregrad::attribution {

/// `body(copies)` on so many copies of a batch, or `body(1)` where the model takes no other batch than the one it is
/// given, because its code names the size.
template <typename Body>
auto with_copies(std::int64_t copies, const Body& body) {
  if (copies > 1) {
    try {
      return body(copies);
    } catch (const InputError&) {
      // What is wrong with the inputs themselves shows below.
    } catch (const UnsupportedModelError&) {
      // The copies came out in another shape; what is wrong with the model itself shows below.
    }
  }
  return body(1);
}

}  // namespace pregrad::attribution
