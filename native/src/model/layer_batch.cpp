#include "model/layer_batch.hpp"

#include <algorithm>
#include <numeric>
#include <span>
#include <string>
#include <utility>

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

std::vector<std::int64_t> position_sizes(const LayerBatch& layer) {
  std::vector<std::int64_t> sizes = layer.z.shape;
  const auto rank = static_cast<std::int64_t>(sizes.size());
  if (rank < 3) {
    return {};
  }
  sizes.erase(sizes.begin() + graph::resolve_neuron_axis(layer.neuron_axis, rank));
  sizes.erase(sizes.begin());
  return sizes;
}

LayerPositions::LayerPositions(const LayerBatch& layer, std::shared_ptr<const support::ClusterRows> rows) {
  layer_.name = layer.name;
  layer_.call = layer.call;
  layer_.rank = layer.rank;
  layer_.neuron_axis = 1;
  layer_.has_activation = layer.has_activation;
  const statistics::SampleValues reduction = reduction_of(layer, static_cast<std::int64_t>(rows->samples()));
  layer_.z.shape = {reduction.samples(), reduction.neurons()};
  layer_.z.value = cut(layer, layer.z.value);
  layer_.a.value = cut(layer, layer.a.value);
  layer_.z_gradient = cut(layer, layer.z_gradient);
  layer_.a_gradient = cut(layer, layer.a_gradient);
  for (const SampleScores& scores : layer.rerun) {
    if (scores.terms.defined()) {
      layer_.rerun.push_back({scores.method, {}, {}, cut(layer, scores.terms)});
    }
  }
  const auto positions = static_cast<std::size_t>(reduction.positions());
  samples_.resize(positions);
  if (!layer.counted.defined()) {
    rows_.assign(positions, std::move(rows));
    return;
  }
  find_rows(layer.counted.to(at::kCPU).reshape({reduction.samples(), -1}).t().contiguous(), *rows);
}

at::Tensor LayerPositions::cut(const LayerBatch& layer, const at::Tensor& tensor) {
  if (!tensor.defined()) {
    return tensor;
  }
  const std::int64_t axis = graph::resolve_neuron_axis(layer.neuron_axis, tensor.dim());
  return tensor.detach()
      .movedim(at::IntArrayRef{0, axis}, at::IntArrayRef{-2, -1})
      .contiguous()
      .flatten(0, -3)
      .to(at::kCPU);
}

void LayerPositions::find_rows(const at::Tensor& counted, const support::ClusterRows& rows) {
  std::vector<std::int64_t> clusters(rows.samples());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (const std::int64_t row : rows.rows(i)) {
      clusters[static_cast<std::size_t>(row)] = rows.cluster(i);
    }
  }
  rows_.reserve(samples_.size());
  std::vector<std::int64_t> samples;
  for (std::size_t position = 0; position < samples_.size(); ++position) {
    const std::span counts(counted.const_data_ptr<bool>() + position * clusters.size(), clusters.size());
    std::vector<std::int64_t> some;
    std::vector<std::int64_t> some_clusters;
    for (std::size_t sample = 0; sample < counts.size(); ++sample) {
      if (counts[sample]) {
        some.push_back(static_cast<std::int64_t>(sample));
        some_clusters.push_back(clusters[sample]);
      }
    }
    if (position > 0 && some == samples) {  // neighbours most often count for the same samples
      rows_.push_back(rows_.back());
      samples_[position] = samples_[position - 1];
      continue;
    }
    rows_.push_back(some.empty() ? nullptr : std::make_shared<const support::ClusterRows>(some_clusters));
    if (some.size() < clusters.size()) {
      samples_[position] = at::tensor(some, at::kLong);
    }
    samples = std::move(some);
  }
}

std::vector<std::int64_t> LayerPositions::samples(std::int64_t position) const {
  const at::Tensor& some = samples_[static_cast<std::size_t>(position)];
  if (some.defined()) {
    return {some.const_data_ptr<std::int64_t>(), some.const_data_ptr<std::int64_t>() + some.numel()};
  }
  std::vector<std::int64_t> all(rows(position)->samples());
  std::iota(all.begin(), all.end(), 0);
  return all;
}

LayerBatch LayerPositions::at(std::int64_t position) const {
  const at::Tensor& samples = samples_[static_cast<std::size_t>(position)];
  const auto read = [&](const at::Tensor& tensor) {
    if (!tensor.defined()) {
      return tensor;
    }
    const at::Tensor all = tensor.select(0, position);
    return samples.defined() ? all.index_select(0, samples) : all;
  };
  LayerBatch layer = layer_;
  layer.z.shape[0] = samples.defined() ? samples.size(0) : layer.z.shape[0];
  for (at::Tensor* tensor : {&layer.z.value, &layer.a.value, &layer.z_gradient, &layer.a_gradient}) {
    *tensor = read(*tensor);
  }
  for (SampleScores& scores : layer.rerun) {
    const at::Tensor values = read(scores.terms).to(at::kDouble).contiguous();
    scores.values.assign(values.const_data_ptr<double>(), values.const_data_ptr<double>() + values.numel());
    scores.terms.reset();
  }
  return layer;
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
