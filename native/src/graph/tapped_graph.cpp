#include "graph/tapped_graph.hpp"

#include <string_view>
#include <unordered_set>

#include <torch/csrc/jit/ir/alias_analysis.h>
#include <torch/csrc/jit/ir/ir.h>

#include "graph/graph_checks.hpp"
#include "graph/tap_insertion.hpp"

namespace pregrad::graph {

namespace {

using torch::jit::Block;
using torch::jit::Node;

bool is_product(const Node* node) {
  static const std::unordered_set<std::string_view> products = {"aten::conv1d",
                                                                "aten::conv2d",
                                                                "aten::conv3d",
                                                                "aten::convolution",
                                                                "aten::_convolution",
                                                                "aten::conv_transpose1d",
                                                                "aten::conv_transpose2d",
                                                                "aten::conv_transpose3d",
                                                                "aten::linear",
                                                                "aten::addmm",
                                                                "aten::mm",
                                                                "aten::bmm",
                                                                "aten::baddbmm",
                                                                "aten::matmul",
                                                                "aten::einsum",
                                                                "aten::scaled_dot_product_attention",
                                                                "aten::lstm",
                                                                "aten::gru",
                                                                "aten::rnn_tanh",
                                                                "aten::rnn_relu"};
  return products.count(node->kind().toQualString()) != 0;
}

class Counter {
 public:
  void visit(Block* block) {
    for (Node* node : block->nodes()) {
      is_behind_ = is_behind_ || node->kind() == tap_operators().take_z || node->kind() == tap_operators().take_a;
      if (is_product(node)) {
        ++(is_behind_ ? behind_ : before_);
      }
      for (Block* inner : node->blocks()) {
        visit(inner);
      }
    }
  }

  double share() const { return before_ + behind_ == 0 ? 1 : static_cast<double>(behind_) / (before_ + behind_); }

 private:
  bool is_behind_ = false;
  int before_ = 0;
  int behind_ = 0;
};

/// Which share of a graph's convolutions and matrix products, which are nearly all of a network's work, comes behind
/// the first tap in it, in [0, 1]; each counts as one. 1 for a graph without products.
double work_behind_first_tap(torch::jit::Graph& graph) {
  Counter counter;
  counter.visit(graph.block());
  return counter.share();
}

}  // namespace

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
  code_ = checked_code(graph, "pregrad");
}

Run TappedGraph::run(std::vector<c10::IValue> arguments, const Editor* editor) const {
  return run_tapped(code_, sites_, std::move(arguments), editor);
}

Run run_tapped(const torch::jit::Code& code, const TapSites& sites, std::vector<c10::IValue> arguments,
               const Editor* editor) {
  auto record = c10::make_intrusive<CaptureRecord>(sites.sites, sites.names);
  record->editor = editor;
  arguments.push_back(c10::IValue::make_capsule(record));
  try {
    run_code(code, arguments);
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
