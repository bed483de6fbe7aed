#include "statistics/cluster_accumulator.hpp"

#include <algorithm>
#include <cmath>

#include "statistics/vector_clones.hpp"

namespace pregrad::statistics {

namespace {

PREGRAD_VECTOR_CLONES
void add_moments(const BatchMoments::Moments& moments, DoubleDoubles& sum, DoubleDoubles& absolute,
                 DoubleDoubles& squares) {
  const auto count = static_cast<double>(moments.count);
  sum.add([&](std::size_t j) { return moments.sum[j]; });
  absolute.add([&](std::size_t j) { return moments.absolute[j]; });
  squares.add([&](std::size_t j) {
    DoubleDouble square = DoubleDouble::product(moments.sum[j], moments.sum[j]).divided_by(count);
    square.add(moments.spread[j]);
    return square;
  });
}

}  // namespace

void ClusterAccumulator::add(const BatchMoments::Moments& moments) {
  add_moments(moments, sum_, absolute_, squares_);
  count_ += moments.count;
}

void ClusterAccumulator::add(std::span<const double> sample) {
  sum_.add([&](std::size_t j) { return sample[j]; });
  absolute_.add([&](std::size_t j) { return std::abs(sample[j]); });
  squares_.add([&](std::size_t j) { return DoubleDouble::product(sample[j], sample[j]); });
  ++count_;
}

void ClusterAccumulator::add(const ClusterAccumulator& other) {
  sum_.add(other.sum_);
  absolute_.add(other.absolute_);
  squares_.add(other.squares_);
  count_ += other.count_;
}

void ClusterAccumulator::save(StateWriter& writer) const {
  writer.add(count_);
  writer.add(static_cast<std::uint64_t>(neurons()));
  for (std::size_t j = 0; j < neurons(); ++j) {
    sum_[j].save(writer);
    absolute_[j].save(writer);
    squares_[j].save(writer);
  }
}

ClusterAccumulator ClusterAccumulator::restored(StateReader& reader) {
  const auto count = reader.get<std::int64_t>();
  const auto neurons = reader.get<std::uint64_t>();
  ClusterAccumulator accumulator(0);
  accumulator.count_ = count;
  for (std::uint64_t i = 0; i < neurons; ++i) {
    accumulator.sum_.push_back(DoubleDouble::restored(reader));
    accumulator.absolute_.push_back(DoubleDouble::restored(reader));
    accumulator.squares_.push_back(DoubleDouble::restored(reader));
  }
  return accumulator;
}

Statistics ClusterAccumulator::statistics() const {
  Statistics result;
  result.count = count_;
  const auto count = static_cast<double>(count_);
  for (std::size_t j = 0; j < neurons(); ++j) {
    const DoubleDouble centre = sum_[j].squared().divided_by(count);
    const double mean_square = squares_[j].divided_by(count).value();
    const double difference = squares_[j].minus(centre).divided_by(count).value();
    // Where all values are one, what is left is the rounding of doubled sums, which the order of batches decides.
    constexpr double rounding = 0x1.0p-96;
    const double variance = difference > rounding * mean_square ? difference : 0;
    result.mean.push_back(sum_[j].divided_by(count).value());
    result.mean_abs.push_back(absolute_[j].divided_by(count).value());
    result.rms.push_back(std::sqrt(std::max(0.0, mean_square)));
    result.std.push_back(std::sqrt(variance));
  }
  return result;
}

}  // namespace pregrad::statistics
