#pragma once

#include <filesystem>

namespace pregrad::graph {

/// Tells what is wrong with a file that is no TorchScript model, before LibTorch is asked to read it.
/// @throws ModelError
void require_torchscript_file(const std::filesystem::path& file);

}  // namespace pregrad::graph
