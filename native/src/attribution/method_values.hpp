#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "attribution/layer_batch.hpp"
#include "pregrad/options.hpp"
#include "statistics/centred_products.hpp"
#include "statistics/neuron_values.hpp"

namespace pregrad::attribution {

/// What one method gives for the samples of one layer call in a batch.
struct MethodValues {
  statistics::NeuronValues values;
  std::span<const double> differences;  ///< of y along the path, per sample; else empty
  /// Of the centred method: what it needs to know in the end, per sample and neuron.
  struct Centred {
    std::vector<double> products;
    std::vector<double> gradients;
    std::vector<double> activations;
  };
  std::optional<Centred> centred;
};

/// Reads the values of a layer call's methods, each pair of tensors in one pass for all of them.
class MethodReader {
 public:
  /// @param layer, reduction must outlive this
  MethodReader(const std::vector<Method>& methods, const LayerBatch& layer, const statistics::SampleValues& reduction);

  /// The values live no longer than this.
  MethodValues read(Method method) const;

 private:
  statistics::NeuronValues values(Method method) const;

  const LayerBatch& layer_;
  const statistics::SampleValues& reduction_;
  bool takes_gradient_ = false;  ///< the gradient as it is, where nothing else is read with it
  statistics::PositionSums z_;
  statistics::PositionSums a_;
};

}  // namespace pregrad::attribution
