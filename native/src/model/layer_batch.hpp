#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "graph/capture.hpp"
#include "model/arrangement.hpp"
#include "pregrad/options.hpp"
#include "statistics/sample_values.hpp"
#include "support/cluster_rows.hpp"

namespace pregrad::model {

/// The values of a method that needs runs of its own, for the samples of a batch.
struct SampleScores {
  Method method = Method::ablation;
  std::vector<double> values;  ///< [N, neurons]
  /// The difference of y between the ends of the path, [N]; empty for methods that do not add up to one.
  std::vector<double> differences;
  /// What the values are sums of, in the shape of the layer's tensors; undefined unless each position has scores.
  at::Tensor terms;
};

/// One execution of a layer in one batch, with its gradients; undefined gradients are zero.
struct LayerBatch {
  std::string name;
  std::int64_t call = 0;
  std::size_t rank = 0;  ///< where the layer stands among those of the model
  std::optional<std::int64_t> neuron_axis;
  bool has_activation = true;
  graph::Captured z;
  graph::Captured a;
  at::Tensor z_gradient;
  at::Tensor a_gradient;
  std::vector<SampleScores> rerun;
  /// How the model arranges the layer's tensors, where that is not [N, ...]; here they are.
  std::optional<Arrangement> arrangement;
  std::int64_t samples = 0;  ///< N, where there is an arrangement
  /// bool [N, ...] over the positions of z, which of them count; undefined where all do.
  at::Tensor counted;

  /// The activation; a layer without one has a = z.
  const at::Tensor& activation() const { return has_activation ? a.value : z.value; }
  const at::Tensor& activation_gradient() const { return has_activation ? a_gradient : z_gradient; }

  /// Makes values and shape [N, ...].
  /// @throws UnsupportedModelError if they do not fit the arrangement
  void arrange(const Arrangement& found, std::int64_t of_samples);
  /// The same of the gradients, once they are there.
  void arrange_gradients();
  /// Leaves positions that do not count out of values and gradients, where the mask has the shape of z's positions.
  /// @param mask bool [N, positions...]; undefined leaves all in
  void leave_out(const at::Tensor& mask);
};

/// The mask in a shape that spreads over a tensor [N, ...] whose positions it has the shape of; else undefined.
/// @param neuron_axis of that tensor; 0 for a tensor without one
at::Tensor counted_in(at::IntArrayRef shape, std::int64_t neuron_axis, const at::Tensor& mask);

/// The reduction of a layer's tensors over its positions.
/// @throws InputError if there is no such neuron axis, UnsupportedModelError if the first axis is not the batch
statistics::SampleValues reduction_of(const LayerBatch& layer, std::int64_t samples);

/// The sizes of z's axes of positions, in their order; empty for a layer without positions, [N, neurons] or [N].
std::vector<std::int64_t> position_sizes(const LayerBatch& layer);

/// A layer call of one batch cut along its positions, which are numbered row-major. What is cut lies on the CPU.
class LayerPositions {
 public:
  /// @param layer one with positions, what does not count left out of it
  /// @param rows  of its samples
  LayerPositions(const LayerBatch& layer, std::shared_ptr<const support::ClusterRows> rows);

  /// How many there are.
  std::int64_t size() const { return static_cast<std::int64_t>(rows_.size()); }
  /// The samples for which the position counts, counted among themselves; null if there are none.
  const std::shared_ptr<const support::ClusterRows>& rows(std::int64_t position) const {
    return rows_[static_cast<std::size_t>(position)];
  }
  /// Which these are, as rows of the batch.
  std::vector<std::int64_t> samples(std::int64_t position) const;
  /// The layer at a position that counts for some samples: [these samples, neurons], all of which count.
  LayerBatch at(std::int64_t position) const;

 private:
  /// [positions, N, neurons]
  static at::Tensor cut(const LayerBatch& layer, const at::Tensor& tensor);
  void find_rows(const at::Tensor& counted, const support::ClusterRows& rows);

  LayerBatch layer_;  ///< its tensors are cut
  std::vector<std::shared_ptr<const support::ClusterRows>> rows_;
  std::vector<at::Tensor> samples_;  ///< per position the samples for which it counts; undefined for all
};

/// Whether z has as many rows along its first axis as there are samples.
bool has_batch_first(const LayerBatch& layer, std::int64_t samples);
bool have_batch_first(const std::vector<LayerBatch>& layers, std::int64_t samples);
/// @throws UnsupportedModelError if it has not
void require_batch_first(const LayerBatch& layer, std::int64_t samples);

}  // namespace pregrad::model
