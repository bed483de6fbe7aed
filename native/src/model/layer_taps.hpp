#pragma once

#include <string>
#include <vector>

#include "graph/tapped_graph.hpp"
#include "model/layer_batch.hpp"
#include "model/layer_selection.hpp"
#include "model/method_needs.hpp"

namespace pregrad::model {

/// The taps that give `needs` of all selected layers. Sites that are selected only because they count get one without
/// needs.
std::vector<graph::Tap> taps_of(const LayerSelection& selection, const LayerNeeds& needs);

/// The selected ones of a run's executions, in their order.
std::vector<LayerBatch> selected_layers(const LayerSelection& selection, std::vector<graph::Execution>&& executions);

}  // namespace pregrad::model
