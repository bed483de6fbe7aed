#pragma once

#include <filesystem>

#include "graph/model_graph.hpp"

namespace pregrad::readers {

/// Reads a model file of any format that PreGrad knows.
/// @throws ModelError, UnsupportedModelError
graph::ModelGraph load_model(const std::filesystem::path& file, c10::Device device);

}  // namespace pregrad::readers
