#include "attribution/score_cells.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>
#include <span>

#include "methods/catalog.hpp"
#include "statistics/random_values.hpp"
#include "support/threads.hpp"

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
                             std::shared_ptr<const support::ClusterRows> clusters, const ExampleSearch& examples)
    : name(layer.name), call(layer.rank, layer.call), rows(std::move(clusters)), restores(examples.restores) {
  using Detail = methods::MethodReader::Detail;
  const statistics::SampleValues reduction = model::reduction_of(layer, static_cast<std::int64_t>(rows->samples()));
  neurons = static_cast<std::size_t>(reduction.neurons());
  const Detail detail = examples.most > 0 ? Detail::samples : Detail::clusters;
  read(wanted, methods::MethodReader(wanted, layer, reduction, *rows, detail),
       [&](std::size_t index, const statistics::NeuronValues& values) {
         if (examples.most > 0) {
           find_examples(wanted[index], index, values, layer, reduction, examples);
         }
       });
}

void LayerAddition::find_examples(Method method, std::size_t index, const statistics::NeuronValues& values,
                                  const model::LayerBatch& layer, const statistics::SampleValues& reduction,
                                  const ExampleSearch& examples) {
  OfMethod& addition = methods[index];
  if (is_centred(method)) {
    // Whose samples will be the examples is not known yet.
    std::vector<std::int64_t> all(rows->samples());
    std::iota(all.begin(), all.end(), 0);
    const methods::PositionTerms terms(method, layer, reduction, all);
    addition.positions.resize(rows->samples() * neurons);
    support::parallel_for(reduction.samples(), 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) {
        for (std::size_t j = 0; j < neurons; ++j) {
          addition.positions[static_cast<std::size_t>(row) * neurons + j] = terms.largest(row, j);
        }
      }
    });
    return;
  }
  if (methods::row_of(method).family == methods::Family::drawn) {
    return;
  }
  std::set<std::int64_t> wanted;
  for (std::size_t i = 0; i < rows->size(); ++i) {
    const auto known = examples.bounds.find({call, rows->cluster(i)});
    statistics::LargestValues& largest = addition.largest.emplace_back(
        known == examples.bounds.end() ? statistics::LargestValues(neurons, examples.most)
                                       : statistics::LargestValues(examples.most, known->second[index]));
    largest.add(values, rows->rows(i));
    largest.for_each([&](const auto& entry, std::size_t /*neuron*/) { wanted.insert(entry.sample); });
  }
  if (reduction.positions() == 1) {
    return;
  }
  const methods::PositionTerms terms(method, layer, reduction, {wanted.begin(), wanted.end()});
  for (statistics::LargestValues& largest : addition.largest) {
    largest.for_each([&](auto& entry, std::size_t neuron) { entry.position = terms.largest(entry.sample, neuron); });
  }
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
  read(wanted, methods::MethodReader(layer, reduction, *rows, ready),
       [](std::size_t /*index*/, const statistics::NeuronValues& /*values*/) {});
}

template <typename Also>
void LayerAddition::read(const std::vector<Method>& wanted, const methods::MethodReader& reader, const Also& also) {
  methods.reserve(wanted.size());
  for (const Method method : wanted) {
    methods::MethodValues values = reader.read(method);
    OfMethod addition{values.moments ? *std::move(values.moments) : statistics::BatchMoments(values.values, *rows),
                      {},
                      {},
                      std::move(values.centred),
                      {},
                      {}};
    add_completeness(values, *rows, neurons, addition);
    methods.push_back(std::move(addition));
    also(methods.size() - 1, values.values);
  }
}

std::size_t ScoreCells::Cell::centred_neurons(Method method, std::size_t neurons) {
  return is_centred(method) ? neurons : 0;
}

std::size_t ScoreCells::Cell::example_neurons(Method method, std::size_t neurons, std::size_t examples) {
  const bool has_some = examples > 0 && !is_centred(method) && methods::row_of(method).family != methods::Family::drawn;
  return has_some ? neurons : 0;
}

void ScoreCells::Cell::add(const Cell& other, std::int64_t first) {
  values.add(other.values);
  centred.add(other.centred, first);
  largest.add(other.largest, {first, 1});
  residual.add(other.residual);
  difference.add(other.difference);
}

ScoreCells::ScoreCells(std::vector<Method> methods, Positions positions, std::size_t examples)
    : methods_(std::move(methods)),
      position_methods_(with_positions(methods_)),
      positions_(positions),
      keeps_samples_(std::ranges::any_of(methods_, is_centred)),
      examples_(examples) {}

std::vector<ScoreCells::Cell>& ScoreCells::cells_of(LayerCells& layer, const Group& group) const {
  const auto found = layer.groups.find(group);
  if (found != layer.groups.end()) {
    return found->second;
  }
  std::vector<Cell> cells;
  cells.reserve(methods_of(group).size());
  for (const Method method : methods_of(group)) {
    cells.emplace_back(method, layer.form.neurons, examples_of(group));
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
    bytes += sizeof(Cell) + sums * (count * sizeof(double) + piece) +
             statistics::LargestValues::bytes(Cell::example_neurons(method, neurons, examples_of(group)), examples_);
  }
  return bytes;
}

