#include "attribution/score_table.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "graph/neuron_axis.hpp"
#include "graph/shape_text.hpp"
#include "pregrad/error.hpp"
#include "statistics/layer_reference.hpp"
#include "statistics/random_values.hpp"
#include "statistics/sample_values.hpp"
#include "statistics/state.hpp"

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

std::vector<double> values_of(Method method, const LayerBatch& layer, const SampleValues& reduction) {
  const at::Tensor& a = layer.activation();
  const at::Tensor& a_gradient = layer.activation_gradient();
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
    case Method::activation_rate:
      return reduction.mean(a > 0);
    case Method::random:  // the same for all samples: only their number counts
    case Method::gradient_x_centred_activation:
      return reduction.sum(at::Tensor());
    case Method::integrated_gradients:
    case Method::conductance:
    case Method::internal_influence:
    case Method::ablation:
      break;
  }
  throw InternalError("a method without a formula: " + std::to_string(static_cast<int>(method)));
}

const SampleScores* replayed_scores(const LayerBatch& layer, Method method) {
  const auto found = std::find_if(layer.replayed.begin(), layer.replayed.end(),
                                  [&](const SampleScores& scores) { return scores.method == method; });
  return found == layer.replayed.end() ? nullptr : &*found;
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

statistics::SampleValues reduction_of(const LayerBatch& layer, std::int64_t samples) {
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

/// The values of one layer and method in a batch.
struct ScoreTable::Addition {
  const LayerBatch* layer = nullptr;
  Method method = Method::gradient;
  std::size_t neurons = 0;
  std::vector<double> values;
  std::vector<double> differences;  ///< of y along the path, per sample; else empty
  /// Of the centred method: per sample and neuron.
  std::vector<double> products;
  std::vector<double> gradients;
  std::vector<double> activations;

  Key key(std::int64_t cluster) const { return {layer->rank, layer->name, layer->call, cluster, method}; }
};

void ScoreTable::add(const std::vector<LayerBatch>& layers, const at::Tensor& clusters) {
  const Rows rows = rows_by_cluster(clusters);
  std::vector<Addition> additions;
  for (const LayerBatch& layer : layers) {
    const SampleValues reduction = reduction_of(layer, clusters.size(0));
    for (const Method method : methods_) {
      Addition addition;
      addition.layer = &layer;
      addition.method = method;
      addition.neurons = static_cast<std::size_t>(reduction.neurons());
      if (const SampleScores* replayed = replayed_scores(layer, method)) {
        addition.values = replayed->values;
        addition.differences = replayed->differences;
      } else {
        addition.values = values_of(method, layer, reduction);
      }
      if (method == Method::gradient_x_centred_activation) {
        addition.products = reduction.sum_of_products(layer.activation(), layer.activation_gradient());
        addition.gradients = reduction.sum(layer.activation_gradient());
        addition.activations = reduction.mean(layer.activation());
      }
      additions.push_back(std::move(addition));
    }
  }
  const std::lock_guard lock(mutex_);
  for (const Addition& addition : additions) {
    for (const auto& [cluster, samples] : rows) {
      const auto known = cells_.find(addition.key(cluster));
      if (known != cells_.end() && known->second.values.neurons() != addition.neurons) {
        throw InputError("layer '" + statistics::to_string(addition.layer->name, addition.layer->call) + "' has " +
                         std::to_string(addition.neurons) + " neurons in this batch and " +
                         std::to_string(known->second.values.neurons()) +
                         " in an earlier one: give inputs of one shape, or choose another layer");
      }
    }
  }
  for (const Addition& addition : additions) {
    for (const auto& [cluster, samples] : rows) {
      add_to(cells_.try_emplace(addition.key(cluster), addition.neurons).first->second, addition, samples);
    }
  }
}

void ScoreTable::add_to(Cell& cell, const Addition& addition, const std::vector<std::int64_t>& rows) {
  cell.values.add(addition.values, rows);
  if (addition.method == Method::gradient_x_centred_activation) {
    cell.centred.add({addition.products, addition.gradients, addition.activations}, rows);
  }
  if (addition.differences.empty()) {
    return;
  }
  for (const std::int64_t row : rows) {
    const auto begin = addition.values.begin() + row * static_cast<std::ptrdiff_t>(addition.neurons);
    const double total = std::accumulate(begin, begin + static_cast<std::ptrdiff_t>(addition.neurons), 0.0);
    const double difference = addition.differences[static_cast<std::size_t>(row)];
    cell.residual.add(std::abs(total - difference));
    cell.difference.add(std::abs(difference));
  }
}

std::map<ScoreTable::LayerCall, std::vector<double>> ScoreTable::mean_activations() const {
  struct Sums {
    std::vector<statistics::ExactSum> activations;
    std::int64_t count = 0;
  };
  std::map<LayerCall, Sums> sums;
  for (const auto& [key, cell] : cells_) {
    if (key.method != Method::gradient_x_centred_activation) {
      continue;
    }
    Sums& layer = sums[{key.rank, key.call}];
    layer.activations.resize(cell.centred.neurons());
    for (std::size_t j = 0; j < layer.activations.size(); ++j) {
      layer.activations[j].add(cell.centred.activation_sums()[j]);
    }
    layer.count += cell.values.count();
  }
  std::map<LayerCall, std::vector<double>> means;
  for (const auto& [layer, each] : sums) {
    std::vector<double>& mean = means[layer];
    mean.reserve(each.activations.size());
    for (const statistics::ExactSum& sum : each.activations) {
      mean.push_back(sum.divided_by(static_cast<double>(each.count)).value());
    }
  }
  return means;
}

Score ScoreTable::score_of(const Key& key, const Cell& cell,
                           const std::map<LayerCall, std::vector<double>>& means) const {
  Score score{key.name, key.call, key.cluster, key.method, {}};
  if (key.method == Method::gradient_x_centred_activation) {
    score.statistics = cell.centred.statistics(means.at({key.rank, key.call}));
  } else if (key.method == Method::random) {
    const auto neurons = static_cast<std::int64_t>(cell.values.neurons());
    const std::vector<double> values = statistics::random_values(key.name, key.call, key.cluster, neurons, 0, seed_);
    score.statistics = {cell.values.count(), values, values, values, std::vector<double>(values.size(), 0)};
  } else {
    score.statistics = cell.values.statistics();
  }
  if (cell.difference.value() > 0) {
    score.completeness_error = cell.residual.value() / cell.difference.value();
  }
  return score;
}

std::vector<Score> ScoreTable::scores() const {
  const std::lock_guard lock(mutex_);
  const auto means = mean_activations();
  std::vector<Score> scores;
  scores.reserve(cells_.size());
  for (const auto& [key, cell] : cells_) {
    scores.push_back(score_of(key, cell, means));
  }
  return scores;
}

namespace {

constexpr const char* state_kind = "pregrad attribution 1";

}  // namespace

std::string ScoreTable::save() const {
  const std::lock_guard lock(mutex_);
  statistics::StateWriter writer(state_kind);
  writer.add(subject_);
  writer.add(methods_);
  writer.add(seed_);
  writer.add(static_cast<std::uint64_t>(cells_.size()));
  for (const auto& [key, cell] : cells_) {
    writer.add(static_cast<std::uint64_t>(key.rank));
    writer.add(key.name);
    writer.add(key.call);
    writer.add(key.cluster);
    writer.add(static_cast<int>(key.method));
    cell.values.save(writer);
    cell.centred.save(writer);
    cell.residual.save(writer);
    cell.difference.save(writer);
  }
  return writer.finish();
}

void ScoreTable::restore(std::string_view state) {
  statistics::StateReader reader(state, state_kind);
  if (reader.text() != subject_ || reader.list<Method>() != methods_ || reader.get<std::uint64_t>() != seed_) {
    statistics::StateReader::refuse();
  }
  std::map<Key, Cell> cells;
  for (auto left = reader.get<std::uint64_t>(); left > 0; --left) {
    Key key;
    key.rank = static_cast<std::size_t>(reader.get<std::uint64_t>());
    key.name = reader.text();
    key.call = reader.get<std::int64_t>();
    key.cluster = reader.get<std::int64_t>();
    key.method = static_cast<Method>(reader.get<int>());
    Cell cell(0);
    cell.values = statistics::ClusterAccumulator::restored(reader);
    cell.centred = statistics::CentredProducts::restored(reader);
    cell.residual = statistics::ExactSum::restored(reader);
    cell.difference = statistics::ExactSum::restored(reader);
    cells.emplace(std::move(key), std::move(cell));
  }
  if (!reader.at_end()) {
    statistics::StateReader::refuse();
  }
  const std::lock_guard lock(mutex_);
  cells_ = std::move(cells);
}

}  // namespace pregrad::attribution
