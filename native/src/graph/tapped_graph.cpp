#include "graph/tapped_graph.hpp"

#include <torch/csrc/jit/ir/alias_analysis.h>
#include <torch/csrc/jit/ir/ir.h>

#include "graph/work_share.hpp"

namespace pregrad::graph {

TappedGraph::TappedGraph(torch::jit::Graph& model, const std::vector<Tap>& taps) {
  const auto graph = model.copy();
  std::vector<TapPlace> places;
  {
    const torch::jit::AliasDb aliases(graph);
    places = find_tap_places(*graph, aliases, taps);
  }
  sites_ = tap_sites(taps, places);
  insert_taps(*graph, taps, places);
  work_behind_ = graph::work_behind_first_tap(*graph);
  multiply_adds_per_row_ = graph::multiply_adds_per_row(*graph);
  code_ = torch::jit::Code(graph, "pregrad");
}

Run TappedGraph::run(std::vector<c10::IValue> arguments) const {
  return run_tapped(code_, sites_, std::move(arguments), nullptr);
}

Run run_tapped(const torch::jit::Code& code, const TapSites& sites, std::vector<c10::IValue> arguments,
               const Editor* editor) {
  auto record = c10::make_intrusive<CaptureRecord>(sites.sites, sites.names);
  record->editor = editor;
  arguments.push_back(c10::IValue::make_capsule(record));
  try {
    torch::jit::InterpreterState(code).run(arguments);
  } catch (...) {
    if (record->error) {
      std::rethrow_exception(record->error);
    }
    throw;
  }
  Run run;
  run.output = std::move(arguments.front());
  run.executions = std::move(record->executions);
  return run;
}

}  // namespace pregrad::graph
