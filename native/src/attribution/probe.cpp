#include "pregrad/probe.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <unordered_map>

#include <ATen/Functions.h>
#include <ATen/core/grad_mode.h>

#include "attribution/score_table.hpp"
#include "graph/neuron_axis.hpp"
#include "methods/catalog.hpp"
#include "model/batch.hpp"
#include "model/differentiation.hpp"
#include "model/layer_selection.hpp"
#include "pregrad/error.hpp"
#include "statistics/layer_reference.hpp"
#include "support/failures.hpp"
#include "support/own_state.hpp"
#include "support/tensors.hpp"

namespace pregrad {

using model::LayerBatch;
using statistics::LayerReference;

class Probe::Implementation {
 public:
  explicit Implementation(const AttributionOptions& options)
      : options_(options),
        reading_(nullptr, options.target, options.reading),
        needs_(methods::needs_of(options.methods)),
        table_(options) {
    if (!options.reading.mask.empty() || !options.reading.output_name.empty()) {
      throw ArgumentError("a probe is given one output and no inputs: leave out the name of the output and the mask");
    }
    if (options.methods.empty()) {
      throw ArgumentError("no method was named: name at least one, such as gradient");
    }
    if (options.examples != 0) {
      throw ArgumentError("a probe keeps no examples: leave them out, or take a model's file and its attribution");
    }
    for (const Method method : options.methods) {
      if (methods::row_of(method).needs_model()) {
        throw ArgumentError("a probe cannot run the model again, as the method " + std::string(name_of(method)) +
                            " must: leave it out, or take a TorchScript model and its attribution");
      }
    }
    for (const std::string& layer : options.layers) {
      wanted_.push_back(LayerReference::parse(layer));
    }
  }

  at::Tensor tap(const std::string& name, const at::Tensor& z, std::optional<std::int64_t> neuron_axis) {
    require_tappable(name, z);
    Forward& forward = this_forward_for_a_tap();
    const std::int64_t call = forward.calls[name]++;
    model::LayerBatch layer = tapped_layer(name, call, neuron_axis);
    Kept kept;
    at::Tensor tapped = z;
    if (is_wanted(name, call)) {
      tapped = graph::capture_retained(z, needs_.z, layer.z, kept.z);
    } else {
      layer.z.shape = z.sizes().vec();
      forward.skipped.insert(forward.layers.size());
    }
    forward.layers.push_back(std::move(layer));
    forward.kept.push_back(std::move(kept));
    return tapped;
  }

  at::Tensor activation(const std::string& name, const at::Tensor& a) {
    Forward& forward = this_forward();
    const auto layer = std::find_if(forward.layers.rbegin(), forward.layers.rend(),
                                    [&](const model::LayerBatch& each) { return each.name == name; });
    if (layer == forward.layers.rend()) {
      throw StateError("the activation of '" + name + "' comes before its pre-activation: call tap(\"" + name +
                       "\", z) first");
    }
    layer->has_activation = true;
    const auto index = static_cast<std::size_t>(forward.layers.rend() - layer) - 1;
    if (forward.skipped.count(index) != 0) {
      return a;
    }
    return graph::capture_retained(a, needs_.a, layer->a, forward.kept[index].a);
  }

  void add(const at::Tensor& logits, const at::Tensor& labels, const at::Tensor& clusters) {
    // The taps belong to one forward: whatever goes wrong, they must not show up in the next.
    std::vector<Forward> forwards = take_forwards();
    if (forwards.size() > 1) {
      throw StateError(
          "a backward of the program's own ran between the forwards of this thread: end each with collect(), or "
          "discard() those that are not to count");
    }
    // Without what is kept no gradient is retained twice.
    std::vector<model::LayerBatch> layers = wanted_layers(std::exchange(forwards.front(), {}));
    if (!logits.defined() || logits.dim() == 0) {
      throw InputError("the logits are empty: give the model's output [samples, outputs]");
    }
    const std::int64_t samples = logits.size(0);
    model::Batch batch;
    batch.inputs = Inputs(logits);
    model::add_labels(batch, options_.target.kind(), labels, clusters, samples, /*takes_several=*/false,
                      [&] { return reading_.has_position_labels(logits.dim()); });
    const model::OutputRows outputs = reading_.rows_of(logits, samples, {});
    const model::Targets targets = reading_.targets(outputs, batch);
    model::differentiate_layers(layers, outputs, targets, options_.output);
    table_.add(table_.additions(layers, attribution::rows_of(batch.clusters)));
    if (outputs.is_binary && options_.output == Output::logit) {
      table_.note(model::classes_of_two(batch));
    }
  }

