#pragma once

#include <string>
#include <vector>

#include "attribution/layer_batch.hpp"
#include "attribution/layer_selection.hpp"
#include "attribution/method_needs.hpp"
#include "graph/tapped_graph.hpp"

namespace pregrad::attribution {

/// The taps that give `needs` of all selected layers. Sites that are selected only because they count get one without
/// needs.
std::vector<graph::Tap> taps_of(const LayerSelection& selection, const LayerNeeds& needs);

/// The selected ones of a run's executions, in their order.
std::vector<LayerBatch> selected_layers(const LayerSelection& selection, std::vector<graph::Execution>&& executions);

}  // namespace pregrad::attribution
