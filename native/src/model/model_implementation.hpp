#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

#include "graph/model_graph.hpp"
#include "graph/tapped_graph.hpp"
#include "model/arrangement.hpp"
#include "model/layer_batch.hpp"
#include "model/layer_selection.hpp"
#include "pregrad/model.hpp"
#include "support/running_call.hpp"

namespace pregrad {

class Model::Implementation {
 public:
  explicit Implementation(graph::ModelGraph model,
                          std::shared_ptr<support::CallLimits> limits = std::make_shared<support::CallLimits>());

  const graph::ModelGraph& model() const { return model_; }
  /// What ends the calls of this model, and of what was made of it.
  const std::shared_ptr<support::CallLimits>& limits() const { return limits_; }

  /// Runs a graph of this model on checked inputs, in the caller's gradient mode.
  /// @param editor for the taps that edit; may be null
  /// @throws InputError if the model cannot take them
  graph::Run run(const graph::TappedGraph& graph, const Inputs& inputs, const graph::Editor* editor = nullptr) const;
  /// Calls `body`, which runs a part of this model on something made of `inputs`, likewise.
  template <typename Body>
  auto guarded(const Inputs& inputs, const Body& body) const {
    try {
      return body();
    } catch (...) {
      rethrow_for(inputs);
    }
  }
  /// Inputs as the model takes them: 16-bit floats and integers of other sizes are converted, where no number changes.
  /// @param mask name of one that need not be an input of the model; it is left out then
  /// @throws InputError if they are not those of the model, not finite, of another type, or empty
  Inputs accepted(const Inputs& given, const std::string& mask = "") const;

  /// The tensor of that name of what forward returned, with the name that Model::outputs has for it; "" as in
  /// Reading::output_name.
  /// @throws UnsupportedModelError if it returned no tensor, ArgumentError if none or several fit
  NamedTensor chosen(const c10::IValue& returned, const std::string& name) const;
  /// The same as [N, ...].
  at::Tensor output_of(const c10::IValue& returned, const std::string& name, std::int64_t samples) const;
  /// The axis of an output, as forward returns it, which counts classes; empty if the graph does not tell.
  std::optional<std::int64_t> class_axis(const NamedTensor& chosen) const;
  /// How the model arranges that output, where it is not [N, ...].
  std::optional<model::Arrangement> output_arrangement(const std::string& name) const;

  /// That output, as output_of gives it.
  at::Tensor forward(const Inputs& inputs, const std::string& name = "") const;
  /// Everything that forward returns, on checked inputs, without gradients.
  c10::IValue returned(const Inputs& inputs) const;
  std::vector<NamedTensor> outputs(const Inputs& inputs) const { return model_.outputs(returned(inputs)); }
  /// The output of the model as it was before it was made a graph, on checked inputs, as output_of gives it.
  at::Tensor untouched_forward(const Inputs& inputs, const std::string& name) const;
  /// Holds an output of a graph of this model for `inputs` against that of the untouched model.
  /// @throws UnsupportedModelError if they differ by more than rounding
  void require_untouched_outputs(const Inputs& inputs, const at::Tensor& output, const std::string& name) const {
    require_same_outputs(inputs, output, untouched_forward(inputs, name), 0, name);
  }
  /// The same for outputs that are known to be right, or something made of them.
  /// @param size what the difference is relative to at least
  void require_same_outputs(const Inputs& inputs, const at::Tensor& outputs, const at::Tensor& expected, double size,
                            const std::string& name) const;
  std::vector<Layer> layers() const;
  std::vector<Layer> layers(const Inputs& example) const;
  std::vector<Layer> layers(const Inputs& example, const std::vector<std::string>& names) const;

  /// An input of zeros in the type of the model's weights.
  /// @throws InputError if a size is not positive
  at::Tensor zeros(const std::vector<std::int64_t>& input_shape) const;

  /// Refuses a model that gives another output of that name than it did untouched, or in which the output of a sample
  /// changes with the other samples of its batch; looks once.
  /// @throws UnsupportedModelError
  void require_independent_samples(const Inputs& inputs, const std::string& name) const;

  /// Finds out how the model arranges the layers' tensors if some of them are not [N, ...].
  void require_arrangements(const model::LayerSelection& selection, const Inputs& inputs) const;
  /// Finds out how the model arranges the layers' tensors.
  void learn_arrangements(const model::LayerSelection& selection, const Inputs& inputs) const;
  /// Makes the tensors of a run on so many samples [N, ...], as far as learn_arrangements knows how.
  void arrange(std::vector<model::LayerBatch>& layers, std::int64_t samples) const;
  /// Takes over what another implementation of the model knows of it.
  void adopt_arrangements(const Implementation& other);
  /// How the model arranges a layer's tensors, where that is known and not [N, ...].
  std::optional<model::Arrangement> arrangement_of(const std::string& layer, std::int64_t call) const;

 private:
  [[noreturn]] void rethrow_for(const Inputs& inputs) const;
  std::vector<Layer> layers_of(const Inputs& example, const model::LayerSelection& selection) const;
  /// @param output of the batch, by that name
  bool depends_on_others(const Inputs& batch, const at::Tensor& output, const std::string& name) const;
  at::Tensor converted(const NamedTensor& input) const;
  /// Whether the model, whose weights have 16 bits, takes float32 as it is.
  bool takes_single_precision(const Inputs& inputs) const;
  void learn_output_arrangement(const Inputs& batch, const std::string& name) const;
  void remember(const std::string& layer, std::int64_t call, const model::Arrangement& arrangement) const;

  graph::ModelGraph model_;
  std::shared_ptr<support::CallLimits> limits_;
  graph::TappedGraph untapped_;
  mutable std::mutex mutex_;                          ///< of all below but atomics
  mutable std::atomic<bool> is_independent_ = false;  ///< the output that is taken by default
  mutable std::set<std::string> independent_outputs_;
  mutable std::atomic<int> takes_single_precision_ = -1;  ///< −1 until it is known
  mutable std::atomic<bool> has_arrangements_ = false;
  mutable std::map<std::pair<std::string, std::int64_t>, model::Arrangement> arrangements_;
};

}  // namespace pregrad
