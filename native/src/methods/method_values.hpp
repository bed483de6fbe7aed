#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "methods/catalog.hpp"
#include "methods/device_methods.hpp"
#include "model/layer_batch.hpp"
#include "pregrad/options.hpp"
#include "statistics/batch_moments.hpp"

namespace pregrad::methods {

/// What one method gives for the samples of one layer call in a batch.
struct MethodValues {
  statistics::NeuronValues values;
  std::span<const double> differences;  ///< of y along the path, per sample; else empty
  std::optional<CentredValues> centred;
  std::optional<statistics::BatchMoments> moments;  ///< where a device has added the values up; they are empty then
};

/// Where a method's value of a sample comes from: what the value is a sum of or, where its method does not tell that at
/// each position, the activation.
class PositionTerms {
 public:
  /// @param rows the samples that will be asked for, rising
  PositionTerms(Method method, const model::LayerBatch& layer, const statistics::SampleValues& reduction,
                const std::vector<std::int64_t>& rows);

  /// The position of the largest term, among those that count; the first of equal ones.
  std::int64_t largest(std::int64_t row, std::size_t neuron) const;

 private:
  struct Tensor {
    at::Tensor values;               ///< on the CPU, contiguous, float32 or float64; undefined stands for zeros
    std::vector<std::int64_t> rows;  ///< those that are there, rising; empty for all
  };
  static Tensor read(const at::Tensor& tensor, const std::vector<std::int64_t>& rows);
  template <typename T>
  std::int64_t largest_of(std::int64_t row, std::size_t neuron) const;

  std::int64_t neurons_;
  std::int64_t positions_;
  std::int64_t inner_;
  bool is_product_ = false;  ///< of both tensors
  Tensor left_;
  Tensor right_;
  at::Tensor counted_;  ///< bool [samples, positions] on the CPU; undefined where all do
};

/// Reads the values of a layer call's methods, each pair of tensors in one pass for all of them.
class MethodReader {
 public:
  /// Whether the values of each sample are wanted, or what they come to is enough.
  enum class Detail { clusters, samples };

  /// @param layer, reduction, rows must outlive this
  MethodReader(const std::vector<Method>& methods, const model::LayerBatch& layer,
               const statistics::SampleValues& reduction, const support::ClusterRows& rows,
               Detail detail = Detail::clusters);
  /// Reads what a device made of the layer's tensors, which need not be there any more.
  /// @param layer, reduction, rows must outlive this
  MethodReader(const model::LayerBatch& layer, const statistics::SampleValues& reduction,
               const support::ClusterRows& rows, DeviceMethods ready);

  /// The values live no longer than this.
  MethodValues read(Method method) const;

 private:
  statistics::NeuronValues values(const MethodRow& row) const;
  /// The sums of each sample's neurons by the number of its positions that count.
  std::vector<double> means_of(std::vector<double> sums) const;

  const model::LayerBatch& layer_;
  const statistics::SampleValues& reduction_;
  const support::ClusterRows& rows_;
  std::vector<double> counted_;  ///< per sample, how many positions count; empty where all do
  bool takes_gradient_ = false;  ///< the gradient as it is, where nothing else is read with it
  statistics::PositionSums z_;
  statistics::PositionSums a_;
  std::optional<DeviceMethods> device_;  ///< in place of the sums
};

}  // namespace pregrad::methods
