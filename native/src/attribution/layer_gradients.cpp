#include "attribution/layer_gradients.hpp"

#include "attribution/differentiation.hpp"

namespace pregrad::attribution {

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

}  // namespace pregrad::attribution
