#include "statistics/batch_moments.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <span>
#include <utility>

#include "statistics/cluster_accumulator.hpp"
#include "statistics/largest_values.hpp"
#include "statistics/vector_clones.hpp"
#include "support/threads.hpp"

namespace pregrad::statistics {

namespace {

struct Target {
  double* sum;
  double* absolute;
  double* spread;
};

/// Adds up `width` neurons beside each other, in registers.
template <std::size_t width, typename T>
PREGRAD_INLINE void add_up(const T* values, std::size_t neurons, std::span<const std::int64_t> rows,
                           const Target& target) {
  double shift[width];
  double sum[width] = {};
  double squares[width] = {};
  double absolute[width] = {};
  const T* first = values + static_cast<std::size_t>(rows[0]) * neurons;
  for (std::size_t j = 0; j < width; ++j) {
    shift[j] = first[j];
  }
  for (const std::int64_t row : rows) {
    const T* value = values + static_cast<std::size_t>(row) * neurons;
    for (std::size_t j = 0; j < width; ++j) {
      const auto wide = static_cast<double>(value[j]);
      const double shifted = wide - shift[j];
      sum[j] += shifted;
      squares[j] += shifted * shifted;
      absolute[j] += std::abs(wide);
    }
  }
  const auto count = static_cast<double>(rows.size());
  for (std::size_t j = 0; j < width; ++j) {
    target.sum[j] = count * shift[j] + sum[j];
    target.absolute[j] = absolute[j];
    const double spread = squares[j] - sum[j] * sum[j] / count;
    target.spread[j] = spread < 0 ? 0 : spread;  // keeps NaN
  }
}

template <typename T>
PREGRAD_INLINE void add_up(const T* values, std::size_t neurons, std::span<const std::int64_t> rows, std::size_t first,
                           std::size_t last, const Target& target) {
  constexpr std::size_t width = 16;
  std::size_t j = first;
  for (; j + width <= last; j += width) {
    add_up<width>(values + j, neurons, rows, {target.sum + j, target.absolute + j, target.spread + j});
  }
  for (; j < last; ++j) {
    add_up<1>(values + j, neurons, rows, {target.sum + j, target.absolute + j, target.spread + j});
  }
}

PREGRAD_VECTOR_CLONES
void add_up_between(std::span<const float> values, std::size_t neurons, std::span<const std::int64_t> rows,
                    std::size_t first, std::size_t last, const Target& target) {
  add_up(values.data(), neurons, rows, first, last, target);
}

PREGRAD_VECTOR_CLONES
void add_up_between(std::span<const double> values, std::size_t neurons, std::span<const std::int64_t> rows,
                    std::size_t first, std::size_t last, const Target& target) {
  add_up(values.data(), neurons, rows, first, last, target);
}

}  // namespace

BatchMoments::BatchMoments(std::vector<double> sums, std::size_t neurons, const support::ClusterRows& rows)
    : neurons_(neurons), sums_(std::move(sums)) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    counts_.push_back(static_cast<std::int64_t>(rows.rows(i).size()));
  }
}

BatchMoments::BatchMoments(const NeuronValues& values, const support::ClusterRows& rows) : BatchMoments({}, 0, rows) {
  values.visit([&](const auto& span) {
    neurons_ = span.size() / rows.samples();
    sums_.resize(rows.size() * 3 * neurons_);
    // Threads share the neurons, so that their number decides nothing about the order of a sum.
    constexpr std::size_t worth_a_thread = 65536;
    constexpr std::size_t block = 64;
    const std::size_t blocks = (neurons_ + block - 1) / block;
    const auto grain = static_cast<std::int64_t>(std::max<std::size_t>(1, worth_a_thread / (block * rows.samples())));
    support::parallel_for(static_cast<std::int64_t>(blocks), grain, [&](std::int64_t begin, std::int64_t end) {
      for (std::size_t i = 0; i < rows.size(); ++i) {
        double* const sum = sums_.data() + i * 3 * neurons_;
        add_up_between(span, neurons_, rows.rows(i), static_cast<std::size_t>(begin) * block,
                       std::min(neurons_, static_cast<std::size_t>(end) * block),
                       {sum, sum + neurons_, sum + 2 * neurons_});
      }
    });
  });
}

