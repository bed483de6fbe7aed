#include "model/differentiation.hpp"

#include <algorithm>
#include <string>

#include <ATen/Functions.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/engine.h>
#include <torch/csrc/autograd/variable.h>

#include "pregrad/error.hpp"
#include "statistics/layer_reference.hpp"
#include "support/failures.hpp"
#include "support/tensors.hpp"

namespace pregrad::model {

namespace {

at::Tensor transformed(const at::Tensor& outputs, Output output) {
  if (output != Output::logit && outputs.size(1) == 1) {
    throw ArgumentError("the model has one output, whose " + std::string(name_of(output)) +
                        " by softmax never changes: use output logit");
  }
  const c10::AutoGradMode with_history(true);
  switch (output) {
    case Output::logit:
      return outputs;
    case Output::probability:
      return at::softmax(outputs, 1);
    case Output::log_probability:
      return at::log_softmax(outputs, 1);
  }
  throw InternalError("an output without a formula: " + std::to_string(static_cast<int>(output)));
}

/// 1 at each sample's target, 0 elsewhere.
at::Tensor one_hot(const at::Tensor& y, const at::Tensor& targets) {
  at::Tensor selection = at::zeros(y.sizes(), y.options().requires_grad(false));
  if (!selection.is_cpu() || selection.scalar_type() != at::kFloat) {
    return selection.scatter_(1, targets.unsqueeze(1), 1);
  }
  const auto* target = targets.const_data_ptr<std::int64_t>();
  auto* row = selection.mutable_data_ptr<float>();
  for (std::int64_t i = 0; i < selection.size(0); ++i, row += selection.size(1)) {
    row[target[i]] = 1;
  }
  return selection;
}

}  // namespace

at::Tensor as_outputs(const at::Tensor& output, std::int64_t samples) {
  if (!at::isFloatingType(output.scalar_type())) {
    throw UnsupportedModelError(std::string("the model's output has type ") + c10::toString(output.scalar_type()) +
                                ", which has no gradient: return logits");
  }
  if (output.dim() == 0 || output.dim() > 2 || output.size(0) != samples || output.numel() == 0) {
    throw UnsupportedModelError("the model's output has shape " + support::shape_text(output.sizes()) + " for " +
                                std::to_string(samples) +
                                " samples: it must be [samples, outputs]; wrap the model so that it is");
  }
  const c10::AutoGradMode with_history(true);
  return output.dim() == 1 ? output.unsqueeze(1) : output;
}

void require_finite_outputs(const at::Tensor& outputs) {
  if (const auto sample = support::first_sample_not_finite(outputs)) {
    throw InputError("the model's output for sample " + std::to_string(*sample) +
                     " is NaN or infinite: remove or repair that sample, or the model");
  }
}

void require_targets(std::int64_t count, const at::Tensor& labels, const Target& target) {
  switch (target.kind()) {
    case Target::Kind::predicted:
      return;
    case Target::Kind::index:
      if (target.index() < 0 || target.index() >= count) {
        throw ArgumentError("target " + std::to_string(target.index()) +
                            " is outside the model's outputs: choose 0 to " + std::to_string(count - 1));
      }
      return;
    case Target::Kind::label:
      break;
  }
  if (!labels.defined()) {
    throw InputError(
        "the target is the label, but there are no labels: give them, or choose target predicted or an index");
  }
  const auto* label = labels.const_data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < labels.size(0); ++i) {
    if (label[i] < 0 || label[i] >= count) {
      throw InputError("label " + std::to_string(label[i]) + " of sample " + std::to_string(i) +
                       " is outside the model's outputs: labels go from 0 to " + std::to_string(count - 1));
    }
  }
}

at::Tensor target_indices(const at::Tensor& outputs, const at::Tensor& labels, const Target& target) {
  require_targets(outputs.size(1), labels, target);
  return checked_target_indices(outputs, labels, target);
}

at::Tensor checked_target_indices(const at::Tensor& outputs, const at::Tensor& labels, const Target& target) {
  switch (target.kind()) {
    case Target::Kind::predicted:
      return outputs.detach().argmax(1);
    case Target::Kind::index:
      return at::full({outputs.size(0)}, target.index(), outputs.options().dtype(at::kLong));
    case Target::Kind::label:
      break;
  }
  return support::uploaded(labels, outputs.device());
}

