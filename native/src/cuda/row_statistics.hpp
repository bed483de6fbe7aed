#pragma once

#include "cuda/kernel.hpp"
#include "cuda/moments.hpp"
#include "cuda/packs.hpp"
#include "cuda/score_quantities.hpp"

namespace pregrad::cuda {

/// Sums over the positions of a pair whose neurons lie one after the other (inner is 1), where there are too few
/// samples and neurons to keep a device busy with one thread for each: a block takes some positions of a sample.
template <typename T>
struct ColumnSums : OneStep {
  static constexpr int threads = 256;
  static constexpr int phases = 2;
  static constexpr int blocks_per_processor = 2;
  static constexpr int width = 4;
  /// 64 bytes of each tensor are under way per thread.
  static constexpr int lines = static_cast<int>(64 / (width * sizeof(T)));
  struct Shared {
    double sums[quantity_count][threads * width];  ///< [lanes, neurons of the tile]
  };

  Pair<T> pair;
  std::int64_t parts = 1;        ///< into which the positions of a sample fall
  std::int64_t part_size = 0;    ///< positions of a part
  int columns = 1;               ///< threads beside each other, with `width` neurons each; a power of two
  bool is_packed = false;        ///< whether each thread's neurons may be read at once
  double* sums[quantity_count];  ///< [samples, parts, neurons]; null where not wanted

  PREGRAD_KERNEL int tile_size() const { return columns * width; }
  PREGRAD_KERNEL std::int64_t tiles() const { return (pair.layout.neurons + tile_size() - 1) / tile_size(); }
  std::int64_t blocks() const { return pair.layout.samples * parts * tiles(); }

  template <int phase>
  PREGRAD_KERNEL void run(const Place& place, Registers& /*registers*/, Shared& shared) const {
    const std::int64_t first_neuron = place.block % tiles() * tile_size();
    const std::int64_t row = place.block / tiles();  // of the sums: a part of a sample
    if constexpr (phase == 0) {
      add_up(place.thread, row, first_neuron, shared);
    } else {
      combine(place.thread, row, first_neuron, shared);
    }
  }

 private:
  /// The i-th neuron of a thread within its tile: without packs, neighbouring threads read neighbours.
  PREGRAD_KERNEL int neuron_of(int column, int i) const {
    return is_packed ? column * width + i : column + columns * i;
  }

  PREGRAD_KERNEL Pack<T, width> read(const T* line, std::int64_t first_neuron, int column) const {
    if (line == nullptr) {
      return {};
    }
    if (is_packed) {
      return read_pack<width>(line + first_neuron + column * width);
    }
    Pack<T, width> pack = {};
    PREGRAD_UNROLL
    for (int i = 0; i < width; ++i) {
      const std::int64_t neuron = first_neuron + neuron_of(column, i);
      if (neuron < pair.layout.neurons) {
        pack.values[i] = line[neuron];
      }
    }
    return pack;
  }

  PREGRAD_KERNEL void add_up(int thread, std::int64_t row, std::int64_t first_neuron, Shared& shared) const {
    const int column = thread % columns;
    const int lane = thread / columns;
    const int lanes = threads / columns;
    const std::int64_t first = row % parts * part_size;
    const std::int64_t count = least_of(part_size, pair.layout.outer - first);
    const std::int64_t start = (row / parts * pair.layout.outer + first) * pair.layout.neurons;
    const bool has_neurons = first_neuron + neuron_of(column, 0) < pair.layout.neurons;

    Sums own[width];
    for (std::int64_t begin = lane; has_neurons && begin < count; begin += static_cast<std::int64_t>(lanes) * lines) {
      Pack<T, width> x[lines];
      Pack<T, width> y[lines];
      PREGRAD_UNROLL
      for (int i = 0; i < lines; ++i) {
        const std::int64_t position = begin + static_cast<std::int64_t>(lanes) * i;
        if (position < count) {
          const std::int64_t offset = start + position * pair.layout.neurons;
          x[i] = read(pair.x == nullptr ? nullptr : pair.x + offset, first_neuron, column);
          y[i] = read(pair.y == nullptr ? nullptr : pair.y + offset, first_neuron, column);
        }
      }
      PREGRAD_UNROLL
      for (int i = 0; i < lines; ++i) {
        if (begin + static_cast<std::int64_t>(lanes) * i < count) {
          PREGRAD_UNROLL
          for (int j = 0; j < width; ++j) {
            own[j].add(widened(x[i].values[j]), widened(y[i].values[j]));
          }
        }
      }
    }
    PREGRAD_UNROLL
    for (int j = 0; j < width; ++j) {
      const int at = lane * tile_size() + neuron_of(column, j);
      PREGRAD_UNROLL
      for (int quantity = 0; quantity < quantity_count; ++quantity) {
        shared.sums[quantity][at] = own[j].of(quantity);
      }
    }
  }

  PREGRAD_KERNEL void combine(int thread, std::int64_t row, std::int64_t first_neuron, const Shared& shared) const {
    const int lanes = threads / columns;
    for (int item = thread; item < quantity_count * tile_size(); item += threads) {
      const int quantity = item / tile_size();
      const int neuron = item % tile_size();
      if (sums[quantity] == nullptr || first_neuron + neuron >= pair.layout.neurons) {
        continue;
      }
      double total = 0;
      for (int lane = 0; lane < lanes; ++lane) {
        total += shared.sums[quantity][lane * tile_size() + neuron];
      }
      sums[quantity][row * pair.layout.neurons + first_neuron + neuron] = total;
    }
  }
};

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

/// Merges the chunks of each cluster, always in the same order.
struct MergedMoments : OneStep {
  static constexpr int threads = 256;
  static constexpr int phases = 2;
  static constexpr int blocks_per_processor = 2;
  static constexpr int columns = 16;  ///< neurons of a block
  static constexpr int lanes = threads / columns;
  struct Shared {
    CountedMoments parts[lanes][columns];
  };

  Chunks chunks;
  std::int64_t neurons = 0;
  const double* from = nullptr;  ///< [chunks, 3, neurons]
  double* to = nullptr;          ///< [clusters, 3, neurons]

  PREGRAD_KERNEL std::int64_t tiles() const { return (neurons + columns - 1) / columns; }
  std::int64_t blocks() const { return chunks.clusters * tiles(); }

  template <int phase>
  PREGRAD_KERNEL void run(const Place& place, Registers& /*registers*/, Shared& shared) const {
    const std::int64_t cluster = place.block / tiles();
    const int column = place.thread % columns;
    const int lane = place.thread / columns;
    const std::int64_t neuron = place.block % tiles() * columns + column;
    if (neuron >= neurons) {
      return;
    }
    if constexpr (phase == 0) {
      const std::int64_t first = chunks.cluster_chunks[cluster];
      const std::int64_t end = chunks.cluster_chunks[cluster + 1];
      const std::int64_t share = (end - first + lanes - 1) / lanes;
      CountedMoments total;
      for (std::int64_t chunk = first + lane * share; chunk < least_of(end, first + (lane + 1) * share); ++chunk) {
        const double* const of_chunk = from + chunk * 3 * neurons + neuron;
        total.add({chunks.size(chunk), {of_chunk[0], of_chunk[neurons], of_chunk[2 * neurons]}});
      }
      shared.parts[lane][column] = total;
    } else if (lane == 0) {
      CountedMoments total;
      for (int i = 0; i < lanes; ++i) {
        total.add(shared.parts[i][column]);
      }
      QuantityOutput output;
      output.moments = to;
      output.write(cluster, neurons, neuron, total.moments);
    }
  }
};

}  // namespace pregrad::cuda
