#pragma once

#include "cuda/kernel.hpp"
#include "cuda/packs.hpp"
#include "cuda/score_quantities.hpp"

namespace pregrad::cuda {

/// Scores of a pair whose neurons lie one after the other (inner is 1): a thread takes two neurons of a chunk's
/// samples, all their positions, and keeps all sums in registers.
/// @tparam one_position whether outer is 1
template <typename T, bool one_position>
struct RowStatistics : OneStep {
  static constexpr int threads = 128;
  static constexpr int phases = 1;
  static constexpr int blocks_per_processor = 3;
  static constexpr int width = 2;
  /// How many lines of neurons are under way at once: 64 bytes of each tensor per thread reach the memory's speed.
  static constexpr int lines = static_cast<int>(64 / (width * sizeof(T)));
  using Shared = Nothing;

  Pair<T> pair;
  Chunks chunks;
  Outputs outputs;
  bool is_packed = false;  ///< whether each thread's neurons may be read at once

  PREGRAD_KERNEL std::int64_t columns() const { return (pair.layout.neurons + width - 1) / width; }
  std::int64_t blocks() const { return (chunks.chunks * columns() + threads - 1) / threads; }

  template <int phase>
  PREGRAD_KERNEL void run(const Place& place, Registers& /*registers*/, Shared& /*shared*/) const {
    const std::int64_t index = place.block * threads + place.thread;
    const std::int64_t chunk = index / columns();
    if (chunk >= chunks.chunks) {
      return;
    }
    const std::int64_t neuron = (index % columns()) * width;
    const std::int64_t positions = one_position ? 1 : pair.layout.outer;
    const std::int64_t first_row = chunks.chunk_begins[chunk];
    const std::int64_t samples = chunks.size(chunk);

    Neuron neurons[width];
    Cursor reading{first_row, 0};
    Cursor adding{first_row, 0};
    for (std::int64_t begin = 0; begin < samples * positions; begin += lines) {
      const int count = static_cast<int>(least_of<std::int64_t>(lines, samples * positions - begin));
      Pack<T, width> x[lines];
      Pack<T, width> y[lines];
      PREGRAD_UNROLL
      for (int i = 0; i < lines; ++i) {
        if (i < count) {
          const std::int64_t line = chunks.rows[reading.row] * positions + reading.position;
          const std::int64_t offset = line * pair.layout.neurons + neuron;
          x[i] = read(pair.x, offset, neuron);
          y[i] = read(pair.y, offset, neuron);
          reading.advance(positions);
        }
      }
      PREGRAD_UNROLL
      for (int i = 0; i < lines; ++i) {
        if (i < count) {
          add(neurons, x[i], y[i], adding, first_row, neuron);
          adding.advance(positions);
        }
      }
    }
    write(neurons, chunk, samples, neuron);
  }

 private:
  /// A line of a chunk.
  struct Cursor {
    std::int64_t row;
    std::int64_t position;

    PREGRAD_KERNEL void advance(std::int64_t positions) {
      if (one_position || ++position == positions) {
        position = 0;
        ++row;
      }
    }
  };

  struct Neuron {
    Sums sums;
    RunningMoments x;
    RunningMoments y;
    RunningMoments products;
    RunningCounts positive;
  };

  PREGRAD_KERNEL Pack<T, width> read(const T* tensor, std::int64_t offset, std::int64_t neuron) const {
    if (tensor == nullptr) {
      return {};
    }
    return read_some<width>(tensor + offset, neuron + 1 < pair.layout.neurons ? 2 : 1, is_packed);
  }

  PREGRAD_KERNEL void add(Neuron (&neurons)[width], const Pack<T, width>& x, const Pack<T, width>& y,
                          const Cursor& cursor, std::int64_t first_row, std::int64_t neuron) const {
    const bool is_first = cursor.row == first_row;
    PREGRAD_UNROLL
    for (int i = 0; i < width; ++i) {
      Neuron& one = neurons[i];
      if (one_position) {
        one.sums = Sums::of_position(widened(x.values[i]), widened(y.values[i]));
      } else {
        one.sums.add(widened(x.values[i]), widened(y.values[i]));
      }
      if (one_position || cursor.position + 1 == pair.layout.outer) {
        if (outputs.of[sum_of_x].is_wanted()) {
          one.x.add(one.sums.x, is_first);
        }
        if (outputs.of[sum_of_y].is_wanted()) {
          one.y.add(one.sums.y, is_first);
        }
        if (outputs.of[sum_of_products].is_wanted()) {
          one.products.add(one.sums.products, is_first);
        }
        if (outputs.of[positive_x].is_wanted()) {
          one.positive.add(one.sums.positive, is_first);
        }
        write_values(one.sums, chunks.rows[cursor.row], neuron + i);
        one.sums = Sums();
      }
    }
  }

  PREGRAD_KERNEL void write_values(const Sums& sums, std::int64_t sample, std::int64_t neuron) const {
    if (neuron >= pair.layout.neurons) {
      return;
    }
    PREGRAD_UNROLL
    for (int quantity = 0; quantity < quantity_count; ++quantity) {
      const QuantityOutput& output = outputs.of[quantity];
      if (output.values != nullptr) {
        output.values[sample * pair.layout.neurons + neuron] = sums.of(quantity) / output.divisor;
      }
    }
  }

  PREGRAD_KERNEL void write(const Neuron (&neurons)[width], std::int64_t chunk, std::int64_t samples,
                            std::int64_t neuron) const {
    PREGRAD_UNROLL
    for (int i = 0; i < width; ++i) {
      if (neuron + i >= pair.layout.neurons) {
        return;
      }
      const Neuron& one = neurons[i];
      const auto write_one = [&](int quantity, const auto& running) {
        const QuantityOutput& output = outputs.of[quantity];
        output.write(chunk, pair.layout.neurons, neuron + i, running.moments(samples, output.divisor));
      };
      write_one(sum_of_x, one.x);
      write_one(sum_of_y, one.y);
      write_one(sum_of_products, one.products);
      write_one(positive_x, one.positive);
    }
  }
};

}  // namespace pregrad::cuda
