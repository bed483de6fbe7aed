#pragma once

#include <atomic>
#include <mutex>

#include <ATen/core/Tensor.h>

#include "graph/model_graph.hpp"
#include "graph/tapped_graph.hpp"
#include "model/layer_selection.hpp"
#include "pregrad/model.hpp"

namespace pregrad {

class Model::Implementation {
 public:
  explicit Implementation(graph::ModelGraph model);

  const graph::ModelGraph& model() const { return model_; }

  /// Runs a graph of this model on checked inputs, in the caller's gradient mode.
  /// @throws InputError if the model cannot take them
  graph::Run run(const graph::TappedGraph& graph, const Inputs& inputs) const;
  /// Calls `body`, which runs a part of this model on something made of `inputs`, likewise.
  template <typename Body>
  auto guarded(const Inputs& inputs, const Body& body) const {
    try {
      return body();
    } catch (...) {
      rethrow_for(inputs);
    }
  }
  /// The model's output tensor, the first one of a tuple.
  static at::Tensor output_of(const c10::IValue& output);

  at::Tensor forward(const Inputs& inputs) const;
  /// The output of the model as it was before it was made a graph, on checked inputs.
  at::Tensor untouched_forward(const Inputs& inputs) const;
  /// Holds outputs of a graph of this model for `inputs` against those of the untouched model.
  /// @throws UnsupportedModelError if they differ by more than rounding
  void require_untouched_outputs(const Inputs& inputs, const at::Tensor& outputs) const {
    require_same_outputs(inputs, outputs, untouched_forward(inputs));
  }
  /// The same for outputs that are known to be right.
  /// @param size what the difference is relative to at least
  void require_same_outputs(const Inputs& inputs, const at::Tensor& outputs, const at::Tensor& expected,
                            double size = 0) const;
  std::vector<Layer> layers() const;
  std::vector<Layer> layers(const Inputs& example) const;
  std::vector<Layer> layers(const Inputs& example, const std::vector<std::string>& names) const;

  /// An input of zeros in the type of the model's weights.
  /// @throws InputError if a size is not positive
  at::Tensor zeros(const std::vector<std::int64_t>& input_shape) const;

  /// Refuses a model that gives other outputs than it did untouched, or in which the output of a sample changes with
  /// the other samples of its batch; looks once.
  /// @throws UnsupportedModelError
  void require_independent_samples(const Inputs& inputs) const;

 private:
  [[noreturn]] void rethrow_for(const Inputs& inputs) const;
  std::vector<Layer> layers_of(const Inputs& example, const model::LayerSelection& selection) const;
  bool depends_on_others(const Inputs& batch, const at::Tensor& outputs) const;

  graph::ModelGraph model_;
  graph::TappedGraph untapped_;
  mutable std::atomic<bool> is_independent_ = false;
};

}  // namespace pregrad
