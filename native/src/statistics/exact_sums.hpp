#pragma once

#include <cstddef>
#include <vector>

#include "statistics/exact_sum.hpp"

namespace pregrad::statistics {

/// One ExactSum per neuron, laid out for vector registers.
class ExactSums {
 public:
  explicit ExactSums(std::size_t count) : high_(count, 0), low_(count, 0) {}

  std::size_t size() const { return high_.size(); }
  ExactSum operator[](std::size_t i) const { return ExactSum::of_parts(high_[i], low_[i]); }
  void push_back(const ExactSum& sum) {
    high_.push_back(sum.high());
    low_.push_back(sum.low());
  }

  /// Adds to every sum the term of its index.
  template <typename Term>
  void add(const Term& term) {
    double* high = high_.data();
    double* low = low_.data();
    for (std::size_t i = 0; i < high_.size(); ++i) {
      ExactSum sum = ExactSum::of_parts(high[i], low[i]);
      sum.add(term(i));
      high[i] = sum.high();
      low[i] = sum.low();
    }
  }
  void add(const ExactSums& other) {
    add([&](std::size_t i) { return other[i]; });
  }

 private:
  std::vector<double> high_;
  std::vector<double> low_;
};

}  // namespace pregrad::statistics
