#pragma once

#include <memory>
#include <vector>

#include "attribution/layer_selection.hpp"
#include "attribution/method_needs.hpp"
#include "attribution/model_implementation.hpp"
#include "attribution/score_table.hpp"
#include "pregrad/attribution.hpp"

namespace pregrad {

class Attribution::Implementation {
 public:
  Implementation(std::shared_ptr<const Model::Implementation> model, const AttributionOptions& options);

  void add(const at::Tensor& inputs, const at::Tensor& labels, const at::Tensor& clusters);
  Scores scores() const;

 private:
  std::vector<graph::Tap> taps() const;

  std::shared_ptr<const Model::Implementation> model_;
  AttributionOptions options_;
  attribution::LayerNeeds needs_;
  attribution::LayerSelection selection_;
  graph::TappedGraph graph_;
  attribution::ScoreTable table_;
};

}  // namespace pregrad
