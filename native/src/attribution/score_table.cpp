#include "attribution/score_table.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <span>
#include <utility>

#include "methods/catalog.hpp"
#include "pregrad/error.hpp"
#include "statistics/layer_reference.hpp"
#include "statistics/state.hpp"
#include "support/cluster_rows.hpp"
#include "support/machine_memory.hpp"

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

/// `[*, 8]`, the first axis being free; `none` where there are none.
std::string axes_text(const std::vector<std::int64_t>& axes) {
  std::string text;
  for (const std::int64_t size : axes) {
    text += text.empty() ? "[*" : ", " + std::to_string(size);
  }
  return text.empty() ? "none" : text + "]";
}

}  // namespace

ScoreTable::ScoreTable(const AttributionOptions& options, ScoreSubject subject)
    : methods_(sorted(options.methods)),
      position_methods_(with_positions(methods_)),
      positions_(options.positions),
      seed_(options.seed),
      memory_limit_(options.memory_limit),
      examples_(static_cast<std::size_t>(options.examples)),
      subject_(std::move(subject)) {
  subject_.options.push_back("seed " + std::to_string(seed_));
  if (examples_ > 0) {
    subject_.options.push_back("examples " + std::to_string(examples_));
  }
  for (std::size_t i = 0; i < (positions_ == Positions::each || examples_ > 0 ? 1 : shard_count); ++i) {
    shards_.push_back(std::make_unique<Shard>(ScoreCells(methods_, positions_, examples_)));
  }
}

void ScoreTable::require_known_forms(const std::vector<LayerAddition>& additions) {
  const auto require_same = [](const LayerAddition& addition, const LayerForm& known) {
    const auto layer_has = [&] {
      return "layer '" + statistics::to_string(addition.name, addition.call.second) + "' has ";
    };
    if (known.neurons != addition.neurons) {
      throw InputError(layer_has() + std::to_string(addition.neurons) + " neurons in this batch and " +
                       std::to_string(known.neurons) +
                       " in an earlier one: give inputs of one shape, or choose another layer");
    }
    if (addition.position == all_positions && known.position_axes != addition.position_axes) {
      throw InputError(layer_has() + "positions " + axes_text(addition.position_axes) + " in this batch and " +
                       axes_text(known.position_axes) +
                       " in an earlier one, where a number means another of them: give inputs that differ in the first "
                       "of these axes only, or take positions together");
    }
  };
  {
    const std::shared_lock lock(forms_mutex_);
    const bool are_known = std::all_of(additions.begin(), additions.end(), [&](const LayerAddition& addition) {
      const auto known = forms_.find(addition.call);
      if (known != forms_.end()) {
        require_same(addition, known->second);
      }
      return known != forms_.end();
    });
    if (are_known) {
      return;
    }
  }
  const std::unique_lock lock(forms_mutex_);
  std::map<LayerCall, LayerForm> forms = forms_;
  for (const LayerAddition& addition : additions) {  // several batches may bring a new layer at once
    require_same(addition,
                 forms.emplace(addition.call, LayerForm{addition.neurons, addition.position_axes}).first->second);
  }
  forms_ = std::move(forms);
}

void ScoreTable::require_room(std::uint64_t there, std::uint64_t bytes) const {
  const std::string_view way_out = positions_ == Positions::each
                                       ? "choose fewer layers, methods or clusters, or take positions together"
                                       : "choose fewer layers, methods or clusters";
  if (memory_limit_ > 0) {
    if (there + bytes > memory_limit_) {
      throw ArgumentError("the scores need " + std::to_string(there + bytes) +
                          " bytes of memory where the memory limit is " + std::to_string(memory_limit_) + ": " +
                          std::string(way_out) + ", or raise the limit");
    }
    return;
  }
  // The system is asked where it may matter: a batch that brings that much, or one by which all becomes that much more.
  constexpr std::uint64_t worth_a_look = std::uint64_t{1} << 26;
  if ((there + bytes) / worth_a_look == there / worth_a_look) {
    return;
  }
  const auto left = support::available_memory();
  if (left && bytes > *left / 2) {  // what is read of them is a copy
    throw ArgumentError("the scores need " + std::to_string(bytes) +
                        " bytes of memory more, and as many to be read, where the machine has " +
                        std::to_string(*left) + " left: " + std::string(way_out) +
                        ", or set a memory limit to go beyond");
  }
}

std::shared_ptr<const support::ClusterRows> rows_of(const at::Tensor& clusters) {
  return std::make_shared<const support::ClusterRows>(
      std::span(clusters.const_data_ptr<std::int64_t>(), static_cast<std::size_t>(clusters.size(0))));
}

