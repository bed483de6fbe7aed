#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>
#include <torch/csrc/jit/runtime/interpreter.h>

#include "graph/tapped_graph.hpp"
#include "model/batch.hpp"
#include "model/layer_selection.hpp"
#include "model/model_implementation.hpp"
#include "model/output_reading.hpp"
#include "pregrad/pruning.hpp"
#include "pruning/dependence.hpp"
#include "readers/pt2/pruned_archive.hpp"

namespace pregrad {

class Pruning::Implementation {
 public:
  Implementation(std::shared_ptr<const Model::Implementation> model, PruningOptions options);

  const std::shared_ptr<const Model::Implementation>& model() const { return model_; }
  void add(const Inputs& inputs, const at::Tensor& labels);
  PruningResult result() const;
  void save_weights(const std::filesystem::path& file) const;
  void save_exported(const std::filesystem::path& source, const std::filesystem::path& file) const;

 private:
  /// The graph with each layer's neurons at zero that are to go.
  struct ZeroedGraph {
    std::shared_ptr<torch::jit::Graph> graph;
    std::vector<torch::jit::Node*> zeroing;  ///< per entry of neurons_: what multiplies its activation
    std::vector<std::int64_t> axes;          ///< per entry: the neurons'
  };

  void make_plan(const Inputs& example);
  /// @throws UnsupportedModelError with the reason why no plan follows the layer
  ZeroedGraph zeroed_graph(const Inputs& example);
  void find_sizes(const Inputs& example);
  void choose(pruning::Dependence& dependence, const ZeroedGraph& zeroed);
  void zero_in(const ZeroedGraph& zeroed) const;
  void plan_in(const ZeroedGraph& zeroed, const Inputs& example);
  void compile(const ZeroedGraph& zeroed, const pruning::Dependence& dependence);
  void choose_lowest(const std::vector<std::vector<std::size_t>>& together);

  /// The outputs with the activations of the neurons at zero.
  c10::IValue run_zeroed(const Inputs& inputs) const;
  c10::IValue run_pruned(const Inputs& inputs) const;
  std::vector<c10::IValue> arguments(const Inputs& inputs) const;
  /// The tensors of the state dict, and other tensors of the model, with what goes cut off.
  std::vector<graph::StateTensor> pruned_state() const;
  void require_closed() const;

  std::shared_ptr<const Model::Implementation> model_;
  PruningOptions options_;
  model::OutputReading reading_;
  model::LayerSelection selection_;
  graph::TappedGraph tapped_;

  mutable std::mutex mutex_;
  bool is_planned_ = false;
  std::vector<PrunedNeurons> neurons_;
  std::map<std::pair<std::size_t, std::int64_t>, std::size_t> occurrences_;  ///< site and number to entry of neurons_
  std::string open_;
  std::map<std::pair<std::string, std::int64_t>, pruning::Gone> cuts_;
  std::vector<pt2::ArgumentChange> archive_changes_;
  std::string unmapped_;  ///< an operator whose arguments change and that no node of an archive stands for
  torch::jit::Code pruned_;
  Inputs example_;
  std::int64_t multiply_adds_ = 0;
  std::int64_t pruned_multiply_adds_ = -1;

  std::int64_t samples_ = 0;
  std::int64_t labels_ = 0;
  std::int64_t right_ = 0;
  std::int64_t right_at_zero_ = 0;
  std::int64_t right_pruned_ = 0;
  double difference_ = 0;
};

}  // namespace pregrad
