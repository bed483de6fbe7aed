#pragma once

#include <cmath>
#include <cstdint>

#include "cuda/kernel.hpp"

namespace pregrad::cuda {

/// What some samples of a cluster come to, for one neuron.
struct Moments {
  double sum = 0;
  double absolute = 0;
  double spread = 0;  ///< Σ(v − mean)²
};

/// Adds up samples one by one, about the first of them, so that the spread loses nothing to a mean far from zero.
class RunningMoments {
 public:
  PREGRAD_KERNEL void add(double value, bool is_first) {
    if (is_first) {
      shift_ = value;
    }
    const double shifted = value - shift_;
    sum_ += shifted;
    squares_ = std::fma(shifted, shifted, squares_);
    absolute_ += std::fabs(value);
  }

  /// @param divisor by which every value is to be divided
  PREGRAD_KERNEL Moments moments(std::int64_t samples, double divisor) const {
    const auto count = static_cast<double>(samples);
    const double spread = squares_ - sum_ * sum_ / count;
    return {(count * shift_ + sum_) / divisor, absolute_ / divisor, (spread < 0 ? 0 : spread) / (divisor * divisor)};
  }

 private:
  double shift_ = 0;
  double sum_ = 0;
  double squares_ = 0;
  double absolute_ = 0;
};

/// The same of small counts, which whole numbers add up without rounding and with fewer registers.
class RunningCounts {
 public:
  PREGRAD_KERNEL void add(int count, bool is_first) {
    if (is_first) {
      shift_ = count;
    }
    const std::int64_t shifted = count - shift_;
    sum_ += shifted;
    squares_ += shifted * shifted;
  }

  PREGRAD_KERNEL Moments moments(std::int64_t samples, double divisor) const {
    const auto count = static_cast<double>(samples);
    const auto shifted = static_cast<double>(sum_);
    const double sum = static_cast<double>(sum_ + samples * shift_) / divisor;
    const double spread = static_cast<double>(squares_) - shifted * shifted / count;
    return {sum, sum, (spread < 0 ? 0 : spread) / (divisor * divisor)};
  }

 private:
  int shift_ = 0;
  std::int64_t sum_ = 0;
  std::int64_t squares_ = 0;
};

struct CountedMoments {
  std::int64_t samples = 0;
  Moments moments;

  /// Chan, Golub and LeVeque, Am. Stat. 37 (1983).
  PREGRAD_KERNEL void add(const CountedMoments& other) {
    if (other.samples == 0) {
      return;
    }
    if (samples == 0) {
      *this = other;
      return;
    }
    const auto ours = static_cast<double>(samples);
    const auto theirs = static_cast<double>(other.samples);
    const double distance = other.moments.sum / theirs - moments.sum / ours;
    moments.spread += other.moments.spread + distance * distance * (ours * theirs / (ours + theirs));
    moments.sum += other.moments.sum;
    moments.absolute += other.moments.absolute;
    samples += other.samples;
  }
};

}  // namespace pregrad::cuda
