#include "pregrad/probe.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <unordered_map>

#include <ATen/core/grad_mode.h>

#include "attribution/score_table.hpp"
#include "graph/neuron_axis.hpp"
#include "methods/catalog.hpp"
#include "model/batch_checks.hpp"
#include "model/differentiation.hpp"
#include "model/layer_taps.hpp"
#include "pregrad/error.hpp"
#include "statistics/layer_reference.hpp"
#include "support/failures.hpp"
#include "support/own_state.hpp"

namespace pregrad {

using model::LayerBatch;
using statistics::LayerReference;

class Probe::Implementation {
 public:
  explicit Implementation(const AttributionOptions& options)
      : options_(options),
        reading_(nullptr, options.target, options.reading),
        needs_(methods::needs_of(options.methods)),
        table_(options.methods, options.seed) {
    if (!options.reading.mask.empty() || !options.reading.output_name.empty()) {
      throw ArgumentError("a probe is given one output and no inputs: leave out the name of the output and the mask");
    }
    if (options.methods.empty()) {
      throw ArgumentError("no method was named: name at least one, such as gradient");
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
    Forward& forward = this_forward();
    const std::int64_t call = forward.calls[name]++;
    if (!is_wanted(name, call)) {
      forward.layers.push_back(tapped_layer(name, call, neuron_axis));
      forward.layers.back().z.shape = z.sizes().vec();
      forward.skipped.insert(forward.layers.size() - 1);
      return z;
    }
    model::LayerBatch layer = tapped_layer(name, call, neuron_axis);
    at::Tensor tapped = capture(z, needs_.z, layer.z);
    forward.layers.push_back(std::move(layer));
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
    if (forward.skipped.count(static_cast<std::size_t>(forward.layers.rend() - layer) - 1) != 0) {
      return a;
    }
    return capture(a, needs_.a, layer->a);
  }

  void add(const at::Tensor& logits, const at::Tensor& labels, const at::Tensor& clusters) {
    // The taps belong to one forward: whatever goes wrong, they must not show up in the next.
    std::vector<model::LayerBatch> layers = take_layers();
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
  }

  void discard() {
    const std::lock_guard lock(mutex_);
    forwards_.erase(std::this_thread::get_id());
  }

  std::vector<Layer> layers() const {
    const std::lock_guard lock(mutex_);
    std::vector<Layer> layers;
    const auto forward = forwards_.find(std::this_thread::get_id());
    if (forward == forwards_.end()) {
      return layers;
    }
    for (const model::LayerBatch& each : forward->second.layers) {
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
  /// What a thread has tapped since its last add.
  struct Forward {
    std::vector<model::LayerBatch> layers;
    std::set<std::size_t> skipped;
    std::map<std::string, std::int64_t> calls;
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

  /// What the caller does with the tensor afterwards is unknown, so values are copied; without gradients so is the
  /// tensor that goes on.
  static at::Tensor capture(const at::Tensor& tensor, graph::CaptureNeeds needs, graph::Captured& captured) {
    at::Tensor tapped = graph::capture(tensor, graph::Stage::activation, needs, graph::LaterWrites::none, captured);
    if (needs.value) {
      captured.value = captured.value.clone();
    }
    return tapped;
  }

  bool is_wanted(const std::string& name, std::int64_t call) const {
    return wanted_.empty() || std::any_of(wanted_.begin(), wanted_.end(),
                                          [&](const LayerReference& each) { return each.matches(name, call); });
  }

  Forward& this_forward() {
    const std::lock_guard lock(mutex_);
    return forwards_[std::this_thread::get_id()];  // references stay valid while other threads insert
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

  std::vector<model::LayerBatch> take_layers() {
    Forward forward;
    {
      const std::lock_guard lock(mutex_);
      auto found = forwards_.extract(std::this_thread::get_id());
      if (found) {
        forward = std::move(found.mapped());
      }
    }
    if (forward.layers.empty()) {
      throw StateError(
          "nothing was tapped in this thread since the last add: call z = probe.tap(name, z) in the forward");
    }
    require_wanted_layers(forward);
    std::vector<model::LayerBatch> layers;
    for (std::size_t i = 0; i < forward.layers.size(); ++i) {
      if (forward.skipped.count(i) == 0) {
        require_activation(forward.layers[i]);
        layers.push_back(std::move(forward.layers[i]));
      }
    }
    return layers;
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
  std::unordered_map<std::thread::id, Forward> forwards_;
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

void Probe::discard() { implementation_->discard(); }

std::vector<Layer> Probe::layers() const { return implementation_->layers(); }

Scores Probe::scores() const { return implementation_->scores(); }

}  // namespace pregrad
