#pragma once

#include <string>
#include <utility>
#include <vector>

#include <ATen/Functions.h>
#include <torch/csrc/jit/api/module.h>

#include "pregrad/pregrad.hpp"

namespace pregrad::test {

/// A model of a few lines whose parameters a test has by name.
inline Model model_of(const std::string& forward, const std::vector<std::pair<std::string, at::Tensor>>& parameters) {
  torch::jit::Module module("Small");
  for (const auto& [name, value] : parameters) {
    module.register_parameter(name, value, false);
  }
  module.define(forward);
  module.eval();
  return Model::from(module);
}

/// Numbers that are all different and of both signs.
inline at::Tensor spread(at::IntArrayRef shape, double shift, at::ScalarType type = at::kFloat) {
  const std::int64_t count = c10::multiply_integers(shape);
  return at::arange(count, at::kDouble).mul(1.7).add(shift).sin().reshape(shape).to(type);
}

/// The scores of one method with each sample in a cluster of its own.
inline Scores scores_per_sample(const Model& model, AttributionOptions options, const Inputs& inputs,
                                const at::Tensor& labels = {}) {
  Attribution attribution = model.attribution(options);
  attribution.add(inputs, labels, at::arange(inputs.samples()));
  return attribution.scores();
}

/// The values of the first method for each sample of the first layer: float64 [N, neurons].
inline at::Tensor values_per_sample(const Model& model, const AttributionOptions& options, const Inputs& inputs,
                                    const at::Tensor& labels = {}) {
  const Scores scores = scores_per_sample(model, options, inputs, labels);
  std::vector<at::Tensor> rows;
  for (std::int64_t sample = 0; sample < inputs.samples(); ++sample) {
    rows.push_back(at::tensor(scores.of(options.layers.at(0), sample, options.methods.at(0)).mean, at::kDouble));
  }
  return at::stack(rows);
}

}  // namespace pregrad::test
