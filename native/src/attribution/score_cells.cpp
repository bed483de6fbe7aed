#include "attribution/score_cells.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>

#include "methods/catalog.hpp"
#include "statistics/random_values.hpp"

namespace pregrad::attribution {

namespace {

/// How far the values of each sample are from adding up to the difference of y.
bool is_centred(Method method) { return methods::row_of(method).sum == methods::Sum::centred_products; }

void add_completeness(const methods::MethodValues& values, const support::ClusterRows& rows, std::size_t neurons,
                      LayerAddition::OfMethod& addition) {
  if (values.differences.empty()) {
    return;
  }
  addition.residuals.resize(rows.size());
  addition.differences.resize(rows.size());
  values.values.visit([&](const auto& all) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      for (const std::int64_t row : rows.rows(i)) {
        const auto sample = all.subspan(static_cast<std::size_t>(row) * neurons, neurons);
        const double total = std::accumulate(sample.begin(), sample.end(), 0.0);
        const double difference = values.differences[static_cast<std::size_t>(row)];
        addition.residuals[i].add(std::abs(total - difference));
        addition.differences[i].add(std::abs(difference));
      }
    }
  });
}

}  // namespace

LayerAddition::LayerAddition(const std::vector<Method>& wanted, const model::LayerBatch& layer,
                             std::shared_ptr<const support::ClusterRows> clusters)
    : name(layer.name), call(layer.rank, layer.call), rows(std::move(clusters)) {
  const statistics::SampleValues reduction = model::reduction_of(layer, static_cast<std::int64_t>(rows->samples()));
  neurons = static_cast<std::size_t>(reduction.neurons());
  read(wanted, methods::MethodReader(wanted, layer, reduction, *rows));
}

LayerAddition::LayerAddition(const std::vector<Method>& wanted, const model::LayerBatch& layer,
                             std::shared_ptr<const support::ClusterRows> clusters, const methods::DeviceMethods& ready)
    : name(layer.name), call(layer.rank, layer.call), rows(std::move(clusters)) {
  const statistics::SampleValues reduction = model::reduction_of(layer, static_cast<std::int64_t>(rows->samples()));
  neurons = static_cast<std::size_t>(reduction.neurons());
  read(wanted, methods::MethodReader(layer, reduction, *rows, ready));
}

void LayerAddition::read(const std::vector<Method>& wanted, const methods::MethodReader& reader) {
  methods.reserve(wanted.size());
  for (const Method method : wanted) {
    methods::MethodValues values = reader.read(method);
    OfMethod addition{values.moments ? *std::move(values.moments) : statistics::BatchMoments(values.values, *rows),
                      {},
                      {},
                      std::move(values.centred)};
    add_completeness(values, *rows, neurons, addition);
    methods.push_back(std::move(addition));
  }
}

std::size_t ScoreCells::Cell::centred_neurons(Method method, std::size_t neurons) {
  return is_centred(method) ? neurons : 0;
}

void ScoreCells::Cell::add(const Cell& other) {
  values.add(other.values);
  centred.add(other.centred);
  residual.add(other.residual);
  difference.add(other.difference);
}

std::vector<ScoreCells::Cell>& ScoreCells::cells_of(LayerCells& layer, std::int64_t cluster) const {
  const auto found = layer.clusters.find(cluster);
  if (found != layer.clusters.end()) {
    return found->second;
  }
  std::vector<Cell> cells;
  cells.reserve(methods_.size());
  for (const Method method : methods_) {
    cells.emplace_back(method, layer.neurons);
  }
  return layer.clusters.emplace(cluster, std::move(cells)).first->second;
}

void ScoreCells::add(const LayerAddition& addition) {
  LayerCells& layer = layers_[addition.call];
  if (layer.clusters.empty()) {
    layer.name = addition.name;
    layer.neurons = addition.neurons;
  }
  for (std::size_t i = 0; i < addition.rows->size(); ++i) {
    std::vector<Cell>& cells = cells_of(layer, addition.rows->cluster(i));
    for (std::size_t j = 0; j < methods_.size(); ++j) {
      const LayerAddition::OfMethod& method = addition.methods[j];
      cells[j].values.add(method.moments.of(i));
      if (method.centred) {
        const methods::CentredValues& centred = *method.centred;
        cells[j].centred.add({centred.products, centred.gradients, centred.activations}, addition.rows->rows(i));
      }
      if (!method.residuals.empty()) {
        cells[j].residual.add(method.residuals[i]);
        cells[j].difference.add(method.differences[i]);
      }
    }
  }
}

void ScoreCells::add(const ScoreCells& other) {
  for (const auto& [call, added] : other.layers_) {
    LayerCells& layer = layers_[call];
    layer.name = added.name;
    layer.neurons = added.neurons;
    for (const auto& [cluster, cells] : added.clusters) {
      std::vector<Cell>& sums = cells_of(layer, cluster);
      for (std::size_t j = 0; j < sums.size(); ++j) {
        sums[j].add(cells[j]);
      }
    }
  }
}

