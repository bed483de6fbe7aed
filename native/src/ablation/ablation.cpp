#include <algorithm>
#include <cstdint>
#include <map>
#include <vector>

#include <ATen/Functions.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>

#include "ablation/ablation_implementation.hpp"
#include "ablation/curve_sums.hpp"
#include "attribution/option_texts.hpp"
#include "methods/layer_rerun.hpp"
#include "methods/removal.hpp"
#include "model/batch.hpp"
#include "model/differentiation.hpp"
#include "pregrad/ablation.hpp"
#include "pregrad/error.hpp"
#include "pregrad/options.hpp"
#include "statistics/layer_reference.hpp"
#include "support/failures.hpp"
#include "support/own_state.hpp"
#include "support/running_call.hpp"
#include "support/tensors.hpp"

namespace pregrad::ablation {

at::Tensor RowLabels::pooled(const model::OutputRows& outputs) const {
  if (outputs.positions == 1 || counted.defined()) {
    return outputs.values;
  }
  const std::int64_t samples = outputs.values.size(0) / outputs.positions;
  return outputs.values.to(at::kDouble)
      .reshape({samples, outputs.positions, -1})
      .mul(weights.reshape({samples, outputs.positions, 1}))
      .sum(1);
}

at::Tensor RowLabels::per_sample(const at::Tensor& of_rows) const {
  const at::Tensor values = of_rows.to(at::kDouble);
  return counted.defined() ? values.mul(counted.reshape({-1})).reshape({-1, counted.size(1)}).sum(1) : values;
}

RowLabels RowLabels::copies(std::int64_t count) const {
  return {support::copies_of(labels, count), support::copies_of(counted, count), support::copies_of(weights, count)};
}

namespace {

/// What a run with neurons removed shows of each sample of all copies of a batch.
class OutputReadings {
 public:
  /// @param labels of the rows; undefined for outputs that have no accuracy
  OutputReadings(const model::OutputRows& outputs, const model::Targets& targets, const RowLabels& labels,
                 Output output);

  /// Adds one copy of a batch to a point of the curve of `cluster`.
  /// @param first_row where the copy begins
  /// @param clusters  int64 [N] on the CPU
  void add_to(CurveSums::Point& point, std::int64_t first_row, const at::Tensor& clusters, std::int64_t cluster) const;

  /// Adds the heights of a copy's samples, which count `weight` in their areas.
  void add_to(std::vector<double>& right, std::vector<double>& output, std::int64_t first_row, double weight) const;

 private:
  std::vector<double> y_;
  std::vector<double> right_;  ///< how many of the sample's labels are right
  std::vector<double> cross_entropy_;
};

using methods::values_of;

OutputReadings::OutputReadings(const model::OutputRows& outputs, const model::Targets& targets, const RowLabels& labels,
                               Output output)
    : y_(values_of(model::selected_outputs(outputs, targets, output))),
      right_(y_.size(), 0),
      cross_entropy_(y_.size(), 0) {
  if (!labels.labels.defined()) {
    return;
  }
  const at::Tensor values = labels.pooled(outputs);
  const at::Tensor at_labels = labels.labels.unsqueeze(1);
  const at::Tensor is_right = outputs.is_sigmoid && !outputs.is_binary ? values.gather(1, at_labels).squeeze(1).gt(0)
                                                                       : values.argmax(1).eq(labels.labels);
  const at::Tensor wide = values.to(at::kDouble);
  const at::Tensor entropies =
      (outputs.is_sigmoid ? at::log_sigmoid(wide) : at::log_softmax(wide, 1)).gather(1, at_labels).squeeze(1).neg();
  right_ = values_of(labels.per_sample(is_right));
  cross_entropy_ = values_of(labels.per_sample(entropies));
}

void OutputReadings::add_to(CurveSums::Point& point, std::int64_t first_row, const at::Tensor& clusters,
                            std::int64_t cluster) const {
  const auto* cluster_of = clusters.const_data_ptr<std::int64_t>();
  double output_sum = 0;
  double entropy_sum = 0;
  for (std::int64_t sample = 0; sample < clusters.size(0); ++sample) {
    const auto row = static_cast<std::size_t>(first_row + sample);
    const auto right = static_cast<std::int64_t>(right_[row]);
    if (cluster_of[sample] != cluster) {
      point.outside_correct += right;
      continue;
    }
    point.correct += right;
    output_sum += y_[row];
    entropy_sum += cross_entropy_[row];
  }
  point.output.add(output_sum);
  point.cross_entropy.add(entropy_sum);
}

void OutputReadings::add_to(std::vector<double>& right, std::vector<double>& output, std::int64_t first_row,
                            double weight) const {
  for (std::size_t sample = 0; sample < right.size(); ++sample) {
    const std::size_t row = static_cast<std::size_t>(first_row) + sample;
    right[sample] += weight * right_[row];
    output[sample] += weight * y_[row];
  }
}

}  // namespace

}  // namespace pregrad::ablation

