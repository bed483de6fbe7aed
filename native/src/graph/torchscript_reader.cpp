#include "graph/torchscript_reader.hpp"

#include <torch/csrc/jit/serialization/import.h>

#include "graph/device_failure.hpp"
#include "graph/graph_checks.hpp"
#include "graph/libtorch_error.hpp"
#include "graph/module_inliner.hpp"
#include "pregrad/error.hpp"

namespace pregrad::graph {

namespace {

std::optional<at::ScalarType> weight_type_of(const torch::jit::Module& module) {
  for (const at::Tensor& parameter : module.parameters()) {
    if (at::isFloatingType(parameter.scalar_type())) {
      return parameter.scalar_type();
    }
  }
  return std::nullopt;
}

torch::jit::Module loaded(const std::filesystem::path& file, c10::Device device) {
  try {
    return torch::jit::load(file.string(), device);
  } catch (const std::exception& error) {
    throw_if_device_failure(device, error);
    throw ModelError("cannot read the model in '" + file.string() + "': " + first_sentence(error) +
                     "; save it again with torch.jit.script(model).save(path)");
  }
}

}  // namespace

ReadModel read_torchscript(const std::filesystem::path& file, c10::Device device) {
  return read_module(loaded(file, device), device);
}

ReadModel read_module(const torch::jit::Module& module, c10::Device device) {
  torch::jit::Module evaluated = module.clone();
  evaluated.eval();
  ReadModel read;
  read.classes = evaluated._ivalue()->compilation_unit();
  read.defaults = optional_arguments(evaluated);
  read.weight_type = weight_type_of(evaluated);
  read.model = inline_modules(evaluated, device);
  return read;
}

}  // namespace pregrad::graph
