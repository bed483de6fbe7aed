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

void ClusterAccumulator::save(StateWriter& writer) const {
  writer.add(count_);
  writer.add(static_cast<std::uint64_t>(sums_.size()));
  for (const Sums& sums : sums_) {
    sums.sum.save(writer);
    sums.absolute.save(writer);
    sums.squares.save(writer);
  }
}

ClusterAccumulator ClusterAccumulator::restored(StateReader& reader) {
  const auto count = reader.get<std::int64_t>();
  const auto neurons = reader.get<std::uint64_t>();
  ClusterAccumulator accumulator(0);
  accumulator.count_ = count;
  for (std::uint64_t i = 0; i < neurons; ++i) {
    const ExactSum sum = ExactSum::restored(reader);
    const ExactSum absolute = ExactSum::restored(reader);
    accumulator.sums_.push_back({sum, absolute, ExactSum::restored(reader)});
  }
  return accumulator;
}

Statistics ClusterAccumulator::statistics() const {
  Statistics result;
  result.count = count_;
  const auto count = static_cast<double>(count_);
  for (const Sums& sums : sums_) {
    const ExactSum centre = sums.sum.squared().divided_by(count);
    const double mean_square = sums.squares.divided_by(count).value();
    const double difference = sums.squares.minus(centre).divided_by(count).value();
    // Where all values are one, what is left is the rounding of doubled sums, which the order of batches decides.
    constexpr double rounding = 0x1.0p-96;
    const double variance = difference > rounding * mean_square ? difference : 0;
    result.mean.push_back(sums.sum.divided_by(count).value());
    result.mean_abs.push_back(sums.absolute.divided_by(count).value());
    result.rms.push_back(std::sqrt(std::max(0.0, mean_square)));
    result.std.push_back(std::sqrt(variance));
  }
  return result;
}

}  // namespace pregrad::statistics
