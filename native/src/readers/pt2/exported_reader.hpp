#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>

#include "graph/model_graph.hpp"
#include "readers/pt2/archive.hpp"
#include "readers/pt2/zip.hpp"

namespace pregrad::pt2 {

/// Reads an archive of torch.export.save.
/// @throws ModelError, UnsupportedModelError
graph::ReadModel read_exported(const std::filesystem::path& file, c10::Device device);

/// @param name what messages call the archive
graph::ReadModel read_exported(std::unique_ptr<ByteSource> source, const std::string& name, c10::Device device);

/// The tensors at the top level of an archive's graph in a run on the CPU, weights and inputs among them, by the names
/// that they have there.
/// @throws ModelError, UnsupportedModelError
std::map<std::string, at::Tensor> archive_values(const std::filesystem::path& file, std::vector<c10::IValue> arguments);

/// The name of the record of an archive's one model.
/// @throws UnsupportedArchive if there is none, or there are several
std::string model_name(const Archive& archive);

}  // namespace pregrad::pt2
