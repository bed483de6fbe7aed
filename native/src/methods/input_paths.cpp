#include "methods/input_paths.hpp"

#include "methods/catalog.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include <ATen/Functions.h>
#include <ATen/core/grad_mode.h>

#include "cuda/device.hpp"
#include "graph/neuron_axis.hpp"
#include "methods/layer_rerun.hpp"
#include "model/batch.hpp"
#include "model/differentiation.hpp"
#include "model/layer_selection.hpp"
#include "pregrad/error.hpp"
#include "statistics/layer_reference.hpp"
#include "statistics/sample_values.hpp"
#include "support/tensors.hpp"

namespace pregrad::methods {

namespace {

model::LayerNeeds path_needs(const AttributionOptions& options) {
  model::LayerNeeds needs;
  (options.of_z ? needs.z : needs.a) = {true, true};
  return needs;
}

/// Conductance goes from one end of the path to the other.
QuadratureRule rule_for(const AttributionOptions& options) {
  QuadratureRule rule = quadrature_rule(options.quadrature, options.steps);
  return wants(options.methods, Method::conductance) ? with_ends(std::move(rule)) : rule;
}

/// Whether an input's name says that its numbers are places or kinds of what stands there, which a path does not move
/// unless it is asked to.
bool tells_places_or_kinds(const std::string& input) {
  const std::string last = input.substr(input.rfind('.') + 1);
  return last == "position_ids" || last == "token_type_ids" || last == "segment_ids";
}

/// The points baseline + way · alpha of a path, one block of samples after the other.
at::Tensor points_between(const at::Tensor& baseline, const at::Tensor& way, const std::vector<double>& alphas) {
  if constexpr (cuda::is_built) {
    if (cuda::takes(way)) {
      return cuda::device_path(baseline, way, alphas, way.scalar_type());
    }
  }
  std::vector<at::Tensor> points;
  points.reserve(alphas.size());
  for (const double alpha : alphas) {
    points.push_back(baseline + way * alpha);
  }
  return at::cat(points);
}

}  // namespace

struct InputPaths::Sums {
  at::Tensor conductance;  ///< per element of the layer's tensor
  at::Tensor influence;    ///< likewise
  at::Tensor last_value;
  at::Tensor last_gradient;

