#pragma once

#include <string>
#include <vector>

#include "graph/capture.hpp"
#include "graph/tapped_graph.hpp"
#include "model/layer_batch.hpp"
#include "model/layer_selection.hpp"
#include "pregrad/options.hpp"

namespace pregrad::model {

/// What the methods read of a layer's pre-activation z and of its activation a.
struct LayerNeeds {
  graph::CaptureNeeds z;
  graph::CaptureNeeds a;
  bool gradients() const { return z.gradient || a.gradient; }
};

/// The same for a layer without an activation, where a is z.
LayerNeeds without_activation(const LayerNeeds& needs);

/// The taps that give `needs` of all selected layers. Sites that are selected only because they count get one without
/// needs.
std::vector<graph::Tap> taps_of(const LayerSelection& selection, const LayerNeeds& needs);

/// The selected ones of a run's executions, in their order.
std::vector<LayerBatch> selected_layers(const LayerSelection& selection, std::vector<graph::Execution>&& executions);

}  // namespace pregrad::model
