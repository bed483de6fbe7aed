#pragma once

#include "cuda/kernel.hpp"
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

}  // namespace pregrad::cuda