std::vector<double> ScoreCells::mean_activations(const LayerCells& layer) const {
  const auto centred = std::find_if(methods_.begin(), methods_.end(), is_centred);
  if (centred == methods_.end()) {
    return {};
  }
  statistics::DoubleDoubles sums(layer.neurons);
  std::int64_t count = 0;
  for (const auto& [cluster, cells] : layer.clusters) {
    const Cell& cell = cells[static_cast<std::size_t>(centred - methods_.begin())];
    sums.add(cell.centred.activation_sums());
    count += cell.values.count();
  }
  std::vector<double> means(layer.neurons);
  for (std::size_t j = 0; j < means.size(); ++j) {
    means[j] = sums[j].divided_by(static_cast<double>(count)).value();
  }
  return means;
}

Score ScoreCells::score_of(const Cell& cell, Score score, const std::vector<double>& means, std::uint64_t seed) {
  if (is_centred(score.method)) {
    score.statistics = cell.centred.statistics(means);
  } else if (methods::row_of(score.method).family == methods::Family::drawn) {
    const auto neurons = static_cast<std::int64_t>(cell.values.neurons());
    const std::vector<double> values =
        statistics::random_values(score.layer, score.call, score.cluster, neurons, 0, seed);
    score.statistics = {cell.values.count(), values, values, values, std::vector<double>(values.size(), 0)};
  } else {
    score.statistics = cell.values.statistics();
  }
  if (cell.difference.value() > 0) {
    score.completeness_error = cell.residual.value() / cell.difference.value();
  }
  return score;
}

std::vector<Score> ScoreCells::scores(std::uint64_t seed) const {
  std::vector<Score> scores;
  for (const auto& [call, layer] : layers_) {
    const std::vector<double> means = mean_activations(layer);
    for (const auto& [cluster, cells] : layer.clusters) {
      for (std::size_t j = 0; j < methods_.size(); ++j) {
        scores.push_back(score_of(
            cells[j],
            Score{layer.name, call.second, cluster, methods_[j], {}, std::numeric_limits<double>::quiet_NaN(), {}},
            means, seed));
      }
    }
  }
  return scores;
}

std::map<LayerCall, std::size_t> ScoreCells::neurons() const {
  std::map<LayerCall, std::size_t> neurons;
  for (const auto& [call, layer] : layers_) {
    neurons.emplace(call, layer.neurons);
  }
  return neurons;
}

void ScoreCells::save(statistics::StateWriter& writer) const {
  writer.add(static_cast<std::uint64_t>(layers_.size()));
  for (const auto& [call, layer] : layers_) {
    writer.add(static_cast<std::uint64_t>(call.first));
    writer.add(call.second);
    writer.add(layer.name);
    writer.add(static_cast<std::uint64_t>(layer.neurons));
    writer.add(static_cast<std::uint64_t>(layer.clusters.size()));
    for (const auto& [cluster, cells] : layer.clusters) {
      writer.add(cluster);
      for (const Cell& cell : cells) {
        cell.values.save(writer);
        cell.centred.save(writer);
        cell.residual.save(writer);
        cell.difference.save(writer);
      }
    }
  }
}

ScoreCells ScoreCells::restored(std::vector<Method> methods, statistics::StateReader& reader) {
  ScoreCells result(std::move(methods));
  for (auto layers = reader.get<std::uint64_t>(); layers > 0; --layers) {
    const auto rank = static_cast<std::size_t>(reader.get<std::uint64_t>());
    const auto [place, is_new] = result.layers_.try_emplace({rank, reader.get<std::int64_t>()});
    if (!is_new) {
      statistics::StateReader::refuse();
    }
    LayerCells& layer = place->second;
    layer.name = reader.text();
    layer.neurons = static_cast<std::size_t>(reader.get<std::uint64_t>());
    for (auto clusters = reader.get<std::uint64_t>(); clusters > 0; --clusters) {
      const auto [cluster, is_new_cluster] = layer.clusters.try_emplace(reader.get<std::int64_t>());
      if (!is_new_cluster) {
        statistics::StateReader::refuse();
      }
      std::vector<Cell>& cells = cluster->second;
      for (std::size_t j = 0; j < result.methods_.size(); ++j) {
        Cell cell(result.methods_[j], 0);
        cell.values = statistics::ClusterAccumulator::restored(reader);
        cell.centred = statistics::CentredProducts::restored(reader);
        cell.residual = statistics::DoubleDouble::restored(reader);
        cell.difference = statistics::DoubleDouble::restored(reader);
        if (cell.values.neurons() != layer.neurons ||
            cell.centred.neurons() != Cell::centred_neurons(result.methods_[j], layer.neurons)) {
          statistics::StateReader::refuse();
        }
        cells.push_back(std::move(cell));
      }
    }
  }
  return result;
}

}  // namespace pregrad::attribution
