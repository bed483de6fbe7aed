#include "model/layer_taps.hpp"

#include <utility>

namespace pregrad::model {

LayerNeeds without_activation(const LayerNeeds& needs) {
  return {{needs.z.value || needs.a.value, needs.z.gradient || needs.a.gradient}, {}};
}

std::vector<graph::Tap> taps_of(const LayerSelection& selection, const LayerNeeds& needs) {
  std::vector<graph::Tap> taps;
  for (const SelectedSite& selected : selection.sites) {
    graph::Tap tap;
    tap.site = selected.site;
    tap.is_optional = !selected.is_named;
    if (selected.all_calls || !selected.calls.empty()) {
      const LayerNeeds wanted = selected.site->is_activation ? needs : without_activation(needs);
      tap.z = wanted.z;
      tap.a = wanted.a;
    }
    taps.push_back(tap);
  }
  return taps;
}

std::vector<LayerBatch> selected_layers(const LayerSelection& selection, std::vector<graph::Execution>&& executions) {
  std::vector<LayerBatch> layers;
  for (graph::Execution& execution : executions) {
    const SelectedSite& selected = selection.sites[execution.site];
    LayerBatch layer;
    layer.call = selected.site->call.value_or(execution.call);
    if (!selected.wants(layer.call)) {
      continue;
    }
    layer.name = selected.site->name;
    layer.rank = selected.rank;
    layer.neuron_axis = selected.site->neuron_axis;
    layer.has_activation = selected.site->is_activation;
    layer.z = std::move(execution.z);
    layer.a = std::move(execution.a);
    layers.push_back(std::move(layer));
  }
  return layers;
}

}  // namespace pregrad::model
