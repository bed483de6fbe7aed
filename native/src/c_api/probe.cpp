#include <pregrad/probe.hpp>

#include <optional>

#include <pregrad/pregrad.h>

#include "arguments.hpp"
#include "guard.hpp"

namespace c_api = pregrad::c_api;

namespace {

const at::Tensor& tensor_at(const pregrad_torch_tensor* tensor, const char* what) {
  return *reinterpret_cast<const at::Tensor*>(&c_api::required(tensor, what));
}

at::Tensor& tensor_at(pregrad_torch_tensor* tensor, const char* what) {
  return *reinterpret_cast<at::Tensor*>(&c_api::required(tensor, what));
}

}  // namespace

pregrad_status pregrad_probe_open(const pregrad_attribution_options* options, pregrad_probe** probe) {
  return c_api::guarded(
      [&] { c_api::hand_out(probe, [&] { return pregrad::Probe(c_api::attribution_options(options)); }); });
}

pregrad_status pregrad_probe_tap(pregrad_probe* probe, const char* layer, const pregrad_torch_tensor* z,
                                 int64_t neuron_axis, pregrad_torch_tensor* tapped) {
  return c_api::guarded([&] {
    at::Tensor& out = tensor_at(tapped, "the tapped tensor");
    // Axis 0 counts samples, never neurons.
    out = c_api::open(probe).tap(&c_api::required(layer, "the layer's name"), tensor_at(z, "the pre-activation"),
                                 neuron_axis == 0 ? std::nullopt : std::optional<std::int64_t>(neuron_axis));
  });
}

pregrad_status pregrad_probe_activation(pregrad_probe* probe, const char* layer, const pregrad_torch_tensor* a,
                                        pregrad_torch_tensor* tapped) {
  return c_api::guarded([&] {
    at::Tensor& out = tensor_at(tapped, "the tapped tensor");
    out = c_api::open(probe).activation(&c_api::required(layer, "the layer's name"), tensor_at(a, "the activation"));
  });
}

pregrad_status pregrad_probe_add(pregrad_probe* probe, const pregrad_torch_tensor* logits, const int64_t* labels,
                                 size_t label_count, const int64_t* clusters, size_t cluster_count) {
  return c_api::guarded([&] {
    c_api::open(probe).add(tensor_at(logits, "the logits"), c_api::borrow(labels, label_count, "labels"),
                           c_api::borrow(clusters, cluster_count, "clusters"));
  });
}

pregrad_status pregrad_probe_collect(pregrad_probe* probe, const int64_t* clusters, size_t cluster_count,
                                     double scale) {
  return c_api::guarded([&] { c_api::open(probe).collect(c_api::borrow(clusters, cluster_count, "clusters"), scale); });
}

pregrad_status pregrad_probe_discard(pregrad_probe* probe) {
  return c_api::guarded([&] { c_api::open(probe).discard(); });
}

pregrad_status pregrad_probe_layers(const pregrad_probe* probe, pregrad_layers** layers) {
  return c_api::guarded([&] { c_api::hand_out(layers, [&] { return c_api::open(probe).layers(); }); });
}

pregrad_status pregrad_probe_scores(const pregrad_probe* probe, pregrad_scores** scores) {
  return c_api::guarded([&] { c_api::hand_out(scores, [&] { return c_api::Snapshot(c_api::open(probe).scores()); }); });
}

void pregrad_probe_free(pregrad_probe* probe) { c_api::release(probe); }