namespace pregrad {

using ablation::CurveSums;
using methods::LayerRerun;
using methods::values_of;

namespace {

std::string shown(const RemovalOrder& order) {
  return "the removal order of layer '" + statistics::to_string(order.layer, order.call) + "', cluster " +
         std::to_string(order.cluster);
}

void require_permutation(const RemovalOrder& order) {
  const auto neurons = static_cast<std::int64_t>(order.neurons.size());
  if (neurons == 0) {
    throw ArgumentError(shown(order) + " has no neurons: name every neuron once");
  }
  std::vector<bool> seen(order.neurons.size(), false);
  for (const std::int64_t neuron : order.neurons) {
    if (neuron < 0 || neuron >= neurons || seen[static_cast<std::size_t>(neuron)]) {
      throw ArgumentError(shown(order) + " has " + std::to_string(neurons) + " neurons, and among them neuron " +
                          std::to_string(neuron) + " twice or out of range: name every neuron once, from 0 to " +
                          std::to_string(neurons - 1));
    }
    seen[static_cast<std::size_t>(neuron)] = true;
  }
}

constexpr const char* state_kind = "pregrad ablation 4";

}  // namespace

Ablation::Implementation::Implementation(std::shared_ptr<const Model::Implementation> model,
                                         const AblationOptions& options)
    : model_(std::move(model)),
      reading_(std::make_shared<const model::OutputReading>(model_.get(), options.target, options.reading)),
      options_(options) {
  // A number that is no constant would stand for the first of them.
  static_cast<void>(name_of(options.output));
  static_cast<void>(name_of(options.removal));
  if (options.orders.empty()) {
    throw ArgumentError("there is no removal order: give at least one, as removal_orders makes them of scores");
  }
  if (options.removal == Removal::mean && options.means.empty()) {
    throw ArgumentError(
        "there are no mean activations for a removal by the mean: give those of scores with the method activation");
  }
  for (std::size_t i = 0; i < options_.orders.size(); ++i) {
    const RemovalOrder& order = options_.orders[i];
    require_permutation(order);
    counts_.push_back(ablation::removed_counts(static_cast<std::int64_t>(order.neurons.size())));
    sums_.emplace_back(counts_.back().size());
    auto layer = std::find_if(layers_.begin(), layers_.end(), [&](const LayerOrders& each) {
      return each.layer == order.layer && each.call == order.call;
    });
    if (layer == layers_.end()) {
      layer = layers_.insert(layer, {order.layer,
                                     order.call,
                                     std::make_unique<const LayerRerun>(model_, reading_, order.layer, order.call,
                                                                        methods::stage_of(options.removal), false),
                                     {}});
    }
    layer->orders.push_back(i);
  }
}

void Ablation::Implementation::add(const Inputs& inputs, const at::Tensor& labels, const at::Tensor& clusters) {
  const at::NoGradGuard no_gradients;
  const model::Batch batch =
      model::checked_batch(*model_, *reading_, inputs, labels, clusters, /*takes_several=*/false);
  // The sums take all parts at once, so that a batch of which one fails adds nothing.
  std::vector<Measured> all;
  const std::int64_t splits =
      model::in_parts(device(), batch, [&](const model::Batch& part) { all.push_back(measured(part)); });

  support::RunningCall::go_on();
  const std::lock_guard lock(mutex_);
  splits_ += splits;
  for (const Measured& each : all) {
    is_classifier_ = each.is_classifier;
    classes_ = std::max(classes_, each.classes);
    const auto* cluster = each.clusters.const_data_ptr<std::int64_t>();
    const std::int64_t count = each.clusters.size(0);
    for (std::size_t i = 0; i < each.points.size(); ++i) {
      const std::int64_t wanted = options_.orders[i].cluster;
      const auto inside = std::count(cluster, cluster + count, wanted);
      std::int64_t labels_inside = 0;
      std::int64_t labels_outside = 0;
      CurveSums::Areas areas;
      for (std::int64_t sample = 0; sample < count; ++sample) {
        const std::int64_t of_sample = each.labels.empty() ? 1 : each.labels[static_cast<std::size_t>(sample)];
        if (cluster[sample] != wanted) {
          labels_outside += of_sample;
          continue;
        }
        labels_inside += of_sample;
        const auto place = static_cast<std::size_t>(sample);
        areas.accuracy.add(each.areas[i].right[place], static_cast<double>(of_sample));
        areas.output.add(each.areas[i].output[place], 1);
      }
      sums_[i].add({inside, count - inside, labels_inside, labels_outside}, each.points[i], areas);
    }
  }
}

ablation::RowLabels Ablation::Implementation::row_labels(const model::OutputRows& outputs,
                                                         const model::Batch& part) const {
  if (!part.labels.defined() || reading_->target().kind() == Target::Kind::weights) {
    return {};
  }
  const model::OutputReading by_label(nullptr, Target::label(), options_.reading);
  by_label.require_targets(outputs.outputs(), part.labels);
  ablation::RowLabels result;
  const at::Tensor labels = support::uploaded(part.labels, outputs.values.device());
  if (part.has_position_labels) {
    result.labels = labels.reshape({-1}).clamp_min(0);
    result.counted = reading_->row_weights(outputs, part).reshape({part.samples(), -1});
  } else {
    result.labels = labels;
    if (outputs.positions > 1) {
      const at::Tensor weights = reading_->row_weights(outputs, part).reshape({part.samples(), -1});
      result.weights = weights / weights.sum(1, /*keepdim=*/true).clamp_min(1e-30);
    }
  }
  return result;
}

Ablation::Implementation::Measured Ablation::Implementation::measured(const model::Batch& part) const {
  model::if_two_fit(part, [&] {
    model_->require_independent_samples(part.inputs, reading_->output_name());
    require_layers(part.inputs);
  });
  const model::OutputRows outputs = reading_->rows(model_->returned(part.inputs), part.samples(), part.mask);
  model::require_finite_outputs(outputs);
  Measured result;
  result.is_classifier = outputs.outputs() > 1;
  result.clusters = part.clusters;
  if (result.is_classifier && !part.labels.defined()) {
    throw InputError("there are no labels, without which there is no accuracy: give one per sample");
  }
  const ablation::RowLabels labels = result.is_classifier ? row_labels(outputs, part) : ablation::RowLabels();
  if (labels.counted.defined()) {
    for (const double count : values_of(labels.counted.sum(1))) {
      result.labels.push_back(static_cast<std::int64_t>(count));
    }
  }
  result.is_classifier = labels.labels.defined();
  result.classes = outputs.is_binary ? model::classes_of_two(part) : model::Classes::any;
  model::Batch batch = part;
  batch.targets = reading_->targets(outputs, part);

  result.points.resize(options_.orders.size());
  for (std::size_t i = 0; i < result.points.size(); ++i) {
    result.points[i].resize(counts_[i].size());
  }
  const std::vector<double> zeros(static_cast<std::size_t>(part.samples()), 0);
  result.areas.assign(options_.orders.size(), {zeros, zeros});
  for (const LayerOrders& layer : layers_) {
    measure(layer, batch, labels, result);
  }
  return result;
}

void Ablation::Implementation::require_layers(const Inputs& inputs) const {
  if (has_layers_.load(std::memory_order_relaxed)) {
    return;
  }
  std::vector<std::string> names;
  for (const LayerOrders& layer : layers_) {
    names.push_back(statistics::to_string(layer.layer, layer.call));
  }
  const model::LayerSelection selection = model::select_layers(model_->model().sites(), names);
  model_->require_arrangements(selection, inputs);
  has_layers_.store(true, std::memory_order_relaxed);
}

void Ablation::Implementation::measure(const LayerOrders& layer, const model::Batch& batch,
                                       const ablation::RowLabels& labels, Measured& result) const {
  const std::int64_t samples = batch.samples();
  std::vector<Task> tasks;
  std::map<std::size_t, std::vector<double>> weights;  // by order
  for (std::size_t place = 0; place < layer.orders.size(); ++place) {
    const std::size_t order = layer.orders[place];
    weights.emplace(order, ablation::trapezoid_weights(counts_[order]));
    for (std::size_t point = 0; point < counts_[order].size(); ++point) {
      tasks.push_back({static_cast<std::int64_t>(place), order, point});
    }
  }
  std::int64_t neurons = 0;
  std::int64_t elements = 0;
  LayerRerun::Start start = layer.rerun->start(batch);
  layer.rerun->run(start, [&](const at::Tensor& value, std::int64_t axis) {
    neurons = value.dim() == 1 ? 1 : value.size(axis);
    elements = value.numel() / samples;
    return at::Tensor();
  });
  require_neurons(layer, neurons);
  const std::int64_t worthwhile = methods::worthwhile_copies(batch, elements, static_cast<std::int64_t>(tasks.size()));
  if (worthwhile > 1) {
    start = layer.rerun->start(batch, worthwhile);
  }
  const std::int64_t copies = start.copies;
  const model::Targets targets = batch.targets.copies(copies);
  const ablation::RowLabels repeated_labels = labels.copies(copies);
  const at::Tensor constants_of_orders = constants_of(layer, neurons);

  for (std::size_t first = 0; first < tasks.size(); first += static_cast<std::size_t>(copies)) {
    const auto last = std::min(tasks.size(), first + static_cast<std::size_t>(copies));
    std::vector<Task> now(tasks.begin() + static_cast<std::ptrdiff_t>(first),
                          tasks.begin() + static_cast<std::ptrdiff_t>(last));
    now.resize(static_cast<std::size_t>(copies), now.back());
    const at::Tensor masks = masks_of(now, neurons);
    const at::Tensor constants =
        constants_of_orders.defined() ? constants_of_orders.index_select(0, places_of(now)) : at::Tensor();
    const LayerRerun::Result rerun = layer.rerun->run(start, [&](const at::Tensor& value, std::int64_t axis) {
      return methods::removed(value, axis, masks, constants, start.mask);
    });
    const ablation::OutputReadings readings(rerun.outputs, targets, repeated_labels, options_.output);
    for (std::size_t i = first; i < last; ++i) {
      const auto [place, order, point] = tasks[i];
      const auto first_row = static_cast<std::int64_t>(i - first) * samples;
      readings.add_to(result.points[order][point], first_row, batch.clusters, options_.orders[order].cluster);
      readings.add_to(result.areas[order].right, result.areas[order].output, first_row, weights.at(order)[point]);
    }
  }
}

at::Tensor Ablation::Implementation::places_of(const std::vector<Task>& tasks) {
  at::Tensor places = at::empty({static_cast<std::int64_t>(tasks.size())}, at::kLong);
  std::transform(tasks.begin(), tasks.end(), places.mutable_data_ptr<std::int64_t>(),
                 [](const Task& task) { return task.place; });
  return places;
}

at::Tensor Ablation::Implementation::masks_of(const std::vector<Task>& tasks, std::int64_t neurons) const {
  at::Tensor masks = at::zeros({static_cast<std::int64_t>(tasks.size()), neurons}, at::kBool);
  auto* mask = masks.mutable_data_ptr<bool>();
  for (const Task& task : tasks) {
    const RemovalOrder& order = options_.orders[task.order];
    const auto count = static_cast<std::size_t>(counts_[task.order][task.point]);
    const std::size_t first = order.keep ? order.neurons.size() - count : 0;
    for (std::size_t i = first; i < first + count; ++i) {
      mask[order.neurons[i]] = true;
    }
    mask += neurons;
  }
  return masks;
}

at::Tensor Ablation::Implementation::constants_of(const LayerOrders& layer, std::int64_t neurons) const {
  if (options_.removal != Removal::mean) {
    return {};
  }
  std::vector<at::Tensor> rows;
  rows.reserve(layer.orders.size());
  for (const std::size_t order : layer.orders) {
    const at::Tensor cluster = at::full({1}, options_.orders[order].cluster, at::kLong);
    rows.push_back(
        methods::constants_of(options_.means, layer.layer, layer.call, cluster, neurons, "mean activations"));
  }
  return at::cat(rows);
}

void Ablation::Implementation::require_neurons(const LayerOrders& layer, std::int64_t neurons) const {
  for (const std::size_t order : layer.orders) {
    const auto named = static_cast<std::int64_t>(options_.orders[order].neurons.size());
    if (named != neurons) {
      throw ArgumentError(shown(options_.orders[order]) + " has " + std::to_string(named) + " neurons, the layer has " +
                          std::to_string(neurons) + ": name every neuron once");
    }
  }
}

std::vector<RemovalCurve> Ablation::Implementation::curves() const {
  const std::lock_guard lock(mutex_);
  std::vector<RemovalCurve> curves;
  curves.reserve(sums_.size());
  for (std::size_t i = 0; i < sums_.size(); ++i) {
    const bool is_of_one_output = classes_ == model::Classes::first_of_two && options_.output == Output::logit;
    curves.push_back(sums_[i].curve(options_.orders[i], is_classifier_ && !is_of_one_output));
    for (double& each : curves.back().mean_output) {
      each = is_of_one_output ? 0 - each : each;
    }
  }
  return curves;
}

std::int64_t Ablation::Implementation::batches_split() const {
  const std::lock_guard lock(mutex_);
  return splits_;
}

std::vector<std::string> Ablation::Implementation::order_texts() const {
  std::vector<std::string> texts;
  texts.reserve(options_.orders.size());
  for (const RemovalOrder& order : options_.orders) {
    const std::string_view neurons(reinterpret_cast<const char*>(order.neurons.data()),
                                   order.neurons.size() * sizeof(std::int64_t));
    texts.push_back(statistics::to_string(order.layer, order.call) + ", cluster " + std::to_string(order.cluster) +
                    (order.keep ? ", kept neurons " : ", neurons ") + statistics::digest(neurons));
  }
  return texts;
}

std::vector<std::string> Ablation::Implementation::option_texts() const {
  std::vector<std::string> texts = attribution::option_texts(options_.target, options_.output, options_.reading);
  if (!options_.reading.mask.empty()) {
    texts.push_back("mask " + options_.reading.mask);
  }
  texts.push_back("removal " + std::string(name_of(options_.removal)));
  if (options_.removal == Removal::mean) {
    texts.push_back(attribution::option_text("means", options_.means));
  }
  return texts;
}

std::string Ablation::Implementation::save() const {
  const std::lock_guard lock(mutex_);
  statistics::StateWriter writer(state_kind);
  writer.add(order_texts());
  writer.add(option_texts());
  writer.add(static_cast<std::uint8_t>(is_classifier_));
  writer.add(static_cast<std::uint8_t>(classes_));
  for (const CurveSums& sums : sums_) {
    sums.save(writer);
  }
  return writer.finish();
}

Ablation::Implementation::Saved Ablation::Implementation::read(std::string_view state) const {
  statistics::StateReader reader(state, state_kind);
  reader.require("order", order_texts());
  reader.require("option", option_texts());
  Saved saved;
  saved.is_classifier = reader.get<std::uint8_t>() != 0;
  saved.classes = model::read_classes(reader);
  saved.sums.reserve(counts_.size());
  for (const std::vector<std::int64_t>& counts : counts_) {
    saved.sums.emplace_back(counts.size()).restore(reader);
  }
  reader.require_end();
  return saved;
}

void Ablation::Implementation::restore(std::string_view state) {
  Saved saved = read(state);
  const std::lock_guard lock(mutex_);
  sums_ = std::move(saved.sums);
  is_classifier_ = saved.is_classifier;
  classes_ = saved.classes;
}

void Ablation::Implementation::merge(std::string_view state) {
  const Saved saved = read(state);
  const std::lock_guard lock(mutex_);
  // Every order has seen every sample.
  if (saved.sums.front().samples() == 0) {
    return;
  }
  if (sums_.front().samples() > 0 && is_classifier_ != saved.is_classifier) {
    throw ArgumentError(
        std::string("the saved state is that of a model of ") +
        (saved.is_classifier ? "several outputs, and this one has one" : "one output, and this one has several") +
        ": merge what was measured of one model");
  }
  for (std::size_t i = 0; i < sums_.size(); ++i) {
    sums_[i].add(saved.sums[i]);
  }
  is_classifier_ = saved.is_classifier;
  classes_ = std::max(classes_, saved.classes);
}

Ablation::Ablation(std::shared_ptr<Implementation> implementation) : implementation_(std::move(implementation)) {}

void Ablation::add(const at::Tensor& inputs, const at::Tensor& labels, const at::Tensor& clusters) {
  add(Inputs(inputs), labels, clusters);
}

void Ablation::add(const Inputs& inputs, const at::Tensor& labels, const at::Tensor& clusters) {
  const support::OwnState own_state;
  const support::RunningCall call(implementation_->limits());
  support::on_device(implementation_->device(), [&] {
    implementation_->add(support::detached(support::without_inference(inputs)), support::without_inference(labels),
                         support::without_inference(clusters));
  });
}

std::int64_t Ablation::batches_split() const { return implementation_->batches_split(); }

std::vector<RemovalCurve> Ablation::curves() const { return implementation_->curves(); }

std::string Ablation::save() const { return implementation_->save(); }

void Ablation::restore(std::string_view state) { implementation_->restore(state); }

void Ablation::merge(std::string_view state) { implementation_->merge(state); }

}  // namespace pregrad
