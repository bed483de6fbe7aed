#include "statistics/largest_values.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>
#include <utility>

#include "statistics/vector_clones.hpp"

namespace pregrad::statistics {

namespace {

bool is_before(const LargestValues::Entry& left, const LargestValues::Entry& right) {
  return std::tuple(-left.value, left.sample, left.position) < std::tuple(-right.value, right.sample, right.position);
}

constexpr std::size_t block_size = 16;

/// Whether one of the values of a block is beyond its bound; a loop without branches, which is made of vectors.
template <typename T>
PREGRAD_INLINE bool has_some(const T* values, const double* bounds) {
  int beyond = 0;
  for (std::size_t j = 0; j < block_size; ++j) {
    beyond |= static_cast<double>(values[j]) > bounds[j] ? 1 : 0;
  }
  return beyond != 0;
}

/// Marks the blocks of a row in which a value is beyond its bound.
/// @param blocks one byte each
PREGRAD_VECTOR_CLONES
void find_blocks(const float* values, const double* bounds, std::size_t count, unsigned char* blocks) {
  for (std::size_t i = 0; i < count; ++i) {
    blocks[i] = has_some(values + i * block_size, bounds + i * block_size) ? 1 : 0;
  }
}

PREGRAD_VECTOR_CLONES
void find_blocks(const double* values, const double* bounds, std::size_t count, unsigned char* blocks) {
  for (std::size_t i = 0; i < count; ++i) {
    blocks[i] = has_some(values + i * block_size, bounds + i * block_size) ? 1 : 0;
  }
}

template <typename T>
void add_rows(LargestValues& largest, std::span<const T> values, std::span<const std::int64_t> rows) {
  const std::size_t neurons = largest.neurons();
  const std::size_t whole = neurons / block_size;
  std::vector<unsigned char> blocks(whole);
  for (const std::int64_t row : rows) {
    const T* const first = values.data() + static_cast<std::size_t>(row) * neurons;
    const std::vector<double>& bounds = largest.bounds();
    const auto add_between = [&](std::size_t begin, std::size_t end) {
      for (std::size_t j = begin; j < end; ++j) {
        if (static_cast<double>(first[j]) > bounds[j]) {
          largest.add(j, {static_cast<double>(first[j]), row, 0});
        }
      }
    };
    find_blocks(first, bounds.data(), whole, blocks.data());
    for (std::size_t i = 0; i < whole; ++i) {
      if (blocks[i] != 0) {
        add_between(i * block_size, (i + 1) * block_size);
      }
    }
    add_between(whole * block_size, neurons);
  }
}

}  // namespace

LargestValues::LargestValues(std::size_t neurons, std::size_t most)
    : LargestValues(most, std::vector<double>(neurons, -std::numeric_limits<double>::infinity())) {}

LargestValues::LargestValues(std::size_t most, std::vector<double> bounds)
    : most_(most), entries_(bounds.size() * most), counts_(bounds.size()), bounds_(std::move(bounds)) {}

void LargestValues::add(std::size_t neuron, const Entry& entry) {
  std::uint32_t& count = counts_[neuron];
  Entry* const first = entries_.data() + neuron * most_;
  if (std::isnan(entry.value) || most_ == 0 || (count == most_ && !is_before(entry, first[count - 1]))) {
    return;
  }
  std::size_t place = count == most_ ? most_ - 1 : count++;
  for (; place > 0 && is_before(entry, first[place - 1]); --place) {
    first[place] = first[place - 1];
  }
  first[place] = entry;
  if (count == most_) {
    bounds_[neuron] = std::max(bounds_[neuron], first[count - 1].value);
  }
}

void LargestValues::add(const NeuronValues& values, std::span<const std::int64_t> rows) {
  values.visit([&](const auto& all) { add_rows(*this, all, rows); });
}

void LargestValues::add(const LargestValues& other, const Numbers& numbers) {
  for (std::size_t neuron = 0; neuron < other.neurons(); ++neuron) {
    for (const Entry& entry : other.of(neuron)) {
      add(neuron, {entry.value, numbers.of(entry.sample), entry.position});
    }
  }
}

std::uint64_t LargestValues::bytes(std::size_t neurons, std::size_t most) {
  return most == 0 ? 0 : neurons * (most * sizeof(Entry) + sizeof(std::uint32_t) + sizeof(double));
}

void LargestValues::save(StateWriter& writer) const {
  writer.add(static_cast<std::uint64_t>(neurons()));
  for (std::size_t neuron = 0; neuron < neurons(); ++neuron) {
    writer.add(counts_[neuron]);
    for (const Entry& entry : of(neuron)) {
      writer.add(entry.value);
      writer.add(entry.sample);
      writer.add(entry.position);
    }
  }
}

LargestValues LargestValues::restored(StateReader& reader, std::size_t most) {
  const auto neurons = reader.get<std::uint64_t>();
  LargestValues largest(0, most);
  for (std::uint64_t neuron = 0; neuron < neurons; ++neuron) {
    const auto count = reader.get<std::uint32_t>();
    if (count > most) {
      StateReader::refuse();
    }
    largest.counts_.push_back(0);
    largest.bounds_.push_back(-std::numeric_limits<double>::infinity());
    largest.entries_.resize(largest.entries_.size() + most);
    for (std::uint32_t i = 0; i < count; ++i) {
      Entry entry;
      entry.value = reader.get<double>();
      entry.sample = reader.get<std::int64_t>();
      entry.position = reader.get<std::int64_t>();
      if (std::isnan(entry.value) || entry.sample < 0 || entry.position < 0) {
        StateReader::refuse();
      }
      largest.add(static_cast<std::size_t>(neuron), entry);
    }
  }
  return largest;
}

}  // namespace pregrad::statistics
