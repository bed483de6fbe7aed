#pragma once

#include <cstdint>
#include <string>

#include <c10/util/ArrayRef.h>

namespace pregrad::support {

/// A shape as messages show it: `[8, 64]`.
std::string shape_text(c10::ArrayRef<std::int64_t> shape);

}  // namespace pregrad::support
