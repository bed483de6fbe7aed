#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "graph/capture.hpp"
#include "pregrad/options.hpp"
#include "statistics/sample_values.hpp"

namespace pregrad::model {

/// The values of a method that needs runs of its own, for the samples of a batch.
struct SampleScores {
  Method method = Method::ablation;
  std::vector<double> values;  ///< [N, neurons]
  /// The difference of y between the ends of the path, [N]; empty for methods that do not add up to one.
  std::vector<double> differences;
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

  /// The activation; a layer without one has a = z.
  const at::Tensor& activation() const { return has_activation ? a.value : z.value; }
  const at::Tensor& activation_gradient() const { return has_activation ? a_gradient : z_gradient; }
};

/// The reduction of a layer's tensors over its positions.
/// @throws InputError if there is no such neuron axis, UnsupportedModelError if the first axis is not the batch
statistics::SampleValues reduction_of(const LayerBatch& layer, std::int64_t samples);

/// @throws UnsupportedModelError if the first axis of z is not the batch
void require_batch_axis(const LayerBatch& layer, std::int64_t samples);

}  // namespace pregrad::model
