#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace pregrad::support {

/// How many bytes this process can still take before the machine swaps or its control group (a container's limit) ends
/// it; what files have in memory and can be given up counts as free. Empty where the system does not tell.
/// @param root where the system's files are: /proc and /sys
std::optional<std::uint64_t> available_memory(const std::filesystem::path& root = "/");

}  // namespace pregrad::support
