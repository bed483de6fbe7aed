#include "open.hpp"

#include <pregrad/model.hpp>

namespace pregrad::benchmarks {

Attribution open(const Case& one, bool cuda_graphs) {
  const Model model = Model::load(one.model, one.device);
  AttributionOptions options;
  options.cuda_graphs = cuda_graphs;
  options.layers = one.layers;
  if (one.layers.empty()) {
    for (const Layer& layer : model.layers(one.inputs)) {
      options.layers.push_back(layer.name + "@" + std::to_string(layer.call));
    }
  }
  if (one.floor == "removal") {
    options.methods = {Method::ablation};
  }
  return model.attribution(options);
}

}  // namespace pregrad::benchmarks
