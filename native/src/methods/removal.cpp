#include "methods/removal.hpp"

#include <algorithm>
#include <set>

#include <ATen/Functions.h>

#include "cuda/device.hpp"
#include "methods/layer_rerun.hpp"
#include "model/layer_batch.hpp"
#include "pregrad/error.hpp"
#include "pregrad/scores.hpp"
#include "statistics/layer_reference.hpp"

namespace pregrad {

namespace methods {

namespace {

const NeuronConstants& find(const std::vector<NeuronConstants>& constants, const std::string& layer, std::int64_t call,
                            std::int64_t cluster, const std::string& what) {
  const auto found = std::find_if(constants.begin(), constants.end(), [&](const NeuronConstants& each) {
    return each.layer == layer && each.call == call && (!each.cluster || *each.cluster == cluster);
  });
  if (found == constants.end()) {
    throw ArgumentError("there are no " + what + " of layer '" + statistics::to_string(layer, call) + "' for cluster " +
                        std::to_string(cluster) + ": give them for every layer call and cluster");
  }
  return *found;
}

at::Tensor row_of(const NeuronConstants& constants, std::int64_t neurons, const std::string& what) {
  if (static_cast<std::int64_t>(constants.values.size()) != neurons) {
    throw ArgumentError("there are " + std::to_string(constants.values.size()) + " " + what + " of layer '" +
                        statistics::to_string(constants.layer, constants.call) + "', which has " +
                        std::to_string(neurons) + " neurons: give one per neuron");
  }
  return at::tensor(constants.values, at::kDouble);
}

}  // namespace

at::Tensor constants_of(const std::vector<NeuronConstants>& constants, const std::string& layer, std::int64_t call,
                        const at::Tensor& clusters, std::int64_t neurons, const std::string& what) {
  const auto* cluster = clusters.const_data_ptr<std::int64_t>();
  const std::set<std::int64_t> present(cluster, cluster + clusters.size(0));
  if (present.size() == 1) {
    return row_of(find(constants, layer, call, *present.begin(), what), neurons, what).view({1, 1, neurons});
  }
  at::Tensor rows = at::empty({1, clusters.size(0), neurons}, at::kDouble);
  for (const std::int64_t each : present) {
    rows.index_put_({at::Tensor(), clusters == each}, row_of(find(constants, layer, call, each, what), neurons, what));
  }
  return rows;
}

}  // namespace methods

std::vector<NeuronConstants> mean_activations(const Scores& scores) {
  std::vector<NeuronConstants> means;
  std::int64_t count = 0;
  // The clusters of a layer call stand one after the other.
  for (const Score& score : scores.entries()) {
    if (score.method != Method::activation) {
      continue;
    }
    if (score.position) {
      throw ArgumentError("the activations of '" + statistics::to_string(score.layer, score.call) +
                          "' are means at each position: take positions together for the means of neurons");
    }
    if (means.empty() || means.back().layer != score.layer || means.back().call != score.call) {
      means.push_back({score.layer, score.call, std::nullopt, std::vector<double>(score.statistics.mean.size(), 0)});
      count = 0;
    }
    count += score.statistics.count;
    const double weight = static_cast<double>(score.statistics.count) / static_cast<double>(count);
    std::vector<double>& mean = means.back().values;
    for (std::size_t j = 0; j < mean.size(); ++j) {
      mean[j] += weight * (score.statistics.mean[j] - mean[j]);
    }
  }
  if (means.empty()) {
    throw ArgumentError("the scores have no mean activations: compute them with the method activation too");
  }
  return means;
}

}  // namespace pregrad

namespace pregrad::methods {

graph::Stage stage_of(Removal removal) {
  return removal == Removal::zero_preactivation ? graph::Stage::pre_activation : graph::Stage::activation;
}

at::Tensor removed(const at::Tensor& value, std::int64_t neuron_axis, const at::Tensor& masks,
                   const at::Tensor& constants, const at::Tensor& positions) {
  const at::Tensor counted = model::counted_in(value.sizes(), neuron_axis, positions);
  if constexpr (cuda::is_built) {
    if (cuda::takes(value) && !counted.defined() && masks.dim() == 2) {
      return cuda::device_removal(value, neuron_axis, masks, constants);
    }
  }
  const at::Tensor blocks = as_blocks(value.detach(), masks.size(0));
  at::Tensor mask =
      over_neurons(masks.dim() == 2 ? masks.unsqueeze(1) : masks, value.dim(), neuron_axis).to(value.device());
  if (counted.defined()) {
    mask = mask.logical_and(as_blocks(counted, masks.size(0)));
  }
  if (!constants.defined()) {
    return blocks.masked_fill(mask, 0).flatten(0, 1);
  }
  const at::Tensor fill = over_neurons(constants, value.dim(), neuron_axis).to(value.options());
  return at::where(mask, fill, blocks).flatten(0, 1);
}

}  // namespace pregrad::methods
