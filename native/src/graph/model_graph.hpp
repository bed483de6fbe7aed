#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <vector>

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>
#include <torch/csrc/jit/api/compilation_unit.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/ir/ir.h>
#include <torch/csrc/jit/runtime/interpreter.h>

#include "graph/forward_arguments.hpp"
#include "graph/inlined_model.hpp"
#include "graph/layer_sites.hpp"
#include "graph/rerun_graph.hpp"
#include "graph/rewrites/rewrites.hpp"
#include "graph/tapped_graph.hpp"
#include "pregrad/inputs.hpp"
#include "support/running_call.hpp"
#include "support/threads.hpp"

namespace pregrad::graph {

/// A model's weights by their names.
using Weights = std::map<std::string, at::Tensor>;

/// Copies of weights in which the elements of each stand in another order, drawn by a seed and its name. Tensors that
/// share memory share it in the copies too.
class ShuffledWeights {
 public:
  ShuffledWeights(const Weights& weights, std::uint64_t seed);

  /// What is in the place of `tensor`: itself where it holds no weights.
  at::Tensor of(const at::Tensor& tensor) const;
  /// Puts the copies in the place of the weights among the constants of a block, and of those in it.
  void replace_constants(torch::jit::Block* block) const;

 private:
  std::map<const c10::StorageImpl*, c10::Storage> copies_;
};

/// A model as LibTorch runs it, nothing of it rewritten: what every rewritten graph must agree with. Shares its tensors
/// with the graphs made of it. Safe from many threads.
class UntouchedModel {
 public:
  /// A TorchScript module, whose own forward runs.
  UntouchedModel(torch::jit::Module module, c10::Device device);
  /// The graph of a model that is no TorchScript module, copied as it is now.
  UntouchedModel(torch::jit::Graph& graph, c10::Device device);

  /// Runs forward in the caller's gradient mode.
  c10::IValue run(std::vector<c10::IValue> arguments) const;

  /// The same model on other weights; runs of this one go on with its own.
  std::shared_ptr<const UntouchedModel> with(const ShuffledWeights& weights) const;

 private:
  /// Made for the first run: most of what it costs is for nothing in a process that only lists layers.
  const torch::jit::Code& code() const;

  std::optional<torch::jit::Module> module_;
  c10::Device device_;
  mutable std::shared_ptr<torch::jit::Graph> graph_;
  mutable std::once_flag once_;
  mutable torch::jit::Code code_;
};

/// Whether a buffer of that name holds what normalisation has learned of the data: it goes with the weights.
bool is_running_statistic(const std::string& name);

/// One of a model's tensors. On the memory of the graph's constants that are made of it.
struct StateTensor {
  std::string name;
  at::Tensor tensor;
  bool is_persistent = true;  ///< whether it is part of the state dict
};

/// Which tensors and which nodes of a file the graph's constants and nodes were made of.
struct Provenance {
  std::vector<StateTensor> state;
  bool is_exported = false;  ///< whether the file is an archive of torch.export
  std::unordered_map<const torch::jit::Scope*, std::size_t> archive_nodes;
  /// Where a node runs, by its scope: the path of the module, "" for the root.
  std::unordered_map<const torch::jit::Scope*, std::string> paths;
  std::vector<torch::jit::ScopePtr> scopes;  ///< kept alive: their addresses identify nodes
};

/// What a reader makes of a model file. All readers end here; nothing behind knows what kind of file it was.
struct ReadModel {
  InlinedModel model;
  std::optional<torch::jit::Module> module;   ///< that `model` was made of; empty where there is none but the graph
  std::vector<StateTensor> state;             ///< the model's tensors
  std::vector<ForwardArgument> arguments;     ///< one per input of the graph
  std::vector<std::string> output_names;      ///< of the tensors that the graph returns; empty where their values tell
  std::optional<at::ScalarType> weight_type;  ///< floating-point type of the weights; empty for a model without any
  Weights weights;                            ///< what training made: parameters and running statistics
  /// Owns the classes that the graph's objects (such as torch.no_grad) are instances of; the graph does not.
  std::shared_ptr<const torch::jit::CompilationUnit> classes;
};

/// A model as a graph that taps can be put into. Immutable; safe from many threads.
class ModelGraph {
 public:
  /// @throws UnsupportedModelError if the model changes itself, or is in training mode
  ModelGraph(ReadModel read, c10::Device device);

