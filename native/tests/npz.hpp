#pragma once

#include <filesystem>
#include <map>
#include <string>

#include <ATen/core/Tensor.h>

namespace pregrad::test {

/// The arrays of an npz file whose members are stored, not deflated, as tensors of their own.
std::map<std::string, at::Tensor> read_npz(const std::filesystem::path& file);

}  // namespace pregrad::test
