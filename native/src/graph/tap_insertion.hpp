#pragma once

#include <cstddef>
#include <vector>

#include <ATen/core/symbol.h>
#include <torch/csrc/jit/ir/alias_analysis.h>
#include <torch/csrc/jit/ir/ir.h>

#include "graph/capture.hpp"
#include "graph/layer_sites.hpp"

namespace pregrad::graph {

/// The operators that taps put into a graph. All take the run's CaptureRecord first and the number of the site last.
struct TapOperators {
  c10::Symbol take_z;  ///< (record, z, site) -> z: takes a pre-activation
  c10::Symbol enter;   ///< (record, site) -> (): the site's activation runs now; numbers the call
  c10::Symbol take_a;  ///< (record, a, site) -> a: takes the activation of the call entered last
};

/// Registers them with LibTorch at the first call.
const TapOperators& tap_operators();

/// A layer to tap, and what is needed of it.
struct Tap {
  const LayerSite* site = nullptr;
  CaptureNeeds z;
  CaptureNeeds a;
  bool edits_z = false;
  bool edits_a = false;
  bool is_optional = false;  ///< whether an input of the model that cannot be a layer is left out, rather than refused
  /// Whether it is no layer, but a part of the model behind the layer that the other taps are of: it takes what depends
  /// on that, and its tap at a has a place beside it, that of z.
  bool follows = false;

  bool takes_a() const { return a.value || a.gradient || edits_a; }
};

/// Where a tap goes, found before the first tap changes the graph that the alias analysis speaks of.
struct TapPlace {
  torch::jit::Node* activation = nullptr;  ///< null for a module's output
  torch::jit::Value* z = nullptr;
  torch::jit::Node* z_after = nullptr;  ///< z is taken behind this node, so that all its consumers count
  torch::jit::Value* a = nullptr;       ///< null for a module's output
  LaterWrites z_writes = LaterWrites::none;
  LaterWrites a_writes = LaterWrites::none;
  bool is_left_out = false;  ///< whether the tap goes nowhere
};

/// Places of `taps` in `graph`, a copy of the graph in which their sites were found.
std::vector<TapPlace> find_tap_places(torch::jit::Graph& graph, const torch::jit::AliasDb& aliases,
                                      const std::vector<Tap>& taps);

/// What a run's CaptureRecord needs to know of the taps.
struct TapSites {
  std::vector<CaptureRecord::Site> sites;
  std::size_t names = 0;
};
TapSites tap_sites(const std::vector<Tap>& taps, const std::vector<TapPlace>& places);

/// Which of a tap's operators go into a graph; reruns that start behind an activation need no tap before it.
enum class TapParts { all, activation_only };

/// Puts the taps into the graph, whose last input becomes the run's record.
void insert_taps(torch::jit::Graph& graph, const std::vector<Tap>& taps, const std::vector<TapPlace>& places,
                 TapParts parts = TapParts::all);

}  // namespace pregrad::graph