  const LayerSites& sites() const { return sites_; }
  c10::Device device() const { return device_; }
  /// Floating-point type of the weights; empty for a model without any.
  std::optional<at::ScalarType> weight_type() const { return weight_type_; }

  TappedGraph tapped(const std::vector<Tap>& taps) const {
    return compiled([&] { return TappedGraph(graph_for(taps), taps); });
  }
  RerunGraph rerun(const std::vector<Tap>& taps, Stage stage) const {
    return compiled([&] { return RerunGraph(graph_for(taps), taps, stage); });
  }
  /// The parts of the model that are pointwise in one tensor without being affine, and the maxima of windows, as layers
  /// that can be followed (Tap::follows).
  std::vector<LayerSite> nonlinear_parts() const;
  /// The model as it was before it was made a graph with layers.
  const UntouchedModel& untouched() const { return *untouched_; }
  /// A copy of the graph, nothing of it folded, and where it comes from.
  std::shared_ptr<torch::jit::Graph> copy() const { return graph_->copy(); }
  const Provenance& provenance() const { return *provenance_; }
  /// The floating-point type with the fewest digits that the model computes in, as far as its code tells.
  at::ScalarType coarsest_type() const { return coarsest_type_; }
  /// The same model, nothing of it folded, with all constants of float32 in float64; where its code names a type,
  /// running it may fail.
  ModelGraph in_double_precision() const;
  /// The same model with the elements of each floating-point weight in an order drawn by the seed.
  /// @throws UnsupportedModelError if it has no such weight
  ModelGraph randomised(std::uint64_t seed) const;
  const ForwardArguments& arguments() const { return arguments_; }
  /// The arguments of a forward on `inputs`: the optional ones keep their defaults.
  /// @throws InputError if the model says that it does not take such inputs
  std::vector<c10::IValue> arguments(const Inputs& inputs) const { return arguments_.values(inputs); }
  /// Which axis of an output that forward returns counts classes, as far as the graph tells, by the output's name.
  const std::map<std::string, std::int64_t>& class_axes() const { return class_axes_; }
  /// What the output of a forward that returns one tensor is called.
  std::string name_of_only_output() const { return output_names_.size() == 1 ? output_names_.front() : ""; }
  /// The tensors that forward returned, named as Model::outputs says.
  std::vector<NamedTensor> outputs(const c10::IValue& returned) const;

 private:
  /// What `compile` makes of the graph, on a stack that is deep enough for it. A thread more would be felt by those who
  /// open an attribution of a small model per request.
  template <typename Compile>
  std::invoke_result_t<const Compile&> compiled(const Compile& compile) const {
    support::RunningCall::go_on();
    return is_large_ ? support::on_deep_stack(device_, compile) : compile();
  }

  /// The fastest graph in which all taps have a place.
  torch::jit::Graph& graph_for(const std::vector<Tap>& taps) const;

  std::shared_ptr<const torch::jit::CompilationUnit> classes_;
  std::shared_ptr<const UntouchedModel> untouched_;
  std::shared_ptr<const Provenance> provenance_;
  at::ScalarType coarsest_type_ = at::kDouble;
  std::shared_ptr<torch::jit::Graph> graph_;
  std::optional<rewrites::FoldedGraph> folded_;  ///< empty where there is nothing to fold
  LayerSites sites_;
  ForwardArguments arguments_;
  std::vector<std::string> output_names_;
  std::map<std::string, std::int64_t> class_axes_;
  std::optional<at::ScalarType> weight_type_;
  Weights weights_;
  c10::Device device_;
  bool is_large_ = false;  ///< so that its passes may need more stack than a thread of a JVM has
};

}  // namespace pregrad::graph
