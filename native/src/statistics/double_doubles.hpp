#pragma once

#include <cstddef>
#include <vector>

#include "statistics/vector_clones.hpp"

namespace pregrad::statistics {

/// A sum kept as an unevaluated pair of doubles (106 bits), so that the order in which batches arrive does not show in
/// its 53 leading bits. Dekker, Numer. Math. 18 (1971); Knuth, TAOCP 2, 4.2.2.
class DoubleDouble {
 public:
  DoubleDouble() = default;
  explicit DoubleDouble(double value) : high_(value) {}

  static DoubleDouble of_parts(double high, double low) { return DoubleDouble(high, low); }

  static DoubleDouble product(double x, double y) {
    const double high = x * y;
    return DoubleDouble(high, product_error(x, y, high));
  }

  PREGRAD_INLINE void add(double value) { *this = DoubleDouble::of(high_, value, low_); }
  PREGRAD_INLINE void add(const DoubleDouble& other) {
    *this = DoubleDouble::of(high_, other.high_, low_ + other.low_);
  }

  DoubleDouble divided_by(double divisor) const {
    const double quotient = high_ / divisor;
    const double product = quotient * divisor;
    const double rest = (high_ - product) - product_error(quotient, divisor, product) + low_;
    return DoubleDouble::of(quotient, rest / divisor, 0);
  }

  DoubleDouble squared() const {
    DoubleDouble square = product(high_, high_);
    square.add(2 * high_ * low_);
    return square;
  }

  DoubleDouble minus(const DoubleDouble& other) const {
    DoubleDouble difference = *this;
    difference.add(DoubleDouble(-other.high_, -other.low_));
    return difference;
  }

  double value() const { return high_ + low_; }
  double high() const { return high_; }
  double low() const { return low_; }

  template <typename Writer>
  void save(Writer& writer) const {
    writer.add(high_);
    writer.add(low_);
  }
  template <typename Reader>
  static DoubleDouble restored(Reader& reader) {
    const auto high = reader.template get<double>();
    return DoubleDouble(high, reader.template get<double>());
  }

 private:
  DoubleDouble(double high, double low) : high_(high), low_(low) {}

  /// x·y − product, to the last bit. Veltkamp's halves rather than std::fma, which without the processor's own
  /// instruction is a call per number and keeps loops out of vector registers.
  static PREGRAD_INLINE double product_error(double x, double y, double product) {
    constexpr double splitter = 0x1.0p27 + 1;
    const double x_big = splitter * x;
    const double y_big = splitter * y;
    const double x_high = x_big - (x_big - x);
    const double y_high = y_big - (y_big - y);
    const double x_low = x - x_high;
    const double y_low = y - y_high;
    return ((x_high * y_high - product) + x_high * y_low + x_low * y_high) + x_low * y_low;
  }

  /// x + y + small, where small is below the rounding of x + y.
  static PREGRAD_INLINE DoubleDouble of(double x, double y, double small) {
    const double sum = x + y;
    const double part = sum - x;
    const double error = (x - (sum - part)) + (y - part) + small;
    const double high = sum + error;
    return DoubleDouble(high, error - (high - sum));
  }

  double high_ = 0;
  double low_ = 0;
};

/// One DoubleDouble per neuron, laid out for vector registers.
class DoubleDoubles {
 public:
  explicit DoubleDoubles(std::size_t count) : high_(count, 0), low_(count, 0) {}

  std::size_t size() const { return high_.size(); }
  DoubleDouble operator[](std::size_t i) const { return DoubleDouble::of_parts(high_[i], low_[i]); }
  void push_back(const DoubleDouble& sum) {
    high_.push_back(sum.high());
    low_.push_back(sum.low());
  }

  /// Adds to every sum the term of its index. Inlined, so that a loop of a function with clones is part of them.
  template <typename Term>
  PREGRAD_INLINE void add(const Term& term) {
    double* high = high_.data();
    double* low = low_.data();
    for (std::size_t i = 0; i < high_.size(); ++i) {
      DoubleDouble sum = DoubleDouble::of_parts(high[i], low[i]);
      sum.add(term(i));
      high[i] = sum.high();
      low[i] = sum.low();
    }
  }
  void add(const DoubleDoubles& other) {
    add([&](std::size_t i) { return other[i]; });
  }

 private:
  std::vector<double> high_;
  std::vector<double> low_;
};

}  // namespace pregrad::statistics
