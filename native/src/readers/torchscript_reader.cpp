#include "readers/model_loader.hpp"

#include <memory>
#include <string>
#include <string_view>

#include <torch/csrc/jit/serialization/import.h>
#include <torch/version.h>

#include "graph/forward_arguments.hpp"
#include "graph/graph_checks.hpp"
#include "graph/module_inliner.hpp"
#include "pregrad/error.hpp"
#include "readers/gate.hpp"
#include "support/failures.hpp"
#include "support/running_call.hpp"

namespace pregrad::readers {

namespace {

std::optional<at::ScalarType> weight_type_of(const torch::jit::Module& module) {
  for (const at::Tensor& parameter : module.parameters()) {
    if (at::isFloatingType(parameter.scalar_type())) {
      return parameter.scalar_type();
    }
  }
  return std::nullopt;
}

/// The operator that LibTorch missed when it read the model; empty if that was not what went wrong.
std::string missing_operator(const std::string& message) {
  constexpr std::string_view mark = "Unknown builtin op: ";
  const std::size_t found = message.find(mark);
  if (found == std::string::npos) {
    return "";
  }
  const std::size_t begin = found + mark.size();
  const std::string name = message.substr(begin, message.find_first_of(" \n", begin) - begin);
  return name.ends_with('.') ? name.substr(0, name.size() - 1) : name;
}

torch::jit::Module loaded(const std::filesystem::path& file, c10::Device device, bool is_trusted) {
  graph::guard_integer_division();
  try {
    const auto opened = std::make_shared<ScriptFile>(file);
    look_at(opened, is_trusted);
    // Where the code once came from is in pickles of its own, which are of no use here.
    torch::jit::Module module = torch::jit::load(opened, device, /*load_debug_files=*/false);
    look_at(module, is_trusted);
    return module;
  } catch (const pt2::ArchiveError& error) {
    const std::string what = error.what();
    throw ModelError("'" + file.string() + "' " + what +
                     (what.ends_with(way_to_trust) ? "" : "; save it again with torch.jit.script(model).save(path)"));
  } catch (const std::exception& error) {
    support::throw_if_device_failure(device, error);
    if (const std::string name = missing_operator(support::message_of(error)); !name.empty()) {
      throw UnsupportedModelError("the model in '" + file.string() + "' uses operator " + name + ", which LibTorch " +
                                  TORCH_VERSION +
                                  " does not have: load the library that registers it into this process before the "
                                  "model, or write it with operators of LibTorch and save the model again");
    }
    throw ModelError("cannot read the model in '" + file.string() + "': " + support::first_sentence(error) +
                     "; save it again with torch.jit.script(model).save(path)");
  }
}

}  // namespace

graph::ReadModel read_torchscript(const std::filesystem::path& file, c10::Device device, bool is_trusted) {
  const torch::jit::Module module = loaded(file, device, is_trusted);
  support::RunningCall::go_on();
  return read_module(module, device);
}

graph::ReadModel read_module(const torch::jit::Module& module, c10::Device device) {
  graph::guard_integer_division();
  // Both copy the tensors, once, for the graph and the module to share.
  torch::jit::Module evaluated = device.is_cpu() ? module.clone() : module.deepcopy(device);
  evaluated.eval();
  graph::ReadModel read;
  read.classes = evaluated._ivalue()->compilation_unit();
  read.arguments = graph::forward_arguments(evaluated);
  read.weight_type = weight_type_of(evaluated);
  for (const auto& parameter : evaluated.named_parameters()) {
    read.weights.emplace(parameter.name, parameter.value);
  }
  for (const auto& buffer : evaluated.named_buffers()) {
    if (graph::is_running_statistic(buffer.name)) {
      read.weights.emplace(buffer.name, buffer.value);
    }
  }
  read.model = graph::inline_modules(evaluated, device);
  for (const auto& parameter : evaluated.named_parameters()) {
    read.state.push_back({parameter.name, parameter.value.detach()});
  }
  for (const auto& buffer : evaluated.named_buffers()) {
    read.state.push_back({buffer.name, buffer.value.detach()});
  }
  read.module = std::move(evaluated);
  return read;
}

}  // namespace pregrad::readers
