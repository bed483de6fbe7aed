#include "attribution/score_table.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "pregrad/error.hpp"
#include "statistics/cluster_rows.hpp"
#include "statistics/layer_reference.hpp"
#include "statistics/state.hpp"

namespace pregrad::attribution {

namespace {

constexpr std::size_t shard_count = 16;
constexpr const char* state_kind = "pregrad attribution 3";

std::vector<Method> sorted(std::vector<Method> methods) {
  std::sort(methods.begin(), methods.end());
  methods.erase(std::unique(methods.begin(), methods.end()), methods.end());
  return methods;
}

}  // namespace

ScoreTable::ScoreTable(std::vector<Method> methods, std::uint64_t seed, std::string subject)
    : methods_(sorted(std::move(methods))), seed_(seed), subject_(std::move(subject)) {
  for (std::size_t i = 0; i < shard_count; ++i) {
    shards_.push_back(std::make_unique<Shard>(methods_));
  }
}

void ScoreTable::require_known_neurons(const std::vector<LayerAddition>& additions) {
  const auto has = [&](const LayerAddition& addition) {
    const auto known = neurons_.find(addition.call);
    if (known != neurons_.end() && known->second != addition.neurons) {
      throw InputError("layer '" + statistics::to_string(addition.name, addition.call.second) + "' has " +
                       std::to_string(addition.neurons) + " neurons in this batch and " +
                       std::to_string(known->second) +
                       " in an earlier one: give inputs of one shape, or choose another layer");
    }
    return known != neurons_.end();
  };
  {
    const std::shared_lock lock(neurons_mutex_);
    if (std::all_of(additions.begin(), additions.end(), has)) {
      return;
    }
  }
  const std::unique_lock lock(neurons_mutex_);
  std::for_each(additions.begin(), additions.end(), has);
  for (const LayerAddition& addition : additions) {
    neurons_.emplace(addition.call, addition.neurons);
  }
}

std::shared_ptr<const statistics::ClusterRows> rows_of(const at::Tensor& clusters) {
  return std::make_shared<const statistics::ClusterRows>(
      std::span(clusters.const_data_ptr<std::int64_t>(), static_cast<std::size_t>(clusters.size(0))));
}

std::vector<LayerAddition> ScoreTable::additions(const std::vector<LayerBatch>& layers,
                                                 const std::shared_ptr<const statistics::ClusterRows>& rows) const {
  std::vector<LayerAddition> additions;
  additions.reserve(layers.size());
  for (const LayerBatch& layer : layers) {
    additions.emplace_back(methods_, layer, rows);
  }
  return additions;
}

std::vector<LayerAddition> ScoreTable::additions(const std::vector<LayerBatch>& layers,
                                                 const std::shared_ptr<const statistics::ClusterRows>& rows,
                                                 const std::vector<DeviceMethods>& ready) const {
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

std::vector<Score> ScoreTable::scores() const { return merged().scores(seed_); }

std::string ScoreTable::save() const {
  statistics::StateWriter writer(state_kind);
  writer.add(subject_);
  writer.add(methods_);
  writer.add(seed_);
  merged().save(writer);
  return writer.finish();
}

void ScoreTable::restore(std::string_view state) {
  statistics::StateReader reader(state, state_kind);
  if (reader.text() != subject_ || reader.list<Method>() != methods_ || reader.get<std::uint64_t>() != seed_) {
    statistics::StateReader::refuse();
  }
  ScoreCells cells = ScoreCells::restored(methods_, reader);
  if (!reader.at_end()) {
    statistics::StateReader::refuse();
  }
  {
    const std::unique_lock lock(neurons_mutex_);
    neurons_ = cells.neurons();
  }
  for (const auto& shard : shards_) {
    const std::lock_guard lock(shard->mutex);
    shard->cells = std::exchange(cells, ScoreCells(methods_));
  }
}

}  // namespace pregrad::attribution
