#include "attribution/score_table.hpp"

#include <utility>

#include "graph/neuron_axis.hpp"
#include "graph/shape_text.hpp"
#include "pregrad/error.hpp"
#include "statistics/layer_reference.hpp"
#include "statistics/sample_values.hpp"

namespace pregrad::attribution {

namespace {

using statistics::SampleValues;
using Rows = std::map<std::int64_t, std::vector<std::int64_t>>;

Rows rows_by_cluster(const at::Tensor& clusters) {
  Rows rows;
  const auto* cluster = clusters.const_data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < clusters.size(0); ++i) {
    rows[cluster[i]].push_back(i);
  }
  return rows;
}

SampleValues reduction_of(const LayerBatch& layer, std::int64_t samples) {
  require_batch_axis(layer, samples);
  const auto& shape = layer.z.shape;
  const auto rank = static_cast<std::int64_t>(shape.size());
  const std::int64_t axis = rank == 1 ? 0 : graph::resolve_neuron_axis(layer.neuron_axis, rank);
  if (rank > 1 && (axis < 1 || axis >= rank)) {
    throw InputError("layer '" + layer.name + "' has no neuron axis " + std::to_string(axis) + " in " +
                     graph::shape_text(shape) + ": name an axis from 1 to " + std::to_string(rank - 1));
  }
  return SampleValues(shape, axis);
}

std::vector<double> values_of(Method method, const LayerBatch& layer, const SampleValues& reduction) {
  const at::Tensor& a = layer.has_activation ? layer.a.value : layer.z.value;
  const at::Tensor& a_gradient = layer.has_activation ? layer.a_gradient : layer.z_gradient;
  switch (method) {
    case Method::gradient:
      return reduction.sum(layer.z_gradient);
    case Method::gradient_x_preactivation:
      return reduction.sum_of_products(layer.z.value, layer.z_gradient);
    case Method::gradient_x_activation:
      return reduction.sum_of_products(a, a_gradient);
    case Method::preactivation:
      return reduction.mean(layer.z.value);
    case Method::activation:
      return reduction.mean(a);
  }
  throw InternalError("a method without a formula: " + std::to_string(static_cast<int>(method)));
}

}  // namespace

void require_batch_axis(const LayerBatch& layer, std::int64_t samples) {
  const auto& shape = layer.z.shape;
  if (shape.empty() || shape[0] != samples) {
    throw UnsupportedModelError("layer '" + statistics::to_string(layer.name, layer.call) + "' has a pre-activation " +
                                graph::shape_text(shape) + " for " + std::to_string(samples) +
                                " samples: its first axis must be the batch");
  }
}

void ScoreTable::add(const std::vector<LayerBatch>& layers, const at::Tensor& clusters) {
  const Rows rows = rows_by_cluster(clusters);
  struct Addition {
    const LayerBatch* layer;
    Method method;
    std::size_t neurons;
    std::vector<double> values;
  };
  std::vector<Addition> additions;
  for (const LayerBatch& layer : layers) {
    const SampleValues reduction = reduction_of(layer, clusters.size(0));
    for (const Method method : methods_) {
      additions.push_back(
          {&layer, method, static_cast<std::size_t>(reduction.neurons()), values_of(method, layer, reduction)});
    }
  }
  const std::lock_guard lock(mutex_);
  for (const Addition& addition : additions) {
    for (const auto& [cluster, samples] : rows) {
      const Key key{addition.layer->rank, addition.layer->name, addition.layer->call, cluster, addition.method};
      const auto known = accumulators_.find(key);
      if (known != accumulators_.end() && known->second.neurons() != addition.neurons) {
        throw InputError("layer '" + statistics::to_string(key.name, key.call) + "' has " +
                         std::to_string(addition.neurons) + " neurons in this batch and " +
                         std::to_string(known->second.neurons()) +
                         " in an earlier one: give inputs of one shape, or choose another layer");
      }
    }
  }
  for (const Addition& addition : additions) {
    for (const auto& [cluster, samples] : rows) {
      const Key key{addition.layer->rank, addition.layer->name, addition.layer->call, cluster, addition.method};
      accumulators_.try_emplace(key, addition.neurons).first->second.add(addition.values, samples);
    }
  }
}

std::vector<Score> ScoreTable::scores() const {
  const std::lock_guard lock(mutex_);
  std::vector<Score> scores;
  scores.reserve(accumulators_.size());
  for (const auto& [key, accumulator] : accumulators_) {
    scores.push_back({key.name, key.call, key.cluster, key.method, accumulator.statistics()});
  }
  return scores;
}

}  // namespace pregrad::attribution
