#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "graph/rerun_graph.hpp"
#include "model/batch.hpp"
#include "model/layer_batch.hpp"
#include "model/layer_selection.hpp"
#include "model/model_implementation.hpp"
#include "model/output_reading.hpp"

namespace pregrad::methods {

/// `tensor` [copies · N, ...] as [copies, N, ...], on the same memory.
at::Tensor as_blocks(const at::Tensor& tensor, std::int64_t copies);

/// `values` [copies or 1, N or 1, neurons] in a shape that spreads over as_blocks of a tensor of that rank.
at::Tensor over_neurons(const at::Tensor& values, std::int64_t rank, std::int64_t neuron_axis);

/// The elements in row-major order.
std::vector<double> values_of(const at::Tensor& tensor);

/// One call of one layer of a model, to be changed and run again. The change sees `copies` copies of the batch, one
/// after the other along axis 0, so that one run tries several changes.
class LayerRerun {
 public:
  /// What a rerun is asked for.
  struct Wanted {
    graph::Stage stage =
        graph::Stage::activation;  ///< which tensor is changed; a layer without an activation has only z
    /// Whether results carry the place where the gradient by the changed tensor arrives.
    bool gradients = false;
    /// Whether results carry what the nonlinear parts of the model behind the layer read and put out.
    bool follows = false;
    auto operator<=>(const Wanted&) const = default;
  };

  /// @throws LayerError if the model has no such layer call
  LayerRerun(std::shared_ptr<const Model::Implementation> model, std::shared_ptr<const model::OutputReading> reading,
             const std::string& layer, std::int64_t call, const Wanted& wanted);
  /// The same without following.
  LayerRerun(std::shared_ptr<const Model::Implementation> model, std::shared_ptr<const model::OutputReading> reading,
             const std::string& layer, std::int64_t call, graph::Stage stage, bool gradients)
      : LayerRerun(std::move(model), std::move(reading), layer, call, Wanted{stage, gradients}) {}

  /// Which of a site's tensors is that of the layer call.
  struct Occurrence {
    std::size_t site = 0;
    std::int64_t number = 0;
  };

  struct Start {
    graph::RerunGraph::Start values;
    Occurrence occurrence;
    Inputs inputs;    ///< of all copies
    at::Tensor mask;  ///< likewise
    std::int64_t copies = 1;
  };

  /// Runs the model up to the layer, without gradients. A model that takes batches of one size only gets one copy,
  /// whatever is asked for.
  /// @throws InputError if the model cannot take them, LayerError if the call does not run on them
  Start start(const model::Batch& batch, std::int64_t copies = 1) const;

  /// A changed tensor for [copies · N, ...], or an undefined one to leave it. The second argument is the neuron axis.
  using Change = std::function<at::Tensor(const at::Tensor& value, std::int64_t neuron_axis)>;

  struct Result {
    model::OutputRows outputs;
    graph::Captured tensor;  ///< what was changed, as the model arranges it, with its edge if gradients are wanted
    /// The parts that ran, if they are followed: `site` tells one from the others. Their edges are invalid where
    /// nothing depends on the layer.
    std::vector<graph::Execution> parts;
  };

  /// The operator of a part.
  const std::string& operator_of(const graph::Execution& part) const { return parts_[part.site].op; }
  const std::string& id() const { return id_; }

  /// Runs the rest of the model.
  Result run(const Start& start, const Change& change) const;

 private:
  Start start_with(const model::Batch& batch, std::int64_t copies) const;
  bool is_ours(const graph::Execution& execution) const;
  Occurrence find_occurrence(const Start& start) const;

  std::shared_ptr<const Model::Implementation> model_;
  std::shared_ptr<const model::OutputReading> reading_;
  std::string layer_;
  std::int64_t call_;
  std::string id_;  ///< name@call
  model::LayerSelection selection_;
  std::vector<graph::LayerSite> parts_;  ///< that are followed
  graph::RerunGraph graph_;
  graph::Stage stage_;
  bool gradients_;
};

/// How many copies of a batch are worth one run where `wanted` changes are to be tried.
std::int64_t worthwhile_copies(const model::Batch& batch, std::int64_t elements_per_sample, std::int64_t wanted);

}  // namespace pregrad::methods
