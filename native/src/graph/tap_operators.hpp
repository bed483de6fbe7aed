#pragma once

#include <ATen/core/symbol.h>

namespace pregrad::graph {

/// The operators that taps put into a graph. All take the run's CaptureRecord first and the number of the site last.
struct TapOperators {
  c10::Symbol take_z;  ///< (record, z, site) -> z: takes a pre-activation
  c10::Symbol enter;   ///< (record, site) -> (): the site's activation runs now; numbers the call
  c10::Symbol take_a;  ///< (record, a, site) -> a: takes the activation of the call entered last
};

/// Registers them with LibTorch at the first call.
const TapOperators& tap_operators();

}  // namespace pregrad::graph
