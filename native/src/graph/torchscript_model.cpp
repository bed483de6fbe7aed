#include "graph/torchscript_model.hpp"

#include <torch/csrc/jit/ir/alias_analysis.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/passes/remove_mutation.h>
#include <torch/csrc/jit/serialization/import.h>

#include "graph/graph_checks.hpp"
#include "graph/libtorch_error.hpp"
#include "graph/model_file.hpp"
#include "graph/module_inliner.hpp"
#include "pregrad/error.hpp"

namespace pregrad::graph {

namespace {

std::optional<at::ScalarType> weight_type_of(const torch::jit::Module& module) {
  for (const at::Tensor& parameter : module.parameters()) {
    if (at::isFloatingType(parameter.scalar_type())) {
      return parameter.scalar_type();
    }
  }
  return std::nullopt;
}

torch::jit::Module read(const std::filesystem::path& file, c10::Device device) {
  require_torchscript_file(file);
  try {
    return torch::jit::load(file.string(), device);
  } catch (const c10::Error& error) {
    throw ModelError("cannot read the model in '" + file.string() + "': " + first_sentence(error) +
                     "; save it again with torch.jit.script(model).save(path)");
  } catch (const std::exception& error) {
    throw ModelError("cannot read the model in '" + file.string() + "': " + first_sentence(error.what()) +
                     "; save it again with torch.jit.script(model).save(path)");
  }
}

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

}  // namespace

TorchScriptModel TorchScriptModel::load(const std::filesystem::path& file, c10::Device device) {
  return TorchScriptModel(read(file, device), device);
}

TorchScriptModel::TorchScriptModel(const torch::jit::Module& module, c10::Device device) : device_(device) {
  torch::jit::Module evaluated = module.clone();
  evaluated.eval();
  classes_ = evaluated._ivalue()->compilation_unit();
  defaults_ = optional_arguments(evaluated);
  weight_type_ = weight_type_of(evaluated);
  InlinedModel inlined = inline_modules(evaluated, device);
  require_fixed_graph(inlined);
  require_evaluation_mode(inlined);
  sites_ = find_layer_sites(inlined);
  protect_inputs(*inlined.graph);
  // Where LibTorch can prove that an in-place operation may as well be out of place, nothing that autograd keeps is
  // overwritten; the taps cope with the rest.
  torch::jit::RemoveTensorMutation(inlined.graph, [](const torch::jit::Node* node) {
    return node->kind() != c10::aten::copy_;  // autograd has no derivative of aten::copy
  });
  graph_ = inlined.graph;
}

std::vector<c10::IValue> TorchScriptModel::arguments(const at::Tensor& inputs) const {
  std::vector<c10::IValue> arguments = {inputs};
  arguments.insert(arguments.end(), defaults_.begin(), defaults_.end());
  return arguments;
}

TorchScriptModel TorchScriptModel::in_double_precision() const {
  TorchScriptModel wide = *this;
  wide.graph_ = graph_->copy();
  widen_constants(wide.graph_->block());
  if (weight_type_ == at::kFloat) {
    wide.weight_type_ = at::kDouble;
  }
  return wide;
}

}  // namespace pregrad::graph
