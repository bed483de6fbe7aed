#pragma once

#include <c10/core/Layout.h>
#include <c10/core/MemoryFormat.h>
#include <c10/core/ScalarType.h>

#include "readers/pt2/json_value.hpp"

namespace pregrad::pt2 {

/// The numbers that stand for types, layouts and memory formats in an archive, which are not LibTorch's
/// (torch/_export/serde/schema.py, version 8).
/// @throws ArchiveError for a number of no meaning
c10::ScalarType scalar_type(const JsonValue& number);
c10::Layout layout(const JsonValue& number);
c10::MemoryFormat memory_format(const JsonValue& number);

}  // namespace pregrad::pt2