std::vector<LayerAddition> ScoreTable::additions(const std::vector<model::LayerBatch>& layers,
                                                 const std::shared_ptr<const support::ClusterRows>& rows) const {
  std::vector<LayerAddition> additions;
  additions.reserve(layers.size());
  if (positions_ == Positions::each) {
    add_positions(additions, layers, rows);
    return additions;
  }
  const ExampleSearch examples = search(layers, *rows);
  for (const model::LayerBatch& layer : layers) {
    additions.emplace_back(methods_, layer, rows, examples);
  }
  return additions;
}

ExampleSearch ScoreTable::search(const std::vector<model::LayerBatch>& layers, const support::ClusterRows& rows) const {
  if (examples_ == 0) {
    return {};
  }
  const Shard& shard = *shards_.front();
  const std::lock_guard lock(shard.mutex);
  ExampleSearch search = shard.cells.search(layers, rows);
  search.restores = restores_;
  return search;
}

void ScoreTable::add_positions(std::vector<LayerAddition>& additions, const std::vector<model::LayerBatch>& layers,
                               const std::shared_ptr<const support::ClusterRows>& rows) const {
  std::vector<std::optional<model::LayerPositions>> cut(layers.size());
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (!model::position_sizes(layers[i]).empty()) {
      cut[i].emplace(layers[i], rows);
    }
  }
  {
    // Before what a batch comes to takes memory too.
    const Shard& shard = *shards_.front();
    const std::lock_guard lock(shard.mutex);
    std::set<std::pair<LayerCall, ScoreCells::Group>> added;
    std::uint64_t growth = 0;
    for (std::size_t i = 0; i < layers.size(); ++i) {
      const auto neurons = static_cast<std::size_t>(
          model::reduction_of(layers[i], static_cast<std::int64_t>(rows->samples())).neurons());
      const auto place = [&](std::int64_t position, const support::ClusterRows& some) {
        growth += shard.cells.growth({{layers[i].rank, layers[i].call}, neurons, position, some}, added);
      };
      place(all_positions, *rows);
      for (std::int64_t position = 0; cut[i] && position < cut[i]->size(); ++position) {
        if (cut[i]->rows(position)) {
          place(position, *cut[i]->rows(position));
        }
      }
    }
    require_room(bytes_.load(std::memory_order_relaxed), growth);
  }
  const ExampleSearch examples = search(layers, *rows);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    LayerAddition& together = additions.emplace_back(methods_, layers[i], rows, examples);
    together.position_axes = model::position_sizes(layers[i]);
    if (!cut[i]) {
      continue;
    }
    together.position_axes.front() = 0;
    for (std::int64_t position = 0; position < cut[i]->size(); ++position) {
      if (cut[i]->rows(position)) {
        additions.emplace_back(position_methods_, *cut[i], position);
      }
    }
    cut[i].reset();
  }
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

void ScoreTable::add_to(Shard& shard, const std::vector<LayerAddition>& additions, std::int64_t samples) {
  if (examples_ > 0 && std::ranges::any_of(additions, [&](const LayerAddition& addition) {
        return addition.position == all_positions && addition.restores != restores_;
      })) {
    return;  // a state has taken the place of all before meanwhile, of this batch as well
  }
  std::set<std::pair<LayerCall, ScoreCells::Group>> added;
  std::uint64_t growth = 0;
  for (const LayerAddition& addition : additions) {
    growth += shard.cells.growth({addition.call, addition.neurons, addition.position, *addition.rows}, added);
  }
  if (growth > 0) {
    require_room(bytes_.load(std::memory_order_relaxed), growth);
  }
  require_known_forms(additions);  // last, so that a batch that is refused decides nothing about later ones
  if (growth > 0) {
    bytes_.fetch_add(growth, std::memory_order_relaxed);
  }
  for (const LayerAddition& addition : additions) {
    shard.cells.add(addition);
  }
  shard.cells.count(samples);
}

void ScoreTable::add(const std::vector<LayerAddition>& additions, std::int64_t samples) {
  for (const auto& shard : shards_) {
    if (const std::unique_lock lock(shard->mutex, std::try_to_lock); lock) {
      add_to(*shard, additions, samples);
      return;
    }
  }
  const std::lock_guard lock(shards_.front()->mutex);
  add_to(*shards_.front(), additions, samples);
}

template <typename Body>
auto ScoreTable::with_merged(const Body& body) const {
  if (shards_.size() == 1) {
    const std::lock_guard lock(shards_.front()->mutex);
    return body(shards_.front()->cells);
  }
  ScoreCells sums(methods_, positions_);
  for (const auto& shard : shards_) {
    const std::lock_guard lock(shard->mutex);
    sums.add(shard->cells);
  }
  return body(std::as_const(sums));
}