at::Tensor selected_outputs(const at::Tensor& outputs, const at::Tensor& targets, Output output) {
  const bool is_plain = output == Output::logit && outputs.scalar_type() == at::kFloat && outputs.is_cpu() &&
                        outputs.is_contiguous() && targets.is_contiguous();
  if (is_plain) {
    // Removals come here once per neuron: four operators less each time.
    at::Tensor selected = at::empty({outputs.size(0)}, at::kDouble);
    auto* y = selected.mutable_data_ptr<double>();
    const auto* row = outputs.const_data_ptr<float>();
    const auto* target = targets.const_data_ptr<std::int64_t>();
    for (std::int64_t i = 0; i < outputs.size(0); ++i, row += outputs.size(1)) {
      y[i] = static_cast<double>(row[target[i]]);
    }
    return selected;
  }
  return transformed(outputs.detach(), output).gather(1, targets.unsqueeze(1)).squeeze(1).to(at::kDouble);
}

std::vector<at::Tensor> differentiate(const at::Tensor& outputs, const at::Tensor& targets, Output output,
                                      const torch::autograd::edge_list& edges, bool keep_graph) {
  const at::Tensor y = transformed(outputs, output);
  if (!y.requires_grad() || edges.empty()) {
    return std::vector<at::Tensor>(edges.size());
  }
  try {
    return torch::autograd::Engine::get_default_engine().execute({torch::autograd::impl::gradient_edge(y)},
                                                                 {one_hot(y, targets)}, keep_graph,
                                                                 /*create_graph=*/false,
                                                                 /*accumulate_grad=*/false, edges);
  } catch (const c10::Error& error) {
    if (support::device_failure(error) != support::DeviceFailure::none) {
      throw;
    }
    const std::string reason = support::first_sentence(error);
    const bool is_fused = reason.find("_transformer_encoder_layer_fwd") != std::string::npos ||
                          reason.find("_native_multi_head_attention") != std::string::npos;
    throw UnsupportedModelError("LibTorch cannot differentiate this model: " + reason +
                                (is_fused ? "; trace it with gradients enabled, or script it"
                                          : "; check that the same model trains in PyTorch"));
  }
}

void differentiate_layers(std::vector<LayerBatch>& layers, const at::Tensor& outputs, const at::Tensor& targets,
                          Output output, bool keep_graph) {
  torch::autograd::edge_list edges;
  struct Destination {
    const graph::Captured* captured;
    at::Tensor* gradient;
  };
  std::vector<Destination> destinations;
  for (LayerBatch& layer : layers) {
    for (auto [captured, gradient] : {std::pair(&layer.z, &layer.z_gradient), std::pair(&layer.a, &layer.a_gradient)}) {
      if (captured->edge.is_valid()) {
        edges.push_back(captured->edge);
        destinations.push_back({captured, gradient});
      }
    }
  }
  std::vector<at::Tensor> gradients = differentiate(outputs, targets, output, edges, keep_graph);
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    const auto& from_base = destinations[i].captured->gradient_from_base;
    *destinations[i].gradient = from_base && gradients[i].defined() ? from_base(gradients[i]) : std::move(gradients[i]);
  }
}

void require_influence(const std::vector<LayerBatch>& layers) {
  const auto is_reached = [](const LayerBatch& layer) {
    return layer.z_gradient.defined() || layer.a_gradient.defined();
  };
  for (const LayerBatch& layer : layers) {
    const bool has_influence = std::any_of(layers.begin(), layers.end(), [&](const LayerBatch& other) {
      return other.name == layer.name && is_reached(other);
    });
    if (!has_influence) {
      throw LayerError(
          "layer '" + statistics::to_string(layer.name, layer.call) +
          "' has no influence on the model's output that a gradient could tell: what it computes goes "
          "into nothing, into another output only (the first one counts), or through detach or torch.no_grad; "
          "name a layer on the way to the output, or methods without gradients");
    }
  }
}

}  // namespace pregrad::model
