#include "graph/replay_graph.hpp"

#include <optional>

#include <torch/csrc/jit/passes/dead_code_elimination.h>

#include "graph/graph_split.hpp"

namespace pregrad::graph {

using torch::jit::Graph;
using torch::jit::Node;

namespace {

/// The last node of the prefix; null if the layer is inside a loop or a branch, or has several places in the graph.
Node* last_of_prefix(Graph& graph, const std::vector<TapPlace>& places, Stage stage) {
  if (places.size() != 1) {
    return nullptr;
  }
  const TapPlace& place = places.front();
  const bool is_behind_activation = stage == Stage::activation && place.activation != nullptr;
  Node* last = is_behind_activation ? place.activation : place.z_after;
  return last->owningBlock() == graph.block() && last != graph.param_node() ? last : nullptr;
}

}  // namespace

ReplayGraph::ReplayGraph(Graph& model, const std::vector<Tap>& taps, Stage stage) {
  const auto graph = model.copy();
  std::vector<TapPlace> places;
  std::optional<std::vector<Crossing>> crossing;
  Node* last = nullptr;
  {
    const torch::jit::AliasDb aliases(graph);
    places = find_tap_places(*graph, aliases, taps);
    last = last_of_prefix(*graph, places, stage);
    if (last != nullptr) {
      const TapPlace& place = places.front();
      const bool is_a = stage == Stage::activation && place.activation != nullptr;
      const bool is_overwritten = (is_a ? place.a_writes : place.z_writes) != LaterWrites::none;
      crossing = crossings(*graph, aliases, last, is_a ? place.a : place.z, is_overwritten);
    }
  }
  sites_ = tap_sites(taps, places);
  std::shared_ptr<Graph> prefix;
  if (crossing) {
    prefix = graph_before(*graph, last, *crossing);
    torch::jit::EliminateDeadCode(prefix);
    for (const Crossing& each : *crossing) {
      is_written_.push_back(each.is_written);
    }
  }
  insert_taps(*graph, taps, places, stage == Stage::activation ? TapParts::activation_only : TapParts::all);
  if (!crossing) {
    rest_ = torch::jit::Code(graph, "pregrad");
    return;
  }
  prefix_ = std::make_shared<torch::jit::Code>(prefix, "pregrad_prefix");
  rest_ = torch::jit::Code(graph_behind(*graph, last, *crossing), "pregrad_rest");
}

ReplayGraph::Start ReplayGraph::start(std::vector<c10::IValue> arguments) const {
  if (prefix_) {
    torch::jit::InterpreterState(*prefix_).run(arguments);
  }
  return arguments;
}

Run ReplayGraph::run(const Start& start, const Editor* editor) const {
  Start values = start;
  for (std::size_t i = 0; i < is_written_.size(); ++i) {
    if (is_written_[i] && values[i].isTensor()) {
      values[i] = values[i].toTensor().clone();
    }
  }
  return run_tapped(rest_, sites_, std::move(values), editor);
}

}  // namespace pregrad::graph
