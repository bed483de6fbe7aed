#include "graph/model_graph.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <string>
#include <utility>

#include <torch/csrc/jit/api/function_impl.h>
#include <torch/csrc/jit/ir/alias_analysis.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/passes/remove_mutation.h>

#include "graph/graph_checks.hpp"
#include "graph/hidden_activations.hpp"
#include "graph/rewrites/maximum_pooling.hpp"
#include "pregrad/error.hpp"
#include "support/tensors.hpp"

namespace pregrad::graph {

namespace {

std::string text(const ExpectedInput& expected) {
  std::string text = "[";
  for (std::size_t axis = 0; axis < expected.axes.size(); ++axis) {
    const ExpectedInput::Axis& each = expected.axes[axis];
    text += axis == 0 ? "" : ", ";
    text += each.size ? std::to_string(*each.size) : axis == 0 ? "batch" : each.symbol.empty() ? "any" : each.symbol;
  }
  return text + "]";
}

[[noreturn]] void refuse(const ExpectedInput& expected, const at::Tensor& inputs, const std::string& reason) {
  throw InputError("the model cannot take inputs " + support::shape_text(inputs.sizes()) + ": it was exported for " +
                   text(expected) + reason);
}

}  // namespace

void ExpectedInput::require(const at::Tensor& inputs) const {
  if (at::isFloatingType(inputs.scalar_type()) != at::isFloatingType(type)) {
    throw InputError(std::string("the inputs have type ") + c10::toString(inputs.scalar_type()) +
                     ", and the model was exported for " + c10::toString(type) + ": convert them, in NumPy with " +
                     (at::isFloatingType(type) ? "x.astype(np.float32)" : "x.astype(np.int64)"));
  }
  if (static_cast<std::size_t>(inputs.dim()) != axes.size()) {
    refuse(*this, inputs, "; give [samples, ...] as its forward expects");
  }
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const Axis& axis = axes[i];
    const std::int64_t size = inputs.size(static_cast<std::int64_t>(i));
    if (axis.size && *axis.size != size && i == 0) {
      refuse(*this, inputs,
             ", a fixed batch; give batches of " + std::to_string(*axis.size) +
                 ", or export it again with dynamic_shapes that make axis 0 a torch.export.Dim");
    }
    if (axis.size && *axis.size != size) {
      refuse(*this, inputs, "; axis " + std::to_string(i) + " must have the size " + std::to_string(*axis.size));
    }
    for (std::size_t other = 0; other < i && !axis.symbol.empty(); ++other) {
      if (axes[other].symbol == axis.symbol && inputs.size(static_cast<std::int64_t>(other)) != size) {
        refuse(*this, inputs, "; all axes '" + axis.symbol + "' must have one size");
      }
    }
    if (size < axis.least || size > axis.most) {
      refuse(*this, inputs,
             "; axis " + std::to_string(i) + " must have a size from " + std::to_string(axis.least) + " to " +
                 (axis.most == std::numeric_limits<std::int64_t>::max() ? "any" : std::to_string(axis.most)));
    }
  }
}

UntouchedModel::UntouchedModel(torch::jit::Module module) : module_(std::move(module)) {}

UntouchedModel::UntouchedModel(torch::jit::Graph& graph) : graph_(graph.copy()) {}

const torch::jit::Code& UntouchedModel::code() const {
  std::call_once(once_, [&] {
    if (module_) {
      // LibTorch's own preparation, regions of autocast included; no executor that watches runs and compiles.
      graph_ = torch::jit::toGraphFunction(module_->get_method("forward").function()).optimized_graph();
    }
    code_ = torch::jit::Code(graph_, "pregrad_untouched");
  });
  return code_;
}

c10::IValue UntouchedModel::run(std::vector<c10::IValue> arguments) const {
  if (module_) {
    arguments.insert(arguments.begin(), module_->_ivalue());
  }
  torch::jit::InterpreterState(code()).run(arguments);
  return std::move(arguments.front());
}

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
      input_name_(std::move(read.input_name)),
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

std::vector<c10::IValue> ModelGraph::arguments(const Inputs& given) const {
  const at::Tensor& inputs = given.only();
  if (const std::string name = given.size() == 1 ? given.begin()->name : ""; !name.empty() && name != input_name_) {
    throw InputError("the model's input is '" + input_name_ + "', and '" + name + "' was given: name it '" +
                     input_name_ + "', or give the tensor without a name");
  }
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
