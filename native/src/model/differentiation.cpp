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

/// What y is made of per entry of the outputs.
at::Tensor seed_of(const at::Tensor& y, const Targets& targets) {
  return targets.indices.defined() ? one_hot(y, targets.indices) : targets.selection.to(y.scalar_type());
}

}  // namespace

std::vector<at::Tensor> differentiate(const OutputRows& outputs, const Targets& targets, Output output,
                                      const torch::autograd::edge_list& edges, bool keep_graph) {
  const at::Tensor y = transformed(outputs, output);
  if (!y.requires_grad() || edges.empty()) {
    return std::vector<at::Tensor>(edges.size());
  }
  try {
    return torch::autograd::Engine::get_default_engine().execute({torch::autograd::impl::gradient_edge(y)},
                                                                 {seed_of(y, targets)}, keep_graph,
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

void differentiate_layers(std::vector<LayerBatch>& layers, const OutputRows& outputs, const Targets& targets,
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
  for (LayerBatch& layer : layers) {
    layer.arrange_gradients();
  }
}

const LayerBatch* layer_without_influence(const std::vector<LayerBatch>& layers) {
  const auto is_reached = [](const LayerBatch& layer) {
    return layer.z_gradient.defined() || layer.a_gradient.defined();
  };
  const auto found = std::find_if(layers.begin(), layers.end(), [&](const LayerBatch& layer) {
    return std::none_of(layers.begin(), layers.end(),
                        [&](const LayerBatch& other) { return other.name == layer.name && is_reached(other); });
  });
  return found == layers.end() ? nullptr : &*found;
}

void require_influence(const std::vector<LayerBatch>& layers) {
  if (const LayerBatch* layer = layer_without_influence(layers)) {
    throw LayerError("layer '" + statistics::to_string(layer->name, layer->call) +
                     "' has no influence on the model's output that a gradient could tell: what it computes goes "
                     "into nothing, into another output only (logits, else the first one counts where none is named), "
                     "or through detach or "
                     "torch.no_grad; name a layer on the way to the output, or methods without gradients");
  }
}

}  // namespace pregrad::model
