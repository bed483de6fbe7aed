#pragma once

#include <array>
#include <optional>
#include <vector>

#include <ATen/core/Tensor.h>

#include "attribution/layer_batch.hpp"
#include "pregrad/options.hpp"
#include "statistics/batch_moments.hpp"
#include "statistics/cluster_rows.hpp"

namespace pregrad::attribution {

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
  /// Whether the layer's tensors lie where kernels take them.
  static bool take(const LayerBatch& layer);
  /// Whether the method's values are added up on the device.
  static bool has_moments(Method method);

  /// @param rows must outlive this
  DeviceMethods(const std::vector<Method>& methods, const LayerBatch& layer, const statistics::SampleValues& reduction,
                const statistics::ClusterRows& rows);

  statistics::BatchMoments moments(Method method) const;
  CentredValues centred() const;

 private:
  /// Of z or of a: where in the tensors, now the host's, each quantity stands.
  struct Scores {
    at::Tensor moments;
    at::Tensor values;
    std::array<std::int64_t, 4> moments_at{};
    std::array<std::int64_t, 4> values_at{};
  };

  const statistics::ClusterRows& rows_;
  Scores z_;
  Scores a_;
};

}  // namespace pregrad::attribution