  void collect(const at::Tensor& clusters, double scale) {
    if (!std::isfinite(scale) || scale == 0) {
      throw ArgumentError("the scale " + std::to_string(scale) +
                          " makes nothing of a gradient: give a number other than 0, such as the number of samples for "
                          "a loss that is their mean");
    }
    std::vector<Forward> forwards = take_forwards();
    std::vector<std::vector<model::LayerBatch>> batches;
    std::int64_t samples = 0;
    for (Forward& forward : forwards) {
      take_gradients(forward, scale);
      batches.push_back(wanted_layers(std::move(forward)));
      require_influence(batches.back());
      samples += samples_of(batches.back());
    }
    const at::Tensor checked_clusters = model::checked_clusters(clusters, samples);
    std::vector<attribution::LayerAddition> all;
    std::int64_t first = 0;
    for (const std::vector<model::LayerBatch>& layers : batches) {
      const at::Tensor own = checked_clusters.narrow(0, first, samples_of(layers));
      std::vector<attribution::LayerAddition> some = table_.additions(layers, attribution::rows_of(own));
      std::move(some.begin(), some.end(), std::back_inserter(all));
      first += samples_of(layers);
    }
    table_.add(all);
  }

  /// Where the forward of this thread runs, as far as its taps tell.
  c10::Device device() const {
    const std::lock_guard lock(mutex_);
    const auto forwards = forwards_.find(std::this_thread::get_id());
    if (forwards != forwards_.end()) {
      for (const Kept& kept : forwards->second.back().kept) {
        if (kept.z.defined() || kept.a.defined()) {
          return (kept.z.defined() ? kept.z : kept.a).device();
        }
      }
    }
    return c10::kCPU;
  }

  void discard() {
    const std::lock_guard lock(mutex_);
    forwards_.erase(std::this_thread::get_id());
  }

  std::vector<Layer> layers() const {
    const std::lock_guard lock(mutex_);
    std::vector<Layer> layers;
    const auto forwards = forwards_.find(std::this_thread::get_id());
    if (forwards == forwards_.end()) {
      return layers;
    }
    for (const model::LayerBatch& each : forwards->second.back().layers) {
      Layer layer;
      layer.name = each.name;
      layer.call = each.call;
      layer.op = each.has_activation ? "activation" : "output";
      layer.shape = each.z.shape;
      const auto rank = static_cast<std::int64_t>(layer.shape.size());
      layer.neuron_axis = rank == 1 ? 0 : graph::resolve_neuron_axis(each.neuron_axis, rank);
      layer.neurons = rank == 1 ? 1 : layer.shape.at(static_cast<std::size_t>(layer.neuron_axis));
      layers.push_back(std::move(layer));
    }
    return layers;
  }

  Scores scores() const { return Scores(table_.scores(), {}); }

 private:
  /// Where a backward of the program leaves the gradients of a layer.
  struct Kept {
    at::Tensor z;
    at::Tensor a;
    /// What was taken with create_graph may be in the midst of a forward.
    bool has_gradient() const { return is_final(z) || is_final(a); }
    static bool is_final(const at::Tensor& kept) {
      return kept.defined() && kept.grad().defined() && !graph::has_recorded_gradient(kept);
    }
  };

  /// What a thread has tapped in one forward.
  struct Forward {
    std::vector<model::LayerBatch> layers;
    std::vector<Kept> kept;  ///< of each layer
    std::set<std::size_t> skipped;
    std::map<std::string, std::int64_t> calls;

    bool is_differentiated() const {
      return std::any_of(kept.begin(), kept.end(), [](const Kept& each) { return each.has_gradient(); });
    }
  };