BatchMoments::Moments BatchMoments::of(std::size_t cluster) const {
  const double* const sum = sums_.data() + cluster * 3 * neurons_;
  return {counts_[cluster], neurons_, sum, sum + neurons_, sum + 2 * neurons_};
}

void CentredProducts::add(const Values& values, std::span<const std::int64_t> rows,
                          std::span<const std::int64_t> samples) {
  samples_.insert(samples_.end(), samples.begin(), samples.end());
  for (const std::int64_t row : rows) {
    const std::size_t begin = static_cast<std::size_t>(row) * neurons();
    activation_.add([&](std::size_t j) { return values.activations[begin + j]; });
    const auto append = [&](auto& to, const auto& from) {
      const auto part = from.subspan(begin, neurons());
      to.insert(to.end(), part.begin(), part.end());
    };
    append(products_, values.products);
    append(gradients_, values.gradients);
    if (!samples.empty()) {
      append(positions_, values.positions);
    }
  }
}

void CentredProducts::add(const CentredProducts& other, std::int64_t first) {
  activation_.add(other.activation_);
  products_.insert(products_.end(), other.products_.begin(), other.products_.end());
  gradients_.insert(gradients_.end(), other.gradients_.begin(), other.gradients_.end());
  positions_.insert(positions_.end(), other.positions_.begin(), other.positions_.end());
  std::transform(other.samples_.begin(), other.samples_.end(), std::back_inserter(samples_),
                 [&](std::int64_t sample) { return first + sample; });
}

Statistics CentredProducts::statistics(const std::vector<double>& mean) const {
  ClusterAccumulator accumulator(neurons());
  std::vector<double> sample(neurons());
  // One by one, so that the order in which batches arrived does not show.
  for (std::size_t begin = 0; begin < products_.size(); begin += neurons()) {
    for (std::size_t j = 0; j < neurons(); ++j) {
      sample[j] = products_[begin + j] - mean[j] * gradients_[begin + j];
    }
    accumulator.add(sample);
  }
  return accumulator.statistics();
}

LargestValues CentredProducts::largest(const std::vector<double>& mean, std::size_t most) const {
  LargestValues largest(neurons(), most);
  for (std::size_t row = 0; row < samples_.size(); ++row) {
    for (std::size_t j = 0; j < neurons(); ++j) {
      const std::size_t i = row * neurons() + j;
      largest.add(j, {products_[i] - mean[j] * gradients_[i], samples_[row], positions_[i]});
    }
  }
  return largest;
}

void CentredProducts::save(StateWriter& writer, bool with_samples) const {
  writer.add(static_cast<std::uint64_t>(neurons()));
  for (std::size_t j = 0; j < neurons(); ++j) {
    activation_[j].save(writer);
  }
  writer.add(products_);
  writer.add(gradients_);
  if (with_samples) {
    writer.add(samples_);
    writer.add(positions_);
  }
}

CentredProducts CentredProducts::restored(StateReader& reader, bool with_samples) {
  const auto neurons = reader.get<std::uint64_t>();
  CentredProducts centred(0);
  for (std::uint64_t i = 0; i < neurons; ++i) {
    centred.activation_.push_back(DoubleDouble::restored(reader));
  }
  centred.products_ = reader.list<double>();
  centred.gradients_ = reader.list<double>();
  if (centred.products_.size() != centred.gradients_.size() ||
      (neurons > 0 && centred.products_.size() % neurons != 0)) {
    StateReader::refuse();
  }
  if (with_samples) {
    centred.samples_ = reader.list<std::int64_t>();
    centred.positions_ = reader.list<std::int64_t>();
    const bool has_numbers = !centred.samples_.empty();
    if (centred.positions_.size() != (has_numbers ? centred.products_.size() : 0) ||
        (has_numbers && centred.samples_.size() * neurons != centred.products_.size())) {
      StateReader::refuse();
    }
  }
  return centred;
}

}  // namespace pregrad::statistics
