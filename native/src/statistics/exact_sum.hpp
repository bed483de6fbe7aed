#pragma once

#include <cmath>

namespace pregrad::statistics {

/// A sum kept as an unevaluated pair of doubles (106 bits), so that the order in which batches arrive does not show in
/// its 53 leading bits. Dekker, Numer. Math. 18 (1971); Knuth, TAOCP 2, 4.2.2.
class ExactSum {
 public:
  ExactSum() = default;
  explicit ExactSum(double value) : high_(value) {}

  static ExactSum product(double x, double y) {
    const double high = x * y;
    return ExactSum(high, std::fma(x, y, -high));
  }

  void add(double value) { *this = ExactSum::of(high_, value, low_); }
  void add(const ExactSum& other) { *this = ExactSum::of(high_, other.high_, low_ + other.low_); }

  ExactSum divided_by(double divisor) const {
    const double quotient = high_ / divisor;
    const double rest = std::fma(-quotient, divisor, high_) + low_;
    return ExactSum::of(quotient, rest / divisor, 0);
  }

  ExactSum squared() const {
    ExactSum square = product(high_, high_);
    square.add(2 * high_ * low_);
    return square;
  }

  ExactSum minus(const ExactSum& other) const {
    ExactSum difference = *this;
    difference.add(ExactSum(-other.high_, -other.low_));
    return difference;
  }

  double value() const { return high_ + low_; }

  template <typename Writer>
  void save(Writer& writer) const {
    writer.add(high_);
    writer.add(low_);
  }
  template <typename Reader>
  static ExactSum restored(Reader& reader) {
    const auto high = reader.template get<double>();
    return ExactSum(high, reader.template get<double>());
  }

 private:
  ExactSum(double high, double low) : high_(high), low_(low) {}

  /// x + y + small, where small is below the rounding of x + y.
  static ExactSum of(double x, double y, double small) {
    const double sum = x + y;
    const double part = sum - x;
    const double error = (x - (sum - part)) + (y - part) + small;
    const double high = sum + error;
    return ExactSum(high, error - (high - sum));
  }

  double high_ = 0;
  double low_ = 0;
};

}  // namespace pregrad::statistics