void ScoreTable::note(model::Classes classes) {
  model::Classes before = classes_.load(std::memory_order_relaxed);
  while (before < classes && !classes_.compare_exchange_weak(before, classes, std::memory_order_relaxed)) {
  }
}

std::vector<Score> ScoreTable::scores() const {
  std::vector<Score> scores = with_merged([&](const ScoreCells& cells) { return cells.scores(seed_); });
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

std::vector<Example> ScoreTable::examples() const {
  if (examples_ == 0) {
    return {};
  }
  if (classes_.load(std::memory_order_relaxed) == model::Classes::first_of_two && methods::look_at_outputs(methods_)) {
    throw ArgumentError(
        "the model has one output and no label so far is 1, so that it is open whether samples for the output or "
        "against "
        "it are the examples: name the output by target 0, or give labels of both classes");
  }
  return with_merged([](const ScoreCells& cells) { return cells.examples(); });
}

std::vector<double> ScoreTable::mean_activations(const LayerCall& call) const {
  statistics::DoubleDoubles sums(0);
  std::int64_t count = 0;
  for (const auto& shard : shards_) {
    const std::lock_guard lock(shard->mutex);
    auto [some, samples] = shard->cells.activation_sums(call);
    if (samples > 0 && count > 0) {
      sums.add(some);
    } else if (samples > 0) {
      sums = std::move(some);
    }
    count += samples;
  }
  std::vector<double> means(sums.size());
  for (std::size_t j = 0; j < means.size(); ++j) {
    means[j] = sums[j].divided_by(static_cast<double>(count)).value();
  }
  return means;
}

std::string ScoreTable::save() const {
  statistics::StateWriter writer(state_kind);
  writer.add(subject_.layers);
  writer.add(names_of(methods_));
  writer.add(subject_.options);
  writer.add(static_cast<std::uint8_t>(classes_.load(std::memory_order_relaxed)));
  with_merged([&](const ScoreCells& cells) { cells.save(writer); });
  return writer.finish();
}

ScoreTable::Saved ScoreTable::read(std::string_view state) const {
  statistics::StateReader reader(state, state_kind);
  reader.require("layer", subject_.layers);
  reader.require("method", names_of(methods_));
  reader.require("option", subject_.options);
  const model::Classes classes = model::read_classes(reader);
  ScoreCells cells = ScoreCells::restored(methods_, positions_, examples_, reader);
  reader.require_end();
  return {classes, std::move(cells)};
}

void ScoreTable::restore(std::string_view state) {
  auto [classes, cells] = read(state);
  const std::uint64_t bytes = cells.bytes();
  require_room(0, bytes);
  classes_.store(classes, std::memory_order_relaxed);
  {
    const std::unique_lock lock(forms_mutex_);
    forms_ = cells.forms();
  }
  for (const auto& shard : shards_) {
    const std::lock_guard lock(shard->mutex);
    shard->cells = std::exchange(cells, ScoreCells(methods_, positions_, examples_));
    restores_ += examples_ > 0 ? 1 : 0;
  }
  bytes_.store(bytes, std::memory_order_relaxed);
}

void ScoreTable::merge(std::string_view state) {
  const Saved saved = read(state);
  const ScoreCells& cells = saved.cells;
  Shard& shard = *shards_.front();
  const std::lock_guard lock(shard.mutex);
  const std::unique_lock forms_lock(forms_mutex_);
  std::map<LayerCall, LayerForm> forms = forms_;
  for (const auto& [call, form] : cells.forms()) {
    const LayerForm& known = forms.emplace(call, form).first->second;
    const std::string layer = "layer '" + statistics::to_string(cells.name_of(call), call.second) + "' has ";
    if (known.neurons != form.neurons) {
      throw ArgumentError(layer + std::to_string(form.neurons) + " neurons in the saved state and " +
                          std::to_string(known.neurons) + " here: merge what was computed of inputs of one shape");
    }
    if (known != form) {
      throw ArgumentError(layer + "positions " + axes_text(form.position_axes) + " in the saved state and " +
                          axes_text(known.position_axes) +
                          " here: merge what was computed of inputs that differ in the first of these axes only");
    }
  }
  // Added to a copy, so that what runs out of memory on the way changes nothing.
  ScoreCells sums = shard.cells;
  sums.add(cells);
  const std::uint64_t growth = sums.bytes() - shard.cells.bytes();
  require_room(bytes_.load(std::memory_order_relaxed), growth);
  bytes_.fetch_add(growth, std::memory_order_relaxed);
  shard.cells = std::move(sums);
  forms_ = std::move(forms);
  note(saved.classes);
}

}  // namespace pregrad::attribution
