#include "attribution/score_table.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "methods/catalog.hpp"
#include "pregrad/error.hpp"
#include "statistics/layer_reference.hpp"
#include "statistics/state.hpp"
#include "support/cluster_rows.hpp"

namespace pregrad::attribution {

namespace {

constexpr std::size_t shard_count = 16;
constexpr const char* state_kind = "pregrad attribution 5";

std::vector<Method> sorted(std::vector<Method> methods) {
  std::sort(methods.begin(), methods.end());
  methods.erase(std::unique(methods.begin(), methods.end()), methods.end());
  return methods;
}

std::vector<std::string> names_of(const std::vector<Method>& methods) {
  std::vector<std::string> names;
  names.reserve(methods.size());
  for (const Method method : methods) {
    names.emplace_back(name_of(method));
  }
  return names;
}

}  // namespace

ScoreTable::ScoreTable(std::vector<Method> methods, std::uint64_t seed, ScoreSubject subject)
    : methods_(sorted(std::move(methods))), seed_(seed), subject_(std::move(subject)) {
  subject_.options.push_back("seed " + std::to_string(seed));
  for (std::size_t i = 0; i < shard_count; ++i) {
    shards_.push_back(std::make_unique<Shard>(methods_));
  }
}

void ScoreTable::require_known_neurons(const std::vector<LayerAddition>& additions) {
  const auto require_same = [](const LayerAddition& addition, std::size_t known) {
    if (known != addition.neurons) {
      throw InputError("layer '" + statistics::to_string(addition.name, addition.call.second) + "' has " +
                       std::to_string(addition.neurons) + " neurons in this batch and " + std::to_string(known) +
                       " in an earlier one: give inputs of one shape, or choose another layer");
    }
  };
  {
    const std::shared_lock lock(neurons_mutex_);
    const bool are_known = std::all_of(additions.begin(), additions.end(), [&](const LayerAddition& addition) {
      const auto known = neurons_.find(addition.call);
      if (known != neurons_.end()) {
        require_same(addition, known->second);
      }
      return known != neurons_.end();
    });
    if (are_known) {
      return;
    }
  }
  const std::unique_lock lock(neurons_mutex_);
  std::map<LayerCall, std::size_t> neurons = neurons_;
  for (const LayerAddition& addition : additions) {  // several batches may bring a new layer at once
    require_same(addition, neurons.emplace(addition.call, addition.neurons).first->second);
  }
  neurons_ = std::move(neurons);
}

std::shared_ptr<const support::ClusterRows> rows_of(const at::Tensor& clusters) {
  return std::make_shared<const support::ClusterRows>(
      std::span(clusters.const_data_ptr<std::int64_t>(), static_cast<std::size_t>(clusters.size(0))));
}

std::vector<LayerAddition> ScoreTable::additions(const std::vector<model::LayerBatch>& layers,
                                                 const std::shared_ptr<const support::ClusterRows>& rows) const {
  std::vector<LayerAddition> additions;
  additions.reserve(layers.size());
  for (const model::LayerBatch& layer : layers) {
    additions.emplace_back(methods_, layer, rows);
  }
  return additions;
}

std::vector<LayerAddition> ScoreTable::additions(const std::vector<model::LayerBatch>& layers,
                                                 const std::shared_ptr<const support::ClusterRows>& rows,
                                                 const std::vector<methods::DeviceMethods>& ready) const {
  std::vector<LayerAddition> additions;
  additions.reserve(layers.size());
  for (std::size_t i = 0; i < layers.size(); ++i) {
    additions.emplace_back(methods_, layers[i], rows, ready[i]);
  }
  return additions;
}

void ScoreTable::add(const std::vector<LayerAddition>& additions) {
  require_known_neurons(additions);
  const auto add_to = [&](Shard& shard) {
    for (const LayerAddition& addition : additions) {
      shard.cells.add(addition);
    }
  };
  for (const auto& shard : shards_) {
    if (const std::unique_lock lock(shard->mutex, std::try_to_lock); lock) {
      add_to(*shard);
      return;
    }
  }
  const std::lock_guard lock(shards_.front()->mutex);
  add_to(*shards_.front());
}

ScoreCells ScoreTable::merged() const {
  ScoreCells sums(methods_);
  for (const auto& shard : shards_) {
    const std::lock_guard lock(shard->mutex);
    sums.add(shard->cells);
  }
  return sums;
}

void ScoreTable::note(model::Classes classes) {
  model::Classes before = classes_.load(std::memory_order_relaxed);
  while (before < classes && !classes_.compare_exchange_weak(before, classes, std::memory_order_relaxed)) {
  }
}

std::vector<Score> ScoreTable::scores() const {
  std::vector<Score> scores = merged().scores(seed_);
  if (classes_.load(std::memory_order_relaxed) != model::Classes::first_of_two) {
    return scores;
  }
  for (Score& score : scores) {
    if (methods::row_of(score.method).looks_at_outputs()) {
      for (double& each : score.statistics.mean) {
        each = 0 - each;
      }
    }
  }
  return scores;
}

std::string ScoreTable::save() const {
  statistics::StateWriter writer(state_kind);
  writer.add(subject_.layers);
  writer.add(names_of(methods_));
  writer.add(subject_.options);
  writer.add(static_cast<std::uint8_t>(classes_.load(std::memory_order_relaxed)));
  merged().save(writer);
  return writer.finish();
}

ScoreTable::Saved ScoreTable::read(std::string_view state) const {
  statistics::StateReader reader(state, state_kind);
  reader.require("layer", subject_.layers);
  reader.require("method", names_of(methods_));
  reader.require("option", subject_.options);
  const model::Classes classes = model::read_classes(reader);
  ScoreCells cells = ScoreCells::restored(methods_, reader);
  reader.require_end();
  return {classes, std::move(cells)};
}

void ScoreTable::restore(std::string_view state) {
  auto [classes, cells] = read(state);
  classes_.store(classes, std::memory_order_relaxed);
  {
    const std::unique_lock lock(neurons_mutex_);
    neurons_ = cells.neurons();
  }
  for (const auto& shard : shards_) {
    const std::lock_guard lock(shard->mutex);
    shard->cells = std::exchange(cells, ScoreCells(methods_));
  }
}

void ScoreTable::merge(std::string_view state) {
  const Saved saved = read(state);
  const ScoreCells& cells = saved.cells;
  Shard& shard = *shards_.front();
  const std::lock_guard lock(shard.mutex);
  const std::unique_lock neurons_lock(neurons_mutex_);
  std::map<LayerCall, std::size_t> neurons = neurons_;
  for (const auto& [call, count] : cells.neurons()) {
    const std::size_t known = neurons.emplace(call, count).first->second;
    if (known != count) {
      throw ArgumentError("layer '" + statistics::to_string(cells.name_of(call), call.second) + "' has " +
                          std::to_string(count) + " neurons in the saved state and " + std::to_string(known) +
                          " here: merge what was computed of inputs of one shape");
    }
  }
  // Added to a copy, so that what runs out of memory on the way changes nothing.
  ScoreCells sums = shard.cells;
  sums.add(cells);
  shard.cells = std::move(sums);
  neurons_ = std::move(neurons);
  note(saved.classes);
}

}  // namespace pregrad::attribution
