#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include <ATen/core/Tensor.h>

#include "pregrad/scores.hpp"
#include "statistics/double_doubles.hpp"
#include "statistics/state.hpp"
#include "support/cluster_rows.hpp"

namespace pregrad::statistics {

/// One value per sample and neuron, a row per sample. float32 values stay so until they are added up.
class NeuronValues {
 public:
  explicit NeuronValues(std::vector<double> values)
      : owned_(std::move(values)), view_(std::span<const double>(owned_)) {}
  /// @param values contiguous, on the CPU, float32 or float64
  explicit NeuronValues(at::Tensor values) : tensor_(std::move(values)) {
    const auto size = static_cast<std::size_t>(tensor_.numel());
    if (tensor_.scalar_type() == at::kDouble) {
      view_ = std::span(tensor_.const_data_ptr<double>(), size);
    } else {
      view_ = std::span(tensor_.const_data_ptr<float>(), size);
    }
  }
  /// @param values must outlive this
  static NeuronValues borrowed(std::span<const double> values) {
    NeuronValues result{std::vector<double>()};
    result.view_ = values;
    return result;
  }
  NeuronValues(NeuronValues&&) = default;  // a moved vector keeps its memory
  NeuronValues& operator=(NeuronValues&&) = default;
  NeuronValues(const NeuronValues&) = delete;
  NeuronValues& operator=(const NeuronValues&) = delete;
  ~NeuronValues() = default;

  /// Calls `body` with a span of all values, in their own type.
  template <typename Body>
  auto visit(const Body& body) const {
    return std::visit(body, view_);
  }

 private:
  std::vector<double> owned_;
  at::Tensor tensor_;
  std::variant<std::span<const double>, std::span<const float>> view_;
};

/// What the samples of each cluster of one batch come to per neuron, in float64, from one pass over the values. The
/// spread is taken about the cluster's first sample: Σ(v − s)² − (Σ(v − s))²/n loses nothing to speak of, because a
/// member of the batch is never further from the mean than √n standard deviations.
class BatchMoments {
 public:
  BatchMoments(const NeuronValues& values, const support::ClusterRows& rows);
  /// What someone else has added up.
  /// @param sums [clusters, 3, neurons]: Σv, Σ|v|, Σ(v − mean)²
  BatchMoments(std::vector<double> sums, std::size_t neurons, const support::ClusterRows& rows);

  /// Of one cluster, one number per neuron.
  struct Moments {
    std::int64_t count = 0;
    std::size_t neurons = 0;
    const double* sum = nullptr;
    const double* absolute = nullptr;
    const double* spread = nullptr;  ///< Σ(v − mean)²
  };

  /// @param cluster counted as in ClusterRows
  Moments of(std::size_t cluster) const;

 private:
  std::size_t neurons_ = 0;
  std::vector<std::int64_t> counts_;
  std::vector<double> sums_;  ///< [clusters, 3, neurons]
};

class LargestValues;

/// Statistics of Σₚ (aₚ − ā)·gₚ over the samples of one cluster, ā the mean of a over the samples of all clusters. ā is
/// known only at the end, so Σₚ aₚ·gₚ and Σₚ gₚ are kept for every sample and neuron.
class CentredProducts {
 public:
  explicit CentredProducts(std::size_t neurons) : activation_(neurons) {}

  /// Per sample and neuron, one row of values per sample.
  struct Values {
    std::span<const double> products;     ///< Σₚ aₚ·gₚ
    std::span<const double> gradients;    ///< Σₚ gₚ
    std::span<const double> activations;  ///< the mean of a over the positions
    /// Where aₚ·gₚ is largest; empty where nobody asks for examples.
    std::span<const std::int64_t> positions;
  };

  /// Adds the samples `rows` of `values`.
  /// @param samples their numbers among all; empty where nobody asks for examples
  void add(const Values& values, std::span<const std::int64_t> rows, std::span<const std::int64_t> samples = {});
  /// Adds what another has kept.
  /// @param first the number of its first sample
  void add(const CentredProducts& other, std::int64_t first = 0);

  std::size_t neurons() const { return activation_.size(); }
  /// What the values of the samples take.
  std::size_t sample_bytes() const {
    return (products_.size() + gradients_.size()) * sizeof(double) +
           (samples_.size() + positions_.size()) * sizeof(std::int64_t);
  }
  /// Σᵢ of the activations, per neuron.
  const DoubleDoubles& activation_sums() const { return activation_; }
  /// @param mean ā, per neuron
  Statistics statistics(const std::vector<double>& mean) const;
  /// The largest values and their samples, as far as these were numbered.
  LargestValues largest(const std::vector<double>& mean, std::size_t most) const;

  /// @param with_samples whether their numbers are part of it
  void save(StateWriter& writer, bool with_samples) const;
  static CentredProducts restored(StateReader& reader, bool with_samples);

 private:
  DoubleDoubles activation_;
  std::vector<double> products_;
  std::vector<double> gradients_;
  std::vector<std::int64_t> samples_;    ///< one per row
  std::vector<std::int64_t> positions_;  ///< one per row and neuron
};

}  // namespace pregrad::statistics
