#include "attribution/score_cells.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>
#include <span>

#include "methods/catalog.hpp"
#include "statistics/random_values.hpp"

namespace pregrad::attribution {

namespace {

bool is_centred(Method method) { return methods::row_of(method).sum == methods::Sum::centred_products; }

/// How far the values of each sample are from adding up to the difference of y.
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

std::vector<Method> with_positions(std::vector<Method> methods) {
  std::erase_if(methods, [](Method method) { return !methods::row_of(method).has_positions(); });
  return methods;
}

LayerAddition::LayerAddition(const std::vector<Method>& wanted, const model::LayerBatch& layer,
                             std::shared_ptr<const support::ClusterRows> clusters)
    : name(layer.name), call(layer.rank, layer.call), rows(std::move(clusters)) {
  const statistics::SampleValues reduction = model::reduction_of(layer, static_cast<std::int64_t>(rows->samples()));
  neurons = static_cast<std::size_t>(reduction.neurons());
  read(wanted, methods::MethodReader(wanted, layer, reduction, *rows));
}

LayerAddition::LayerAddition(const std::vector<Method>& wanted, const model::LayerPositions& positions, std::int64_t at)
    : LayerAddition(wanted, positions.at(at), positions.rows(at)) {
  position = at;
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

ScoreCells::ScoreCells(std::vector<Method> methods, Positions positions)
    : methods_(std::move(methods)),
      position_methods_(with_positions(methods_)),
      positions_(positions),
      keeps_samples_(std::ranges::any_of(methods_, is_centred)) {}

std::vector<ScoreCells::Cell>& ScoreCells::cells_of(LayerCells& layer, const Group& group) const {
  const auto found = layer.groups.find(group);
  if (found != layer.groups.end()) {
    return found->second;
  }
  std::vector<Cell> cells;
  cells.reserve(methods_of(group).size());
  for (const Method method : methods_of(group)) {
    cells.emplace_back(method, layer.form.neurons);
  }
  return layer.groups.emplace(group, std::move(cells)).first->second;
}

std::uint64_t ScoreCells::bytes_of(const Group& group, std::size_t neurons) const {
  // A node of a map has three links, and each piece of memory of its own two words of the allocator's.
  constexpr std::uint64_t piece = 2 * sizeof(void*);
  constexpr std::uint64_t node = sizeof(Groups::value_type) + 4 * sizeof(void*) + 2 * piece;
  const auto count = static_cast<std::uint64_t>(neurons);
  std::uint64_t bytes = node;
  for (const Method method : methods_of(group)) {
    const std::uint64_t sums = is_centred(method) ? 8 : 6;
    bytes += sizeof(Cell) + sums * (count * sizeof(double) + piece);
  }
  return bytes;
}

std::uint64_t ScoreCells::growth(const Place& place, std::set<std::pair<LayerCall, Group>>& added) const {
  std::uint64_t bytes = keeps_samples_ ? place.rows.samples() * place.neurons * 2 * sizeof(double) : 0;
  const auto layer = layers_.find(place.call);
  for (std::size_t i = 0; i < place.rows.size(); ++i) {
    const Group group(place.rows.cluster(i), place.position);
    const bool is_there = layer != layers_.end() && layer->second.groups.contains(group);
    if (!is_there && added.emplace(place.call, group).second) {
      bytes += bytes_of(group, place.neurons);
    }
  }
  return bytes;
}

std::uint64_t ScoreCells::bytes() const {
  std::uint64_t bytes = 0;
  for (const auto& [call, layer] : layers_) {
    for (const auto& [group, cells] : layer.groups) {
      bytes += bytes_of(group, layer.form.neurons);
      for (const Cell& cell : cells) {
        bytes += cell.centred.sample_bytes();
      }
    }
  }
  return bytes;
}

void ScoreCells::add(const LayerAddition& addition) {
  LayerCells& layer = layers_[addition.call];
  if (layer.groups.empty()) {
    layer.name = addition.name;
    layer.form = {addition.neurons, addition.position_axes};
  }
  for (std::size_t i = 0; i < addition.rows->size(); ++i) {
    std::vector<Cell>& cells = cells_of(layer, {addition.rows->cluster(i), addition.position});
    for (std::size_t j = 0; j < cells.size(); ++j) {
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
    layer.form = added.form;
    for (const auto& [group, cells] : added.groups) {
      std::vector<Cell>& sums = cells_of(layer, group);
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
  statistics::DoubleDoubles sums(layer.form.neurons);
  std::int64_t count = 0;
  for (const auto& [group, cells] : layer.groups) {
    if (group.second != all_positions) {
      continue;
    }
    const Cell& cell = cells[static_cast<std::size_t>(centred - methods_.begin())];
    sums.add(cell.centred.activation_sums());
    count += cell.values.count();
  }
  std::vector<double> means(layer.form.neurons);
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

void ScoreCells::append_scores(std::vector<Score>& scores, const LayerCall& call, const LayerCells& layer,
                               Groups::const_iterator first, Groups::const_iterator last,
                               const std::vector<double>& means, std::uint64_t seed) const {
  const auto append = [&](const Group& group, const Cell& cell, Method method) {
    Score score;
    score.layer = layer.name;
    score.call = call.second;
    score.cluster = group.first;
    score.method = method;
    if (group.second != all_positions) {
      score.position = group.second;
    }
    scores.push_back(score_of(cell, std::move(score), means, seed));
  };
  std::size_t at_position = 0;
  for (std::size_t j = 0; j < methods_.size(); ++j) {
    if (layer.form.position_axes.empty() || !methods::row_of(methods_[j]).has_positions()) {
      append(first->first, first->second[j], methods_[j]);
      continue;
    }
    for (auto group = std::next(first); group != last; ++group) {
      append(group->first, group->second[at_position], methods_[j]);
    }
    ++at_position;
  }
}

std::vector<Score> ScoreCells::scores(std::uint64_t seed) const {
  std::vector<Score> scores;
  for (const auto& [call, layer] : layers_) {
    const std::vector<double> means = mean_activations(layer);
    for (auto first = layer.groups.begin(); first != layer.groups.end();) {
      const auto last = std::find_if(first, layer.groups.end(),
                                     [&](const auto& each) { return each.first.first != first->first.first; });
      append_scores(scores, call, layer, first, last, means, seed);
      first = last;
    }
  }
  return scores;
}

std::map<LayerCall, LayerForm> ScoreCells::forms() const {
  std::map<LayerCall, LayerForm> forms;
  for (const auto& [call, layer] : layers_) {
    forms.emplace(call, layer.form);
  }
  return forms;
}

void ScoreCells::save(statistics::StateWriter& writer) const {
  writer.add(static_cast<std::uint64_t>(layers_.size()));
  for (const auto& [call, layer] : layers_) {
    writer.add(static_cast<std::uint64_t>(call.first));
    writer.add(call.second);
    writer.add(layer.name);
    writer.add(static_cast<std::uint64_t>(layer.form.neurons));
    if (positions_ == Positions::each) {
      writer.add(layer.form.position_axes);
    }
    writer.add(static_cast<std::uint64_t>(layer.groups.size()));
    for (const auto& [group, cells] : layer.groups) {
      writer.add(group.first);
      if (positions_ == Positions::each) {
        writer.add(group.second);
      }
      for (const Cell& cell : cells) {
        cell.values.save(writer);
        cell.centred.save(writer);
        cell.residual.save(writer);
        cell.difference.save(writer);
      }
    }
  }
}

ScoreCells ScoreCells::restored(std::vector<Method> methods, Positions positions, statistics::StateReader& reader) {
  ScoreCells result(std::move(methods), positions);
  for (auto layers = reader.get<std::uint64_t>(); layers > 0; --layers) {
    const auto rank = static_cast<std::size_t>(reader.get<std::uint64_t>());
    const auto [place, is_new] = result.layers_.try_emplace({rank, reader.get<std::int64_t>()});
    if (!is_new) {
      statistics::StateReader::refuse();
    }
    LayerCells& layer = place->second;
    layer.name = reader.text();
    layer.form.neurons = static_cast<std::size_t>(reader.get<std::uint64_t>());
    if (positions == Positions::each) {
      layer.form.position_axes = reader.list<std::int64_t>();
    }
    for (auto groups = reader.get<std::uint64_t>(); groups > 0; --groups) {
      Group group(reader.get<std::int64_t>(), all_positions);
      if (positions == Positions::each) {
        group.second = reader.get<std::int64_t>();
      }
      // The positions of a cluster stand behind what is of all of them.
      const bool is_in_place =
          group.second == all_positions || (group.second >= 0 && layer.groups.contains({group.first, all_positions}));
      const auto [entry, is_new_group] = layer.groups.try_emplace(group);
      if (!is_new_group || !is_in_place) {
        statistics::StateReader::refuse();
      }
      std::vector<Cell>& cells = entry->second;
      for (const Method method : result.methods_of(group)) {
        Cell cell(method, 0);
        cell.values = statistics::ClusterAccumulator::restored(reader);
        cell.centred = statistics::CentredProducts::restored(reader);
        cell.residual = statistics::DoubleDouble::restored(reader);
        cell.difference = statistics::DoubleDouble::restored(reader);
        if (cell.values.neurons() != layer.form.neurons ||
            cell.centred.neurons() != Cell::centred_neurons(method, layer.form.neurons)) {
          statistics::StateReader::refuse();
        }
        cells.push_back(std::move(cell));
      }
    }
  }
  return result;
}

}  // namespace pregrad::attribution