  void require_tappable(const std::string& name, const at::Tensor& z) const {
    if (!z.defined() || z.dim() == 0) {
      throw InputError("the pre-activation of '" + name + "' has no batch axis: tap a tensor [samples, ...]");
    }
    if (!at::isFloatingType(z.scalar_type())) {
      throw InputError("the pre-activation of '" + name + "' has type " + c10::toString(z.scalar_type()) +
                       ", which has no gradient: tap a floating-point tensor");
    }
    if (needs_.gradients() && (!at::GradMode::is_enabled() || z.is_inference())) {
      throw StateError("gradients are switched off at tap(\"" + name +
                       "\"): run the forward without NoGradGuard or InferenceMode");
    }
  }

  bool is_wanted(const std::string& name, std::int64_t call) const {
    return wanted_.empty() || std::any_of(wanted_.begin(), wanted_.end(),
                                          [&](const LayerReference& each) { return each.matches(name, call); });
  }

  /// The forward that runs in this thread; references stay valid while other threads insert.
  Forward& this_forward() { return these_forwards().back(); }

  /// What is tapped after a backward belongs to another forward than what that backward reached.
  Forward& this_forward_for_a_tap() {
    std::vector<Forward>& forwards = these_forwards();
    if (forwards.back().is_differentiated()) {
      forwards.emplace_back();
    }
    return forwards.back();
  }

  /// Those of this thread since it last ended one; at least one.
  std::vector<Forward>& these_forwards() {
    const std::lock_guard lock(mutex_);
    return forwards_.try_emplace(std::this_thread::get_id(), 1).first->second;
  }

  model::LayerBatch tapped_layer(const std::string& name, std::int64_t call, std::optional<std::int64_t> neuron_axis) {
    model::LayerBatch layer;
    layer.name = name;
    layer.call = call;
    layer.rank = rank_of(name);
    layer.neuron_axis = neuron_axis;
    layer.has_activation = false;
    return layer;
  }

  std::size_t rank_of(const std::string& name) {
    const std::lock_guard lock(mutex_);
    return ranks_.emplace(name, ranks_.size()).first->second;
  }

  std::vector<Forward> take_forwards() {
    std::vector<Forward> forwards;
    {
      const std::lock_guard lock(mutex_);
      auto found = forwards_.extract(std::this_thread::get_id());
      if (found) {
        forwards = std::move(found.mapped());
      }
    }
    if (forwards.empty() || forwards.back().layers.empty()) {
      throw StateError(
          "nothing was tapped in this thread since the last add or collect: call z = probe.tap(name, z) in the "
          "forward");
    }
    for (const Forward& forward : forwards) {
      require_wanted_layers(forward);
    }
    return forwards;
  }

  std::vector<model::LayerBatch> wanted_layers(Forward forward) const {
    std::vector<model::LayerBatch> layers;
    for (std::size_t i = 0; i < forward.layers.size(); ++i) {
      if (forward.skipped.count(i) == 0) {
        require_activation(forward.layers[i]);
        layers.push_back(std::move(forward.layers[i]));
      }
    }
    return layers;
  }

  static std::int64_t samples_of(const std::vector<model::LayerBatch>& layers) {
    return layers.front().z.shape.front();
  }

  /// Moves what a backward left at the taps into the layers.
  void take_gradients(Forward& forward, double scale) const {
    if (!needs_.gradients()) {
      return;
    }
    const bool has_gradient = std::any_of(forward.kept.begin(), forward.kept.end(), [](const Kept& each) {
      return (each.z.defined() && each.z.grad().defined()) || (each.a.defined() && each.a.grad().defined());
    });
    if (!has_gradient) {
      throw StateError(
          "no gradient has come to what was tapped: call backward() on a loss of this forward before collect(), or "
          "discard() after a forward without one");
    }
    for (std::size_t i = 0; i < forward.layers.size(); ++i) {
      model::LayerBatch& layer = forward.layers[i];
      layer.z_gradient = gradient_of(layer, layer.z, forward.kept[i].z, "z", scale);
      layer.a_gradient = gradient_of(layer, layer.a, forward.kept[i].a, "a", scale);
    }
  }