  /// Goes on by one point of the path; all tensors are float64 [N, ...].
  void add(const at::Tensor& value, const at::Tensor& gradient, double weight) {
    if (!conductance.defined()) {
      conductance = at::zeros_like(value);
      influence = at::zeros_like(value);
    } else {
      conductance += (gradient + last_gradient) * (value - last_value) / 2;
    }
    influence += gradient * weight;
    last_value = value;
    last_gradient = gradient;
  }
};

InputPaths::InputPaths(std::shared_ptr<const Model::Implementation> model,
                       std::shared_ptr<const model::OutputReading> reading, const model::LayerSelection& selection,
                       const AttributionOptions& options)
    : model_(std::move(model)),
      reading_(std::move(reading)),
      selection_(selection),
      options_(options),
      rule_(rule_for(options)) {
  for (const NamedTensor& each : options_.input_baselines) {
    if (model_->model().arguments().of(each.name) == nullptr && each.name != reading_->mask_name()) {
      throw ArgumentError("there is an input baseline '" + each.name +
                          "', and the model has no such input: name it as the input is named, or leave it out");
    }
  }
  find_embeddings();
  if (!embedded_.sites.empty()) {
    ends_graph_.emplace(model_->model().tapped(model::taps_of(embedded_, {{true, false}, {}})));
  }
  graph_.emplace(model_->model().tapped(path_taps()));
}

void InputPaths::find_embeddings() {
  const graph::ForwardArgument* const unnamed = model_->model().arguments().of("");
  for (const auto& [input, sites] : model_->model().sites().embeddings) {
    const bool is_given = (options_.input_baseline.defined() && unnamed != nullptr && unnamed->name == input) ||
                          std::any_of(options_.input_baselines.begin(), options_.input_baselines.end(),
                                      [&name = input](const NamedTensor& each) { return each.name == name; });
    if (input == reading_->mask_name() || (!is_given && tells_places_or_kinds(input))) {
      continue;
    }
    for (const graph::LayerSite& site : sites) {
      embedded_.sites.push_back({&site, 0, {}, true});
      embedded_inputs_.push_back(input);
      moved_sites_.push_back(site);
      moved_sites_.back().name = "path of " + site.name;  // calls of the layer itself are counted apart
    }
  }
}

std::vector<graph::Tap> InputPaths::path_taps() const {
  std::vector<graph::Tap> taps;
  for (const graph::LayerSite& site : moved_sites_) {
    graph::Tap tap;
    tap.site = &site;
    tap.edits_z = true;
    taps.push_back(tap);
  }
  // Behind the others, so that a layer that is an embedding's output sees what was made of it.
  const std::vector<graph::Tap> of_layers = model::taps_of(selection_, path_needs(options_));
  taps.insert(taps.end(), of_layers.begin(), of_layers.end());
  return taps;
}

std::string InputPaths::name_of(const NamedTensor& input) const {
  const graph::ForwardArgument* const argument = input.name.empty() ? model_->model().arguments().of("") : nullptr;
  return argument == nullptr ? input.name : argument->name;
}

at::Tensor InputPaths::given_for(const NamedTensor& input, bool is_only) const {
  const std::string name = name_of(input);
  const graph::ForwardArgument* const unnamed = model_->model().arguments().of("");
  at::Tensor given;
  if (is_only || (unnamed != nullptr && unnamed->name == name)) {
    given = options_.input_baseline;
  } else if (options_.input_baseline.defined() && unnamed == nullptr) {
    throw InputError("there is an input baseline without a name, and the model takes several inputs: name it");
  }
  for (const NamedTensor& each : options_.input_baselines) {
    given = each.name == name ? each.tensor : given;
  }
  if (!given.defined()) {
    return given;
  }
  const at::Tensor& values = input.tensor;
  const at::Tensor baseline = given.dim() == values.dim() ? given : given.unsqueeze(0);
  if (baseline.dim() != values.dim() || baseline.size(0) != 1 || baseline.sizes().slice(1) != values.sizes().slice(1)) {
    throw InputError("the input baseline " + (input.name.empty() ? "" : "'" + input.name + "' ") + "has shape " +
                     support::shape_text(given.sizes()) + " for inputs " + support::shape_text(values.sizes()) +
                     ": give one sample");
  }
  if (at::isFloatingType(baseline.scalar_type()) && !at::isFloatingType(values.scalar_type())) {
    throw InputError("the input baseline " + (input.name.empty() ? "" : "'" + input.name + "' ") + "has type " +
                     c10::toString(baseline.scalar_type()) + " for inputs of type " +
                     c10::toString(values.scalar_type()) + ": give whole numbers, those whose embeddings it starts at");
  }
  return baseline.detach().to(values.options());
}

at::Tensor InputPaths::baseline_for(const NamedTensor& input, bool is_only) const {
  const std::string name = name_of(input);
  if (!name.empty() && name == reading_->mask_name()) {
    return {};
  }
  const at::Tensor given = given_for(input, is_only);
  if (at::isFloatingType(input.tensor.scalar_type())) {
    return given.defined() ? given : at::zeros_like(input.tensor.slice(0, 0, 1));
  }
  if (given.defined() && std::find(embedded_inputs_.begin(), embedded_inputs_.end(), name) == embedded_inputs_.end()) {
    throw InputError("there is an input baseline for '" + name + "', whose values are of type " +
                     c10::toString(input.tensor.scalar_type()) +
                     " and enter no embedding, so that there is no path between them: leave that baseline out");
  }
  return {};
}

std::optional<Inputs> InputPaths::at_baseline(const Inputs& inputs) const {
  bool is_changed = false;
  std::vector<NamedTensor> changed;
  for (const NamedTensor& each : inputs) {
    changed.push_back(each);
    const std::string name = name_of(each);
    const bool is_embedded =
        !each.is_shared && !at::isFloatingType(each.tensor.scalar_type()) &&
        std::find(embedded_inputs_.begin(), embedded_inputs_.end(), name) != embedded_inputs_.end();
    const at::Tensor given = is_embedded ? given_for(each, inputs.size() == 1) : at::Tensor();
    if (given.defined()) {
      changed.back().tensor = given.expand_as(each.tensor).contiguous();
      is_changed = true;
    }
  }
  if (!is_changed) {
    return std::nullopt;
  }
  return inputs.size() == 1 && changed.front().name.empty() ? Inputs(changed.front().tensor)
                                                            : Inputs::of(std::move(changed));
}

InputPaths::Way InputPaths::way_between(const graph::Execution& end, const graph::Execution* start,
                                        std::int64_t samples, const at::Tensor& mask) const {
  const graph::LayerSite& site = *embedded_.sites[end.site].site;
  Way way;
  way.arrangement = model_->arrangement_of(site.name, site.call.value_or(end.call));
  const auto arranged = [&](const at::Tensor& tensor) {
    const at::Tensor found = way.arrangement ? way.arrangement->arranged(tensor, samples) : tensor;
    if (!found.defined() || found.dim() == 0 || found.size(0) != samples) {
      throw UnsupportedModelError("the embedding of '" + embedded_inputs_[end.site] + "' puts out " +
                                  support::shape_text(tensor.sizes()) + " for " + std::to_string(samples) +
                                  " samples, which does not tell what belongs to which sample: leave conductance and "
                                  "internal-influence out, or give batches of one sample");
    }
    return found.contiguous();
  };
  const at::Tensor vectors = arranged(end.z.value);
  way.baseline = start == nullptr ? at::zeros_like(vectors) : arranged(start->z.value);
  if (way.baseline.sizes() != vectors.sizes()) {
    throw InputError("the embedding of '" + embedded_inputs_[end.site] + "' puts out " +
                     support::shape_text(way.baseline.sizes()) + " for the input baseline and " +
                     support::shape_text(vectors.sizes()) +
                     " for the inputs: give a baseline that the model treats alike");
  }
  const auto rank = static_cast<std::int64_t>(end.z.value.dim());
  const std::int64_t axis = graph::resolve_neuron_axis(site.neuron_axis, rank);
  const at::Tensor counted = model::counted_in(
      vectors.sizes(), way.arrangement ? way.arrangement->moved(axis, end.z.value.sizes(), samples) : axis, mask);
  if (counted.defined()) {
    way.baseline = at::where(counted, way.baseline, vectors);  // what does not count stays what it is
  }
  way.way = vectors - way.baseline;
  return way;
}

InputPaths::Ways InputPaths::embedded_ways(const Inputs& inputs, const at::Tensor& mask) const {
  Ways ways;
  if (embedded_.sites.empty()) {
    return ways;
  }
  if (!has_arrangements_.load(std::memory_order_relaxed)) {
    model_->require_arrangements(embedded_, inputs);
    has_arrangements_.store(true, std::memory_order_relaxed);
  }
  const at::NoGradGuard no_gradients;
  const std::vector<graph::Execution> ends = model_->run(*ends_graph_, inputs).executions;
  const std::optional<Inputs> start = at_baseline(inputs);
  const std::vector<graph::Execution> starts =
      start ? model_->run(*ends_graph_, *start).executions : std::vector<graph::Execution>();
  for (const graph::Execution& end : ends) {
    const std::string& name = embedded_inputs_[end.site];
    const auto input =
        std::find_if(inputs.begin(), inputs.end(), [&](const NamedTensor& each) { return name_of(each) == name; });
    if (input == inputs.end() || input->is_shared || at::isFloatingType(input->tensor.scalar_type())) {
      continue;
    }
    const bool is_given = start && given_for(*input, inputs.size() == 1).defined();
    const auto same = std::find_if(starts.begin(), starts.end(), [&](const graph::Execution& each) {
      return each.site == end.site && each.z_occurrence == end.z_occurrence;
    });
    if (is_given && same == starts.end()) {
      throw InputError("the embedding of '" + name +
                       "' does not run for the input baseline as it does for the inputs: choose another baseline");
    }
    ways[{end.site, end.z_occurrence}] = way_between(end, is_given ? &*same : nullptr, inputs.samples(), mask);
  }
  return ways;
}

graph::Run InputPaths::run_along(const Inputs& inputs, const Ways& ways, const std::vector<double>& alphas) const {
  const graph::Editor editor = [&](std::size_t site, std::int64_t occurrence, const at::Tensor& value) {
    const auto found = ways.find({site, occurrence});
    if (found == ways.end()) {
      return at::Tensor();
    }
    const Way& way = found->second;
    const at::NoGradGuard no_gradients;
    const at::Tensor points = points_between(way.baseline, way.way, alphas);
    const at::Tensor placed =
        way.arrangement ? way.arrangement->restored(points, value.sizes(), inputs.samples()).contiguous() : points;
    if (placed.sizes() != value.sizes()) {
      throw UnsupportedModelError("the embedding of '" + embedded_inputs_[site] + "' puts out " +
                                  support::shape_text(value.sizes()) + " where " + support::shape_text(placed.sizes()) +
                                  " was to be expected: give batches of one size");
    }
    return placed.to(value.scalar_type());
  };
  graph::Run run = model_->run(*graph_, inputs, &editor);
  std::vector<graph::Execution> of_layers;
  for (graph::Execution& execution : run.executions) {
    if (execution.site >= moved_sites_.size()) {
      execution.site -= moved_sites_.size();
      of_layers.push_back(std::move(execution));
    }
  }
  run.executions = std::move(of_layers);
  return run;
}

void InputPaths::add_scores(std::vector<model::LayerBatch>& layers, const model::Batch& batch) const {
  constexpr std::int64_t samples_per_run = 256;
  const std::int64_t copies_per_run = batch.short_of_memory ? 1 : samples_per_run / batch.samples();
  model::with_copies(copies_per_run, [&](std::int64_t copies) { add_scores(layers, batch, copies); });
}

void InputPaths::add_scores(std::vector<model::LayerBatch>& layers, const model::Batch& batch,
                            std::int64_t copies) const {
  const Inputs inputs = support::uploaded(batch.inputs, model_->model().device());
  std::vector<at::Tensor> baselines;  // of those that are not shared
  bool has_way = false;
  for (const NamedTensor& each : inputs) {
    if (!each.is_shared) {
      baselines.push_back(baseline_for(each, inputs.size() == 1));
      has_way = has_way || baselines.back().defined();
    }
  }
  const Ways ways = embedded_ways(inputs, batch.mask);
  if (!has_way && ways.empty()) {
    throw InputError(std::string("the inputs have type ") + c10::toString(inputs.begin()->tensor.scalar_type()) +
                     " and enter no embedding that the model shows, so that there is no path between them: leave "
                     "conductance and internal-influence out");
  }
  const auto along_path = [&](const std::vector<double>& alphas) {
    std::size_t input = 0;
    return inputs.per_sample([&](const at::Tensor& end) {
      const at::Tensor& baseline = baselines[input++];
      return baseline.defined() ? points_between(baseline, end - baseline, alphas)
                                : support::copies_of(end, static_cast<std::int64_t>(alphas.size()));
    });
  };
  const auto points = static_cast<std::int64_t>(rule_.points.size());

  std::vector<Sums> sums(layers.size());
  at::Tensor y_start;
  at::Tensor y_end;
  for (std::int64_t first = 0; first < points; first += copies) {
    const std::int64_t count = std::min(copies, points - first);
    const auto begin = rule_.points.begin() + first;
    const Inputs between = along_path({begin, begin + count});
    const at::Tensor mask = batch.mask_of_copies(count);
    const c10::AutoGradMode with_history(true);
    graph::Run run = run_along(between, ways, {begin, begin + count});
    const model::OutputRows outputs = reading_->rows(run.output, count * batch.samples(), mask);
    const model::Targets targets = batch.targets.copies(count);
    std::vector<model::LayerBatch> along = model::selected_layers(selection_, std::move(run.executions));
    model_->arrange(along, count * batch.samples());
    model::differentiate_layers(along, outputs, targets, options_.output);
    for (model::LayerBatch& layer : along) {
      layer.leave_out(mask);
    }
    const at::NoGradGuard no_gradients;
    const at::Tensor y = as_blocks(model::selected_outputs(outputs, targets, options_.output), count);
    y_start = y_start.defined() ? y_start : y[0];
    y_end = y[count - 1];
    for (std::size_t layer = 0; layer < layers.size(); ++layer) {
      if (layer >= along.size() || along[layer].name != layers[layer].name || along[layer].call != layers[layer].call ||
          along.size() != layers.size()) {
        throw UnsupportedModelError("layer '" + statistics::to_string(layers[layer].name, layers[layer].call) +
                                    "' does not run everywhere between the baseline and the inputs: choose another "
                                    "input baseline, or leave conductance and internal-influence out");
      }
      const at::Tensor value = (options_.of_z ? along[layer].z.value : along[layer].activation()).to(at::kDouble);
      const at::Tensor& gradient = options_.of_z ? along[layer].z_gradient : along[layer].activation_gradient();
      const at::Tensor values = as_blocks(value, count);
      const at::Tensor gradients =
          as_blocks(gradient.defined() ? gradient.to(at::kDouble) : at::zeros_like(value), count);
      for (std::int64_t i = 0; i < count; ++i) {
        sums[layer].add(values[i], gradients[i], rule_.weights[static_cast<std::size_t>(first + i)]);
      }
    }
  }
  for (std::size_t layer = 0; layer < layers.size(); ++layer) {
    const statistics::SampleValues reduction = model::reduction_of(layers[layer], batch.samples());
    const auto terms = [&](const at::Tensor& all) { return need_terms(options_) ? all : at::Tensor(); };
    if (wants(options_.methods, Method::conductance)) {
      const at::Tensor& all = sums[layer].conductance;
      layers[layer].rerun.push_back({Method::conductance, reduction.sum(all), values_of(y_end - y_start), terms(all)});
    }
    if (wants(options_.methods, Method::internal_influence)) {
      const at::Tensor& all = sums[layer].influence;
      layers[layer].rerun.push_back({Method::internal_influence, reduction.sum(all), {}, terms(all)});
    }
  }
}

}  // namespace pregrad::methods
