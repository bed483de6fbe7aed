#pragma once

#include <cstdint>
#include <string>

#include "exported_archive.hpp"

namespace pregrad::test {

/// An archive of torch.export with one to three damages, which follow from the seed alone: in its program (targets,
/// kinds and values of arguments, names, sizes, symbolic integers, depth), in what it says of its weights (types,
/// sizes, strides, offsets, files), in their bytes, in other records and their names, or in the zip archive around
/// them.
std::string mutated_archive(ExportedArchive archive, std::uint64_t seed);

}  // namespace pregrad::test
