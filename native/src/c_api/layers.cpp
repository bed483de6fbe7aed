#include <pregrad/layer.hpp>

#include <pregrad/pregrad.h>

#include "arguments.hpp"
#include "guard.hpp"
#include "handle.hpp"

namespace c_api = pregrad::c_api;

pregrad_status pregrad_layers_count(const pregrad_layers* layers, size_t* count) {
  return c_api::guarded([&] { c_api::required(count, "the out parameter") = c_api::open(layers).size(); });
}

pregrad_status pregrad_layers_get(const pregrad_layers* layers, size_t index, pregrad_layer* layer) {
  return c_api::guarded([&] {
    const pregrad::Layer& source = c_api::element(c_api::open(layers), index, "layer");
    pregrad_layer view = PREGRAD_LAYER_INIT;
    view.name = source.name.c_str();
    view.op = source.op.c_str();
    view.pre_activation = source.pre_activation.c_str();
    view.shape = source.shape.empty() ? nullptr : source.shape.data();
    view.rank = source.shape.size();
    view.call = source.call;
    view.neurons = source.neurons;
    view.neuron_axis = source.neuron_axis;
    view.in_place = source.in_place ? 1 : 0;
    c_api::write_struct(view, layer, "pregrad_layer");
  });
}

void pregrad_layers_free(pregrad_layers* layers) { c_api::release(layers); }
