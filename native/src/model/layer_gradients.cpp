#include "model/layer_gradients.hpp"

#include <algorithm>

#include "model/differentiation.hpp"
#include "pregrad/error.hpp"
#include "statistics/layer_reference.hpp"

namespace pregrad::model {

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
