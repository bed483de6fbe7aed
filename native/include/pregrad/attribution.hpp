#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <ATen/core/TensorBody.h>

#include <pregrad/export.hpp>
#include <pregrad/inputs.hpp>
#include <pregrad/options.hpp>
#include <pregrad/scores.hpp>

namespace pregrad {

/// A running computation of scores: any number of batches go in, from any thread; scores come out at any time.
class PREGRAD_API Attribution {
 public:
  class Implementation;
  explicit Attribution(std::shared_ptr<Implementation> implementation);

  /// Adds a batch: one forward and one backward for all layers and methods.
  /// A batch that throws adds nothing. One that does not fit into the memory of its device is added in halves, as far
  /// down as single samples.
  ///
  /// With several labels per sample the scores are those of adding the batch once per column of `labels`, but one
  /// forward serves them all: another label costs a backward, or less. Methods that run the model again do so per
  /// label.
  ///
  /// On a CUDA device the work of a shape of batches that comes for the third time is recorded as a CUDA graph, and
  /// replayed from then on; a shape is that of the inputs in memory, and the number of clusters. At most four shapes
  /// are recorded, each of which holds the memory of its batch as long as this lives. Methods that run the model again
  /// are not, nor one forward for several labels per sample, nor what comes while another thread replays that shape;
  /// their scores are the same. AttributionOptions::cuda_graphs switches it off.
  /// @param inputs   [N, ...], the model's input, finite
  /// @param labels   [N] or [N, K], int64, each in [0, outputs); may be undefined unless the target is the label
  /// @param clusters [N] or, with K labels per sample, [N, K], int64; undefined puts all samples into cluster 0
  /// @throws InputError, UnsupportedModelError, ArgumentError, DeviceError, LayerError if no gradient that a method
  /// needs leads from the output to a layer
  void add(const at::Tensor& inputs, const at::Tensor& labels = {}, const at::Tensor& clusters = {});
  void add(const Inputs& inputs, const at::Tensor& labels = {}, const at::Tensor& clusters = {});

  /// How often a batch, or a half of one, did not fit into the memory of its device and was cut in two: 0 where all is
  /// well. A smaller batch from the start saves the runs that failed.
  std::int64_t batches_split() const;

  /// How many batches were replayed from a recording, copies of a batch for several labels included: 0 where nothing is
  /// recorded.
  std::int64_t batches_replayed() const;
  /// Why some batches cannot be recorded, in one line, most often in LibTorch's words; they are added all the same. ""
  /// where nothing was in the way so far. Lives as long as the attribution.
  const std::string& graph_refusal() const;

  /// The scores of all batches added so far.
  Scores scores() const;

  /// The values per sample of a batch, which adds nothing to the scores: one entry per layer call and method, ordered
  /// by layer (execution order), call, method. With Positions::each those methods that have a value at each position
  /// give one for each.
  /// @param inputs, labels as in add, one label per sample
  /// @throws as add; ArgumentError for Method::gradient_x_centred_activation where neither AttributionOptions::means
  /// nor samples added before tell the mean
  std::vector<Explanation> explain(const at::Tensor& inputs, const at::Tensor& labels = {}) const;
  std::vector<Explanation> explain(const Inputs& inputs, const at::Tensor& labels = {}) const;

  /// The samples of the largest values among all that were added, AttributionOptions::examples per layer call, cluster,
  /// method and neuron, ordered by these and by rank. Samples are numbered as their batches were counted; those of a
  /// merged state follow on one's own.
  std::vector<Example> examples() const;

  /// All that was added so far, as bytes, to go on with later or in another process.
  std::string save() const;
  /// Takes the place of all that was added so far. Scores go on to the last bit as if there had been no break.
  /// @param state what `save` gave for an attribution of the same layers, methods and options
  /// @throws ArgumentError if it is not; nothing is changed then
  void restore(std::string_view state);
  /// Adds what another attribution has added, in this process or in another: layers' calls and clusters that only one
  /// of them has, too. Any thread may merge while others add.
  ///
  /// Scores become those of one attribution to which the batches of both were added, whoever had which and in whatever
  /// order they are merged. Sums are kept in 106 bits: those of the values and of their magnitudes are exact, and so
  /// the same to the last bit, as long as what the batches add to a neuron lies within a factor of 2³⁰ of each other;
  /// elsewhere, and in squares, the order may show beyond the 100th bit, which a double shows about once in 10¹². The
  /// same states merged in the same order give the same bytes. The model must be the same, which no state can tell.
  /// @param state what `save` gave for an attribution of the same layers, methods and options
  /// @throws ArgumentError if it is not, if a layer has another number of neurons there, or other axes of positions
  /// where each position has scores, or if both need more memory than there is; nothing is changed then
  void merge(std::string_view state);

 private:
  std::shared_ptr<Implementation> implementation_;
};

}  // namespace pregrad
