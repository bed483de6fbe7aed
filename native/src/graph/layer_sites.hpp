#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "graph/inlined_model.hpp"

namespace pregrad::graph {

/// One place of the graph where a layer's pre-activation can be taken: an activation, or the output of a module that
/// has no activation behind it.
struct LayerSite {
  std::string name;
  std::string op;
  bool in_place = false;
  bool is_activation = true;
  /// How-manieth execution under its name; empty where a loop or a branch decides at run time.
  std::optional<std::int64_t> call;
  std::optional<std::int64_t> neuron_axis;
  std::string pre_activation;

  /// The activation node for activations, the producer of z otherwise, by its scope.
  const torch::jit::Scope* scope = nullptr;
  std::size_t offset = 0;  ///< output of the producer, where z is a module's output
  /// Where several nodes make up the activation: the producer of z, by its scope; `scope` is then the last of them.
  const torch::jit::Scope* z_scope = nullptr;
  std::size_t z_offset = 0;
};

/// Another name of sites: a module whose output is their z, or a container whose output is their activation.
struct LayerAlias {
  std::string name;
  std::vector<std::size_t> sites;  ///< one per call of the alias, in program order
  bool ambiguous = false;          ///< some call fits several sites
};

struct LayerSites {
  std::vector<LayerSite> activations;  ///< in program order
  std::vector<LayerSite> outputs;      ///< modules without an activation behind them
  std::vector<LayerAlias> aliases;     ///< indices into `activations`
};

LayerSites find_layer_sites(const InlinedModel& model);

}  // namespace pregrad::graph
