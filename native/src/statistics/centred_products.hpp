#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "pregrad/scores.hpp"
#include "statistics/exact_sums.hpp"
#include "statistics/state.hpp"

namespace pregrad::statistics {

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
  };

  /// Adds the samples `rows` of `values`.
  void add(const Values& values, std::span<const std::int64_t> rows);
  /// Adds what another has kept.
  void add(const CentredProducts& other);

  std::size_t neurons() const { return activation_.size(); }
  /// Σᵢ of the activations, per neuron.
  const ExactSums& activation_sums() const { return activation_; }
  /// @param mean ā, per neuron
  Statistics statistics(const std::vector<double>& mean) const;

  void save(StateWriter& writer) const;
  static CentredProducts restored(StateReader& reader);

 private:
  ExactSums activation_;
  std::vector<double> products_;
  std::vector<double> gradients_;
};

}  // namespace pregrad::statistics
