#include "attribution/layer_gradients.hpp"

#include "attribution/differentiation.hpp"

namespace pregrad::attribution {

void differentiate_layers(std::vector<LayerBatch>& layers, const at::Tensor& outputs, const at::Tensor& targets,
                          Output output) {
  torch::autograd::edge_list edges;
  std::vector<at::Tensor*> destinations;
  for (LayerBatch& layer : layers) {
    for (auto [captured, gradient] : {std::pair(&layer.z, &layer.z_gradient), std::pair(&layer.a, &layer.a_gradient)}) {
      if (captured->edge.is_valid()) {
        edges.push_back(captured->edge);
        destinations.push_back(gradient);
      }
    }
  }
  std::vector<at::Tensor> gradients = differentiate(outputs, targets, output, edges);
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    *destinations[i] = std::move(gradients[i]);
  }
}

}  // namespace pregrad::attribution
