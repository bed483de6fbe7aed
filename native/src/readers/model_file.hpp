#pragma once

#include <filesystem>

namespace pregrad::readers {

enum class ModelFormat { torchscript, exported };

/// What kind of model a file holds.
/// @throws ModelError that says what is wrong with a file that holds none
ModelFormat format_of(const std::filesystem::path& file);

}  // namespace pregrad::readers
