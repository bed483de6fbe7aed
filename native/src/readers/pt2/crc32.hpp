#pragma once

#include <cstdint>
#include <span>

namespace pregrad::pt2 {

/// The checksum of zip files (ISO 3309).
std::uint32_t crc32(std::span<const std::byte> bytes);

}  // namespace pregrad::pt2
