#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include <ATen/core/Tensor.h>

#include "cuda/score_quantities.hpp"
#include "model/layer_batch.hpp"
#include "pregrad/options.hpp"
#include "statistics/batch_moments.hpp"
#include "support/cluster_rows.hpp"

namespace pregrad::methods {

/// Of the centred method: what it needs to know in the end, per sample and neuron.
struct CentredValues {
  std::vector<double> products;
  std::vector<double> gradients;
  std::vector<double> activations;
};

/// What the methods of a layer call come to where its tensors lie on a device: each pair of them is read there in one
/// pass, and only sums per cluster come back.
class DeviceMethods {
 public:
  /// What starts the kernels: score_tensors on some device.
  using Kernels = std::function<cuda::ScoreTensors(const at::Tensor& x, const at::Tensor& y, std::int64_t neuron_axis,
                                                   const cuda::WantedQuantities& wanted)>;

  /// Whether the layer's tensors lie where kernels take them.
  static bool take(const model::LayerBatch& layer);
  /// Whether the method's values are added up on the device.
  static bool has_moments(Method method);

  /// Starts the kernels, and waits for nothing.
  /// @param clusters how many the batch has
  DeviceMethods(const std::vector<Method>& methods, const model::LayerBatch& layer,
                const statistics::SampleValues& reduction, std::int64_t clusters, const Kernels& kernels);

  /// What the kernels wrote, float64; some may be empty, and what is 0 whatever the batch may lie on the host.
  std::array<at::Tensor*, 4> results();
  /// Brings the results to the host, which all below reads.
  void fetch();

  statistics::BatchMoments moments(Method method, const support::ClusterRows& rows) const;
  CentredValues centred() const;

 private:
  /// Of z or of a: where in the tensors each quantity stands.
  struct Scores {
    at::Tensor moments;
    at::Tensor values;
    std::array<std::int64_t, 4> moments_at{};
    std::array<std::int64_t, 4> values_at{};
  };

  Scores z_;
  Scores a_;
};

}  // namespace pregrad::methods