  static at::Tensor gradient_of(const model::LayerBatch& layer, const graph::Captured& captured, const at::Tensor& kept,
                                const char* of, double scale) {
    if (!kept.defined() || !kept.grad().defined()) {
      return {};
    }
    if (graph::has_recorded_gradient(kept)) {
      throw StateError("the gradient at '" + statistics::to_string(layer.name, layer.call) +
                       "' was taken with create_graph, as for a loss of gradients, and is added to that of the loss: "
                       "use add(), which runs a backward of its own");
    }
    at::Tensor gradient = kept.grad();
    kept.mutable_grad().reset();  // what another backward brings is not in it again
    if (captured.gradient_from_base) {
      gradient = captured.gradient_from_base(gradient);
    }
    if (gradient.scalar_type() != at::kDouble) {
      gradient = gradient.to(at::kFloat);  // a half has no room for what a scale makes of it
    }
    if (scale != 1) {
      // What nobody else holds needs no other memory.
      const bool is_own = gradient.use_count() == 1 && gradient.storage().use_count() == 1;
      gradient = is_own ? gradient.mul_(scale) : at::mul(gradient, scale);
    }
    if (const auto sample = support::first_sample_not_finite(gradient)) {
      throw InputError(
          "the gradient of the loss by " + std::string(of) + " of '" + statistics::to_string(layer.name, layer.call) +
          "' is NaN or infinite for sample " + std::to_string(*sample) +
          ": leave out the steps that a loss scaler skips, with discard() in place of collect(), or repair "
          "the loss");
    }
    return gradient;
  }

  void require_influence(const std::vector<model::LayerBatch>& layers) const {
    if (!needs_.gradients()) {
      return;
    }
    if (const model::LayerBatch* layer = model::layer_without_influence(layers)) {
      throw LayerError(
          "layer '" + statistics::to_string(layer->name, layer->call) +
          "' has no influence on the loss whose backward ran: what was tapped went into nothing, or through "
          "detach or torch.no_grad; go on with what tap returns, or leave that layer out");
    }
  }

  void require_wanted_layers(const Forward& forward) const {
    std::set<std::string> tapped;
    for (const model::LayerBatch& layer : forward.layers) {
      tapped.insert(statistics::to_string(layer.name, layer.call));
    }
    for (const LayerReference& each : wanted_) {
      const bool found = std::any_of(forward.layers.begin(), forward.layers.end(), [&](const model::LayerBatch& layer) {
        return each.matches(layer.name, layer.call);
      });
      if (!found) {
        throw LayerError("layer '" + each.name + (each.call ? "@" + std::to_string(*each.call) : "") +
                         "' was not tapped: tapped were " + statistics::listed(tapped));
      }
    }
  }

  void require_activation(const model::LayerBatch& layer) const {
    if (!layer.has_activation && (needs_.a.value || needs_.a.gradient)) {
      throw ArgumentError("a method needs the activation of '" + layer.name + "': call a = probe.activation(\"" +
                          layer.name + "\", a) after tap, or leave that method out");
    }
  }

  AttributionOptions options_;
  model::OutputReading reading_;
  model::LayerNeeds needs_;
  std::vector<LayerReference> wanted_;
  attribution::ScoreTable table_;
  mutable std::mutex mutex_;
  std::unordered_map<std::thread::id, std::vector<Forward>> forwards_;
  std::map<std::string, std::size_t> ranks_;
};

Probe::Probe(const AttributionOptions& options) : implementation_(std::make_shared<Implementation>(options)) {}

at::Tensor Probe::tap(std::string_view layer, const at::Tensor& z, std::optional<std::int64_t> neuron_axis) {
  return implementation_->tap(std::string(layer), z, neuron_axis);
}

at::Tensor Probe::activation(std::string_view layer, const at::Tensor& a) {
  return implementation_->activation(std::string(layer), a);
}

void Probe::add(const at::Tensor& logits, const at::Tensor& labels, const at::Tensor& clusters) {
  const support::OwnState own_state;
  const c10::Device device = logits.defined() ? logits.device() : c10::Device(c10::kCPU);
  support::on_device(device, [&] { implementation_->add(logits, labels, clusters); });
}

void Probe::collect(const at::Tensor& clusters, double scale) {
  const support::OwnState own_state;
  const at::NoGradGuard no_history;
  support::on_device(implementation_->device(), [&] { implementation_->collect(clusters, scale); });
}

void Probe::discard() { implementation_->discard(); }

std::vector<Layer> Probe::layers() const { return implementation_->layers(); }

Scores Probe::scores() const { return implementation_->scores(); }

}  // namespace pregrad
