#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>
#include <torch/csrc/jit/api/module.h>

#include "graph/layer_sites.hpp"
#include "graph/replay_graph.hpp"
#include "graph/tapped_graph.hpp"

namespace pregrad::graph {

/// A TorchScript module as a graph that taps can be put into. Immutable; safe from many threads.
class TorchScriptModel {
 public:
  /// @throws ModelError, UnsupportedModelError
  static TorchScriptModel load(const std::filesystem::path& file, c10::Device device);
  /// `module` stays as it is.
  TorchScriptModel(const torch::jit::Module& module, c10::Device device);

  const LayerSites& sites() const { return sites_; }
  c10::Device device() const { return device_; }
  /// Floating-point type of the weights; empty for a model without any.
  std::optional<at::ScalarType> weight_type() const { return weight_type_; }

  TappedGraph tapped(const std::vector<Tap>& taps) const { return TappedGraph(*graph_, taps); }
  ReplayGraph replay(const std::vector<Tap>& taps, Stage stage) const { return ReplayGraph(*graph_, taps, stage); }
  /// The same model with all constants of float32 in float64; where its code names a type, running it may fail.
  TorchScriptModel in_double_precision() const;
  /// The arguments of a forward on `inputs`: the optional ones keep their defaults.
  std::vector<c10::IValue> arguments(const at::Tensor& inputs) const;

 private:
  /// Owns the classes that the graph's objects (such as torch.no_grad) are instances of; the graph does not.
  std::shared_ptr<const torch::jit::CompilationUnit> classes_;
  std::shared_ptr<torch::jit::Graph> graph_;
  LayerSites sites_;
  std::vector<c10::IValue> defaults_;
  std::optional<at::ScalarType> weight_type_;
  c10::Device device_;
};

}  // namespace pregrad::graph
