#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include <ATen/core/TensorBody.h>

#include <pregrad/export.hpp>
#include <pregrad/inputs.hpp>
#include <pregrad/options.hpp>

namespace pregrad {

class Model;

/// Neurons of a layer call that are to go.
struct PrunedNeurons {
  std::string layer;  ///< canonical name, as Model::layers gives it
  std::int64_t call = 0;
  std::vector<std::int64_t> neurons;  ///< each once, in rising order
  std::int64_t of = 0;                ///< how many the layer has; found out
};

/// What goes from a weight: indices of one axis.
struct WeightCut {
  std::string weight;  ///< its name in the state dict
  std::int64_t axis = 0;
  std::vector<std::int64_t> indices;  ///< in rising order
  std::vector<std::int64_t> shape;    ///< of the weight before anything is cut
  std::vector<std::int64_t> pruned_shape;
};

struct PruningOptions {
  /// Given neurons; each layer call at most once.
  std::vector<PrunedNeurons> neurons;
  /// Else importance per neuron of each layer call: those of the lowest go, ties by index, NaN first. Layer calls that
  /// the model adds up, so that channels can only go together, are ranked together: each call's scores are divided by
  /// the sum of their magnitudes, and added.
  std::vector<NeuronConstants> scores;
  /// Which share of each layer's neurons goes, in (0, 1): the next whole number to it, at least one neuron staying.
  double share = 0.5;
  /// How many neurons of each layer stay; −1 where `share` tells.
  std::int64_t keep = -1;
  Reading reading;
};

/// What removing neurons costs and saves, over all samples that were added.
struct PruningResult {
  std::int64_t samples = 0;
  std::vector<PrunedNeurons> neurons;
  /// Why no weight can be cut, by operator and place; empty where the plan is closed under dependence.
  std::string open;
  std::vector<WeightCut> cuts;  ///< by the weights' names and axes; empty where the plan is open
  /// Share of samples whose largest output is their label's, as the model is, with the activations of the neurons at
  /// zero, and pruned; NaN without labels or, of the last, where the plan is open.
  double accuracy = std::numeric_limits<double>::quiet_NaN();
  double accuracy_at_zero = std::numeric_limits<double>::quiet_NaN();
  double pruned_accuracy = std::numeric_limits<double>::quiet_NaN();
  /// The largest difference between outputs of the pruned model and of the one with activations at zero, relative to
  /// the largest of these; NaN where the plan is open.
  double difference = std::numeric_limits<double>::quiet_NaN();
  /// Per sample: products that are added up by linear layers, convolutions, products of matrices and attention, what is
  /// in loops and branches left out; of the pruned model −1 where the plan is open.
  std::int64_t multiply_adds = 0;
  std::int64_t pruned_multiply_adds = -1;
  std::int64_t parameters = 0;         ///< numbers in the weights
  std::int64_t pruned_parameters = 0;  ///< as many where the plan is open
};

/// A model with neurons removed: which indices of which axes of which weights go, following what depends on them, and
/// what that does to the outputs. Removing a neuron means a := 0 at all positions, so a plan is closed only where every
/// channel that goes is zero, without its neurons, wherever a product reads it; and it is held against the model with
/// zeros for every batch. The first batch makes the plan.
class PREGRAD_API Pruning {
 public:
  class Implementation;

  /// @throws LayerError if the model has no such layer call, ArgumentError if an option is wrong
  Pruning(const Model& model, const PruningOptions& options);

  /// Measures a batch.
  /// @param labels [N], int64; may be undefined, then there is no accuracy
  /// @throws InputError, ArgumentError if neurons or scores do not fit the layers, UnsupportedModelError
  void add(const at::Tensor& inputs, const at::Tensor& labels = {});
  void add(const Inputs& inputs, const at::Tensor& labels = {});

  /// @throws StateError before the first batch
  PruningResult result() const;

  /// Writes the pruned state dict in the format of safetensors, under the names and types that it had.
  /// @throws StateError before the first batch, UnsupportedModelError if the plan is open, ArgumentError if the file
  /// cannot be written
  void save_weights(const std::filesystem::path& file) const;
  /// Writes the pruned model as an archive of torch.export: that of `source` with its weights cut, and sizes that speak
  /// of them changed. What was written is read again and held against the pruned model on the first batch.
  /// @param source the archive that the model was loaded from
  /// @throws as above, UnsupportedModelError if the model is none of torch.export, or its sizes cannot be changed
  void save_exported(const std::filesystem::path& source, const std::filesystem::path& file) const;

 private:
  std::shared_ptr<Implementation> implementation_;
};

}  // namespace pregrad
