#include "statistics/cluster_accumulator.hpp"

#include <algorithm>
#include <cmath>

namespace pregrad::statistics {

void ClusterAccumulator::add(std::span<const double> values, std::span<const std::int64_t> rows) {
  if (rows.empty()) {
    return;
  }
  const std::size_t neurons = sums_.size();
  std::vector<double> sum(neurons, 0);
  std::vector<double> absolute(neurons, 0);
  for (const std::int64_t row : rows) {
    const double* value = values.data() + static_cast<std::size_t>(row) * neurons;
    for (std::size_t j = 0; j < neurons; ++j) {
      sum[j] += value[j];
      absolute[j] += std::abs(value[j]);
    }
  }
  const auto count = static_cast<double>(rows.size());
  std::vector<double> mean(neurons);
  std::transform(sum.begin(), sum.end(), mean.begin(), [&](double each) { return each / count; });
  std::vector<double> spread(neurons, 0);
  for (const std::int64_t row : rows) {
    const double* value = values.data() + static_cast<std::size_t>(row) * neurons;
    for (std::size_t j = 0; j < neurons; ++j) {
      const double deviation = value[j] - mean[j];
      spread[j] += deviation * deviation;
    }
  }
  for (std::size_t j = 0; j < neurons; ++j) {
    sums_[j].sum.add(sum[j]);
    sums_[j].absolute.add(absolute[j]);
    sums_[j].squares.add(ExactSum::product(sum[j], sum[j]).divided_by(count));
    sums_[j].squares.add(spread[j]);
  }
  count_ += static_cast<std::int64_t>(rows.size());
}

Statistics ClusterAccumulator::statistics() const {
  Statistics result;
  result.count = count_;
  const auto count = static_cast<double>(count_);
  for (const Sums& sums : sums_) {
    const ExactSum centre = sums.sum.squared().divided_by(count);
    const double variance = sums.squares.minus(centre).divided_by(count).value();
    result.mean.push_back(sums.sum.divided_by(count).value());
    result.mean_abs.push_back(sums.absolute.divided_by(count).value());
    result.rms.push_back(std::sqrt(std::max(0.0, sums.squares.divided_by(count).value())));
    result.std.push_back(std::sqrt(std::max(0.0, variance)));
  }
  return result;
}

}  // namespace pregrad::statistics
