#include "model/layer_batch.hpp"

#include <algorithm>
#include <string>

#include <ATen/Functions.h>

#include "graph/neuron_axis.hpp"
#include "pregrad/error.hpp"
#include "statistics/layer_reference.hpp"
#include "support/tensors.hpp"

namespace pregrad::model {

namespace {

[[noreturn]] void refuse_rows(const LayerBatch& layer, std::int64_t samples) {
  throw UnsupportedModelError("layer '" + statistics::to_string(layer.name, layer.call) + "' has a pre-activation " +
                              support::shape_text(layer.z.shape) + " for " + std::to_string(samples) +
                              " samples, which does not tell what belongs to which sample: name another layer, or give "
                              "batches of one sample; where rows are chosen by index, as for the experts of a "
                              "mixture, save the model with experts that compute every token, those that were not "
                              "chosen with weight 0");
}

/// Contiguous, as reductions read it.
at::Tensor arranged_copy(const LayerBatch& layer, const at::Tensor& tensor, std::int64_t samples) {
  if (!tensor.defined()) {
    return tensor;
  }
  const at::Tensor arranged = layer.arrangement->arranged(tensor.detach(), samples);
  if (!arranged.defined()) {
    refuse_rows(layer, samples);
  }
  return arranged.contiguous();
}

}  // namespace

bool has_batch_first(const LayerBatch& layer, std::int64_t samples) {
  return !layer.z.shape.empty() && layer.z.shape[0] == samples;
}

bool have_batch_first(const std::vector<LayerBatch>& layers, std::int64_t samples) {
  return std::all_of(layers.begin(), layers.end(),
                     [&](const LayerBatch& layer) { return has_batch_first(layer, samples); });
}

void require_batch_first(const LayerBatch& layer, std::int64_t samples) {
  if (!has_batch_first(layer, samples)) {
    refuse_rows(layer, samples);
  }
}

void LayerBatch::arrange(const Arrangement& found, std::int64_t of_samples) {
  arrangement = found;
  samples = of_samples;
  const std::int64_t axis = graph::resolve_neuron_axis(neuron_axis, static_cast<std::int64_t>(z.shape.size()));
  const at::Tensor shape_alone = found.arranged(at::empty(z.shape, at::TensorOptions(at::kMeta)), of_samples);
  if (!shape_alone.defined()) {
    refuse_rows(*this, of_samples);
  }
  z.value = arranged_copy(*this, z.value, of_samples);
  a.value = arranged_copy(*this, a.value, of_samples);
  neuron_axis = found.moved(axis, z.shape, of_samples);
  z.shape = shape_alone.sizes().vec();
}

void LayerBatch::arrange_gradients() {
  if (arrangement) {
    z_gradient = arranged_copy(*this, z_gradient, samples);
    a_gradient = arranged_copy(*this, a_gradient, samples);
  }
}

at::Tensor counted_in(at::IntArrayRef shape, std::int64_t neuron_axis, const at::Tensor& mask) {
  if (!mask.defined() || shape.size() != static_cast<std::size_t>(mask.dim()) + (neuron_axis > 0 ? 1 : 0)) {
    return {};
  }
  const at::Tensor spread = neuron_axis > 0 ? mask.unsqueeze(neuron_axis) : mask;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    const auto i = static_cast<std::int64_t>(axis);
    if (i != neuron_axis && spread.size(i) != shape[axis]) {
      return {};
    }
  }
  return spread;
}

void LayerBatch::leave_out(const at::Tensor& mask) {
  const auto axes = static_cast<std::int64_t>(z.shape.size());
  counted = axes < 2 ? at::Tensor() : counted_in(z.shape, graph::resolve_neuron_axis(neuron_axis, axes), mask);
  if (!counted.defined()) {
    return;
  }
  const at::Tensor left_out = counted.logical_not();
  for (at::Tensor* tensor : {&z.value, &a.value, &z_gradient, &a_gradient}) {
    if (tensor->defined()) {
      *tensor = tensor->detach().masked_fill(left_out, 0);
    }
  }
}

statistics::SampleValues reduction_of(const LayerBatch& layer, std::int64_t samples) {
  require_batch_first(layer, samples);
  const auto& shape = layer.z.shape;
  const auto rank = static_cast<std::int64_t>(shape.size());
  const std::int64_t axis = rank == 1 ? 0 : graph::resolve_neuron_axis(layer.neuron_axis, rank);
  if (rank > 1 && (axis < 1 || axis >= rank)) {
    throw InputError("layer '" + layer.name + "' has no neuron axis " + std::to_string(axis) + " in " +
                     support::shape_text(shape) + ": name an axis from 1 to " + std::to_string(rank - 1));
  }
  return statistics::SampleValues(shape, axis);
}

}  // namespace pregrad::model
