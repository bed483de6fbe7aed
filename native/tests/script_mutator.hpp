#pragma once

#include <cstdint>
#include <filesystem>

namespace pregrad::test {

/// Writes a TorchScript file with one to three damages, which follow from the seed alone: in opcodes, numbers and names
/// of its pickles, in lines and words of its code, in sizes and bytes of its tensors, in names of its
/// records, or in the zip archive around them.
void write_mutation(const std::filesystem::path& original, std::uint64_t seed, const std::filesystem::path& mutated);

}  // namespace pregrad::test
