#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "graph/capture.hpp"
#include "graph/layer_sites.hpp"
#include "graph/tapped_graph.hpp"
#include "model/layer_batch.hpp"
#include "pregrad/scores.hpp"

namespace pregrad::model {

/// A site to tap: all its calls are wanted, some, or none where it only counts.
struct SelectedSite {
  const graph::LayerSite* site = nullptr;
  std::size_t rank = 0;  ///< where its name first stands among the model's sites
  std::set<std::int64_t> calls;
  bool all_calls = false;
  bool is_named = false;  ///< whether a name stands for it, and no pattern alone
  bool wants(std::int64_t call) const { return all_calls || calls.count(call) != 0; }
};

struct LayerSelection {
  std::vector<SelectedSite> sites;  ///< in program order
  Scores::Names names;              ///< aliases that were asked for
};

/// What the user's names stand for.
/// @throws LayerError listing the candidates if a name fits nothing or more than one thing, ArgumentError if there is
/// none
LayerSelection select_layers(const graph::LayerSites& sites, const std::vector<std::string>& names);

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
