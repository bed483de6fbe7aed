#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "graph/forward_arguments.hpp"
#include "graph/inlined_model.hpp"

namespace pregrad::graph {

/// One place of the graph where a layer's pre-activation can be taken: an activation, or a tensor that enters or leaves
/// a module, which is its own activation.
struct LayerSite {
  std::string name;
  std::string op;         ///< `output` or `input` for a tensor at a module's border
  std::string operators;  ///< what the activation is made of
  bool in_place = false;
  bool is_activation = true;
  /// How-manieth execution under its name; empty where a loop or a branch decides at run time.
  std::optional<std::int64_t> call;
  std::optional<std::int64_t> neuron_axis;
  std::string pre_activation;

  /// The node that makes the activation, or the module's output, by its scope; null for a module's input.
  const torch::jit::Scope* scope = nullptr;
  std::size_t offset = 0;  ///< output of that node, where z is a module's output
  /// The node that reads z first, by its scope, and which of its inputs z is; null for a module's output.
  const torch::jit::Scope* reader = nullptr;
  std::size_t reader_input = 0;
  const torch::jit::Scope* producer = nullptr;  ///< the node that makes z, by its scope
  bool is_input = false;                        ///< whether it is `input:NAME`
  std::optional<std::size_t> graph_input;       ///< the input of the graph that z is, where it is one
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
  std::vector<LayerSite> borders;      ///< `NAME:in`, `NAME:out`, and `NAME:in.K`, `NAME:out.K` of several tensors
  std::vector<LayerAlias> aliases;     ///< indices into `activations`
  /// Modules that compute nothing but a part of an activation, with the name of the one that computes all of it.
  std::map<std::string, std::string> parts;
  std::set<std::string> untold_outputs;  ///< modules of which the file does not tell what they put out
  std::vector<LayerSite> inputs;         ///< `input:NAME`
  /// Of each of the model's inputs whose numbers choose rows of tables: what leaves the embeddings that it enters.
  std::map<std::string, std::vector<LayerSite>> embeddings;
  std::map<std::string, std::string> refused_inputs;  ///< names that would be `input:NAME`, and why they are no layers
};

LayerSites find_layer_sites(const InlinedModel& model);

/// Adds to `sites` the inputs of the model as layers, and the embeddings that they enter: operators that choose rows of
/// a table by numbers that are those of the input, or part of them, moved to other places, cast, or shifted. What
/// compares the numbers, counts them or adds them up, as masks and positions are made, is no such way.
/// @param arguments one per input of the graph
void add_input_sites(const InlinedModel& model, const std::vector<ForwardArgument>& arguments, LayerSites& sites);

}  // namespace pregrad::graph
