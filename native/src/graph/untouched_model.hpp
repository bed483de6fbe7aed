#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include <ATen/core/ivalue.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/ir/ir.h>
#include <torch/csrc/jit/runtime/interpreter.h>

namespace pregrad::graph {

/// A model as LibTorch runs it, nothing of it rewritten: what every rewritten graph must agree with. Shares its tensors
/// with the graphs made of it. Safe from many threads.
class UntouchedModel {
 public:
  /// A TorchScript module, whose own forward runs.
  explicit UntouchedModel(torch::jit::Module module);
  /// The graph of a model that is no TorchScript module, copied as it is now.
  explicit UntouchedModel(torch::jit::Graph& graph);

  /// Runs forward in the caller's gradient mode.
  c10::IValue run(std::vector<c10::IValue> arguments) const;

 private:
  /// Made for the first run: most of what it costs is for nothing in a process that only lists layers.
  const torch::jit::Code& code() const;

  std::optional<torch::jit::Module> module_;
  mutable std::shared_ptr<torch::jit::Graph> graph_;
  mutable std::once_flag once_;
  mutable torch::jit::Code code_;
};

}  // namespace pregrad::graph