std::uint64_t ScoreCells::growth(const Place& place, std::set<std::pair<LayerCall, Group>>& added) const {
  const bool has_examples = examples_ > 0 && place.position == all_positions;
  const std::uint64_t of_sample =
      place.neurons * 2 * sizeof(double) + (has_examples ? (place.neurons + 1) * sizeof(std::int64_t) : 0);
  std::uint64_t bytes = keeps_samples_ ? place.rows.samples() * of_sample : 0;
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

ExampleSearch ScoreCells::search(const std::vector<model::LayerBatch>& layers, const support::ClusterRows& rows) const {
  ExampleSearch search;
  search.most = examples_;
  for (const model::LayerBatch& batch : layers) {
    const auto layer = layers_.find({batch.rank, batch.call});
    for (std::size_t i = 0; layer != layers_.end() && i < rows.size(); ++i) {
      const auto group = layer->second.groups.find({rows.cluster(i), all_positions});
      if (group == layer->second.groups.end()) {
        continue;
      }
      std::vector<std::vector<double>>& bounds = search.bounds[{layer->first, rows.cluster(i)}];
      for (const Cell& cell : group->second) {
        bounds.push_back(cell.largest.bounds());
      }
    }
  }
  return search;
}

void ScoreCells::add(const LayerAddition& addition) {
  const bool has_examples = examples_ > 0 && addition.position == all_positions;
  const statistics::LargestValues::Numbers numbers{samples_ + addition.numbers.first, addition.numbers.copies};
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
        const auto rows = addition.rows->rows(i);
        std::vector<std::int64_t> samples(has_examples ? rows.size() : 0);
        std::transform(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(samples.size()), samples.begin(),
                       [&](std::int64_t row) { return numbers.of(row); });
        cells[j].centred.add({centred.products, centred.gradients, centred.activations, method.positions}, rows,
                             samples);
      }
      if (!method.largest.empty()) {
        cells[j].largest.add(method.largest[i], numbers);
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
        sums[j].add(cells[j], samples_);
      }
    }
  }
  samples_ += other.samples_;
}

std::pair<statistics::DoubleDoubles, std::int64_t> ScoreCells::activation_sums(const LayerCells& layer) const {
  const auto centred = std::ranges::find_if(methods_, is_centred) - methods_.begin();
  statistics::DoubleDoubles sums(layer.form.neurons);
  std::int64_t count = 0;
  for (const auto& [group, cells] : layer.groups) {
    if (group.second != all_positions) {
      continue;
    }
    const Cell& cell = cells[static_cast<std::size_t>(centred)];
    sums.add(cell.centred.activation_sums());
    count += cell.values.count();
  }
  return {std::move(sums), count};
}

std::pair<statistics::DoubleDoubles, std::int64_t> ScoreCells::activation_sums(const LayerCall& call) const {
  const auto layer = layers_.find(call);
  return layer == layers_.end() ? std::pair(statistics::DoubleDoubles(0), std::int64_t{0})
                                : activation_sums(layer->second);
}

std::vector<double> ScoreCells::mean_activations(const LayerCells& layer) const {
  if (!keeps_samples_) {
    return {};
  }
  const auto [sums, count] = activation_sums(layer);
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

std::vector<Example> ScoreCells::examples() const {
  std::vector<Example> examples;
  const auto append = [&](const Example& of_method, const statistics::LargestValues& largest) {
    for (std::size_t neuron = 0; neuron < largest.neurons(); ++neuron) {
      for (const statistics::LargestValues::Entry& entry : largest.of(neuron)) {
        Example& example = examples.emplace_back(of_method);
        example.neuron = static_cast<std::int64_t>(neuron);
        example.rank = &entry - largest.of(neuron).data();
        example.sample = entry.sample;
        example.position = entry.position;
        example.value = entry.value;
      }
    }
  };
  for (const auto& [call, layer] : layers_) {
    const std::vector<double> means = mean_activations(layer);
    for (const auto& [group, cells] : layer.groups) {
      for (std::size_t j = 0; group.second == all_positions && j < cells.size(); ++j) {
        Example of_method;
        of_method.layer = layer.name;
        of_method.call = call.second;
        of_method.cluster = group.first;
        of_method.method = methods_[j];
        append(of_method, is_centred(methods_[j]) ? cells[j].centred.largest(means, examples_) : cells[j].largest);
      }
    }
  }
  return examples;
}

std::map<LayerCall, LayerForm> ScoreCells::forms() const {
  std::map<LayerCall, LayerForm> forms;
  for (const auto& [call, layer] : layers_) {
    forms.emplace(call, layer.form);
  }
  return forms;
}

void ScoreCells::save(statistics::StateWriter& writer) const {
  if (examples_ > 0) {
    writer.add(samples_);
  }
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
        cell.centred.save(writer, examples_ > 0);
        cell.residual.save(writer);
        cell.difference.save(writer);
        if (examples_ > 0) {
          cell.largest.save(writer);
        }
      }
    }
  }
}

ScoreCells ScoreCells::restored(std::vector<Method> methods, Positions positions, std::size_t examples,
                                statistics::StateReader& reader) {
  ScoreCells result(std::move(methods), positions, examples);
  if (examples > 0) {
    result.samples_ = reader.get<std::int64_t>();
    if (result.samples_ < 0) {
      statistics::StateReader::refuse();
    }
  }
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
        Cell cell(method, 0, result.examples_of(group));
        cell.values = statistics::ClusterAccumulator::restored(reader);
        cell.centred = statistics::CentredProducts::restored(reader, examples > 0);
        cell.residual = statistics::DoubleDouble::restored(reader);
        cell.difference = statistics::DoubleDouble::restored(reader);
        if (examples > 0) {
          cell.largest = statistics::LargestValues::restored(reader, result.examples_of(group));
        }
        if (cell.values.neurons() != layer.form.neurons ||
            cell.centred.neurons() != Cell::centred_neurons(method, layer.form.neurons) ||
            cell.largest.neurons() != Cell::example_neurons(method, layer.form.neurons, result.examples_of(group))) {
          statistics::StateReader::refuse();
        }
        cells.push_back(std::move(cell));
      }
    }
  }
  return result;
}

}  // namespace pregrad::attribution
