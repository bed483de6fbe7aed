#pragma once

#include <filesystem>
#include <memory>

#include "graph/model_graph.hpp"
#include "readers/pt2/zip.hpp"

namespace pregrad::pt2 {

/// Reads an archive of torch.export.save.
/// @throws ModelError, UnsupportedModelError
graph::ReadModel read_exported(const std::filesystem::path& file, c10::Device device);

/// @param name what messages call the archive
graph::ReadModel read_exported(std::unique_ptr<ByteSource> source, const std::string& name, c10::Device device);

}  // namespace pregrad::pt2
