#include "graph/model_graph.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <string>

#include <torch/csrc/jit/ir/alias_analysis.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/passes/remove_mutation.h>

#include "graph/graph_checks.hpp"
#include "graph/hidden_activations.hpp"
#include "graph/rewrites/maximum_pooling.hpp"

namespace pregrad::graph {

namespace {

/// A model that writes into its input must not write into the caller's memory.
void protect_inputs(torch::jit::Graph& graph) {
  const auto shared = graph.shared_from_this();
  torch::jit::Value* input = graph.inputs().at(0);
  if (!torch::jit::AliasDb(shared).hasWriters(input)) {
    return;
  }
  const torch::jit::WithInsertPoint guard(graph.block()->param_node()->next());
  torch::jit::Value* copy = graph.insert(c10::aten::clone, {input});
  input->replaceAllUsesAfterNodeWith(copy->node(), copy);
}

void widen_constants(torch::jit::Block* block) {
  for (torch::jit::Node* node : block->nodes()) {
    for (torch::jit::Block* inner : node->blocks()) {
      widen_constants(inner);
    }
    const auto value = node->kind() == torch::jit::prim::Constant ? torch::jit::toIValue(node->output()) : std::nullopt;
    if (value && value->isTensor() && value->toTensor().scalar_type() == at::kFloat) {
      node->t_(torch::jit::attr::value, value->toTensor().to(at::kDouble));
      node->output()->setType(c10::TensorType::get());
    }
  }
}

/// Calls `visit` with the types of constant tensors, and with those that operators are told to compute in.
void visit_types(torch::jit::Block* block, const std::function<void(at::ScalarType)>& visit) {
  for (torch::jit::Node* node : block->nodes()) {
    for (torch::jit::Block* inner : node->blocks()) {
      visit_types(inner, visit);
    }
    if (node->kind() == torch::jit::prim::Constant) {
      const auto value = torch::jit::toIValue(node->output());
      if (value && value->isTensor() && value->toTensor().defined()) {
        visit(value->toTensor().scalar_type());
      }
      continue;
    }
    const c10::FunctionSchema* schema = node->maybeSchema();
    if (schema == nullptr) {
      continue;
    }
    const bool is_autocast = node->kind() == c10::Symbol::aten("_autocast_to_reduced_precision");
    for (std::size_t i = 0; i < std::min(schema->arguments().size(), node->inputs().size()); ++i) {
      const std::string& name = schema->arguments()[i].name();
      const bool is_type =
          name == "dtype" || (is_autocast && name == "cpu_dtype") || (is_autocast && name == "cuda_dtype");
      const auto value = is_type ? torch::jit::toIValue(node->input(i)) : std::nullopt;
      if (value && value->isInt()) {
        visit(static_cast<at::ScalarType>(value->toInt()));
      }
    }
  }
}

int digits_of(at::ScalarType type) {
  switch (type) {
    case at::kDouble:
      return std::numeric_limits<double>::digits;
    case at::kFloat:
      return std::numeric_limits<float>::digits;
    case at::kHalf:
      return std::numeric_limits<at::Half>::digits;
    default:
      return std::numeric_limits<at::BFloat16>::digits;
  }
}

}  // namespace

ModelGraph::ModelGraph(ReadModel read, c10::Device device)
    : classes_(std::move(read.classes)),
      untouched_(read.module ? std::make_shared<const UntouchedModel>(*std::move(read.module))
                             : std::make_shared<const UntouchedModel>(*read.model.graph)),
      defaults_(std::move(read.defaults)),
      weight_type_(read.weight_type),
      expected_input_(std::move(read.expected_input)),
      device_(device) {
  require_evaluation_mode(read.model);
  require_fixed_graph(read.model);
  uncover_activations(read.model);
  sites_ = find_layer_sites(read.model);
  protect_inputs(*read.model.graph);
  // Where LibTorch can prove that an in-place operation may as well be out of place, nothing that autograd keeps is
  // overwritten; the taps cope with the rest.
  torch::jit::RemoveTensorMutation(read.model.graph, [](const torch::jit::Node* node) {
    return node->kind() != c10::aten::copy_;  // autograd has no derivative of aten::copy
  });
  visit_types(read.model.graph->block(), [&](at::ScalarType type) {
    if (at::isFloatingType(type) && digits_of(type) < digits_of(coarsest_type_)) {
      coarsest_type_ = type;
    }
  });
  rewrites::speed_up_maximum_pooling(*read.model.graph);
  graph_ = read.model.graph;
  folded_ = rewrites::fold_batch_norms(*graph_);
}

torch::jit::Graph& ModelGraph::graph_for(const std::vector<Tap>& taps) const {
  const auto is_folded_away = [&](const Tap& tap) {
    return folded_->without_output.count(tap.site->producer) != 0 ||
           folded_->without_output.count(tap.site->reader) != 0;
  };
  return !folded_ || std::any_of(taps.begin(), taps.end(), is_folded_away) ? *graph_ : *folded_->graph;
}

std::vector<c10::IValue> ModelGraph::arguments(const at::Tensor& inputs) const {
  if (expected_input_) {
    expected_input_->require(inputs);
  }
  std::vector<c10::IValue> arguments = {inputs};
  arguments.insert(arguments.end(), defaults_.begin(), defaults_.end());
  return arguments;
}

ModelGraph ModelGraph::in_double_precision() const {
  ModelGraph wide = *this;
  wide.graph_ = graph_->copy();
  wide.folded_.reset();
  widen_constants(wide.graph_->block());
  if (weight_type_ == at::kFloat) {
    wide.weight_type_ = at::kDouble;
  }
  return wide;
}

}  // namespace pregrad::graph
