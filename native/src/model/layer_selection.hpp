#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "graph/layer_sites.hpp"
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

}  // namespace pregrad::model
