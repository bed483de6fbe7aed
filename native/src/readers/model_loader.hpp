#pragma once

#include <filesystem>

#include <torch/csrc/jit/api/module.h>

#include "graph/model_graph.hpp"

namespace pregrad::readers {

/// Reads a model file of any format that PreGrad knows.
/// @param is_trusted whether operators of a TorchScript file may reach outside of the model
/// @throws ModelError, UnsupportedModelError
graph::ModelGraph load_model(const std::filesystem::path& file, c10::Device device, bool is_trusted = false);

/// Reads a TorchScript file, scripted or traced.
/// @throws ModelError, UnsupportedModelError
graph::ReadModel read_torchscript(const std::filesystem::path& file, c10::Device device, bool is_trusted);

/// Takes a module, which stays as it is.
/// @throws UnsupportedModelError
graph::ReadModel read_module(const torch::jit::Module& module, c10::Device device);

}  // namespace pregrad::readers
