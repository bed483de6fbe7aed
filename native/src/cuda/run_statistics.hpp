#pragma once

#include "cuda/kernel.hpp"
#include "cuda/packs.hpp"
#include "cuda/score_quantities.hpp"

namespace pregrad::cuda {

/// Scores of a pair in which the positions of a neuron lie one after the other (inner is above 1): a block takes a tile
/// of neighbouring neurons of a chunk's samples. It reads the tile into shared memory sixteen bytes at a time, whatever
/// the runs' lengths and alignment, and adds the runs up from there.
template <typename T>
struct RunStatistics {
  static constexpr int threads = 256;
  static constexpr int phases = 4;
  static constexpr int blocks_per_processor = 3;
  static constexpr int width = pack_size<T>;
  static constexpr int packs = 1024;  ///< of a tile per tensor
  static constexpr int packs_per_thread = packs / threads;
  static constexpr int capacity = packs * width;
  static constexpr int most_neurons = 128;  ///< of a tile
  static constexpr int items = quantity_count * most_neurons / threads;
  static constexpr int fan = 16;  ///< sums that one thread adds up

  struct Shared {
    Pack<T, width> x[packs];
    Pack<T, width> y[packs];
    double sums[quantity_count][threads + threads / fan];  ///< one gap in `fan`, against conflicts of banks
    double second[quantity_count][threads / fan];
  };

  struct Registers {
    std::int64_t sample = 0;  ///< of the chunk
    std::int64_t outer = 0;
    std::int64_t piece = 0;  ///< of a run that is longer than a tile
    Sums sums;               ///< of the sample, so far
    RunningMoments moments[items];
  };

  Pair<T> pair;
  Chunks chunks;
  Outputs outputs;
  int group = 1;                ///< neurons of a tile: a power of two
  std::int64_t pieces = 1;      ///< of a run; above 1 only where a tile has one neuron
  std::int64_t piece_size = 0;  ///< a multiple of `width` where there are several

  PREGRAD_KERNEL std::int64_t tiles() const { return (pair.layout.neurons + group - 1) / group; }
  std::int64_t blocks() const { return chunks.chunks * tiles(); }
  PREGRAD_KERNEL std::int64_t steps(std::int64_t block) const {
    return chunks.size(block / tiles()) * pair.layout.outer * pieces;
  }

  /// Sums are combined when a sample is complete.
  PREGRAD_KERNEL bool skips(int phase, const Registers& registers) const {
    return (phase >= 2 && !is_last(registers)) || (phase == 2 && lanes() <= fan);
  }

  template <int phase>
  PREGRAD_KERNEL void run(const Place& place, Registers& registers, Shared& shared) const {
    const Tile tile = tile_of(place.block, registers);
    if constexpr (phase == 0) {
      stage(place.thread, tile, shared);
    } else if constexpr (phase == 1) {
      add_up(place.thread, tile, registers, shared);
    } else if constexpr (phase == 2) {
      combine_some(place.thread, shared);
    } else {
      add_sample(place.thread, tile, registers, shared);
    }
  }

  PREGRAD_KERNEL void advance(Registers& registers) const {
    if (++registers.piece < pieces) {
      return;
    }
    registers.piece = 0;
    if (++registers.outer < pair.layout.outer) {
      return;
    }
    registers.outer = 0;
    ++registers.sample;
  }

  PREGRAD_KERNEL void finish(const Place& place, const Registers& registers) const {
    const std::int64_t chunk = place.block / tiles();
    const std::int64_t first_neuron = place.block % tiles() * group;
    PREGRAD_UNROLL
    for (int i = 0; i < items; ++i) {
      const int item = place.thread + threads * i;
      const int quantity = item / group;
      const std::int64_t neuron = first_neuron + item % group;
      if (quantity < quantity_count && neuron < pair.layout.neurons) {
        const QuantityOutput& output = outputs.of[quantity];
        output.write(chunk, pair.layout.neurons, neuron,
                     registers.moments[i].moments(chunks.size(chunk), output.divisor));
      }
    }
  }

 private:
  struct Tile {
    std::int64_t sample;  ///< of the batch
    std::int64_t first_neuron;
    std::int64_t offset;  ///< of its first value
    int neurons;
    int run;  ///< values of each neuron
  };

  PREGRAD_KERNEL int lanes() const { return threads / group; }
  PREGRAD_KERNEL bool is_last(const Registers& registers) const {
    return registers.piece + 1 == pieces && registers.outer + 1 == pair.layout.outer;
  }

  PREGRAD_KERNEL Tile tile_of(std::int64_t block, const Registers& registers) const {
    const Layout& layout = pair.layout;
    Tile tile;
    tile.sample = chunks.rows[chunks.chunk_begins[block / tiles()] + registers.sample];
    tile.first_neuron = block % tiles() * group;
    tile.neurons = static_cast<int>(least_of<std::int64_t>(group, layout.neurons - tile.first_neuron));
    tile.run = static_cast<int>(least_of(piece_size, layout.inner - registers.piece * piece_size));
    tile.offset = ((tile.sample * layout.outer + registers.outer) * layout.neurons + tile.first_neuron) * layout.inner +
                  registers.piece * piece_size;
    return tile;
  }

  /// How many values lie between the address and the last one before it from which a pack may be read.
  PREGRAD_KERNEL static int skipped(const T* address) {
    return static_cast<int>(reinterpret_cast<std::uintptr_t>(address) % sizeof(Pack<T, width>) / sizeof(T));
  }

  /// Reads what of the tile can be read in packs; the packs are counted from the last place before the tile from which
  /// one may be read. What is no part of the tile is not read: it may be no part of the tensor.
  PREGRAD_KERNEL static void read_packs(const T* tile, int count, int thread, Pack<T, width> (&to)[packs_per_thread]) {
    PREGRAD_UNROLL
    for (int i = 0; i < packs_per_thread; ++i) {
      const int first = (thread + threads * i) * width - skipped(tile);
      if (first >= 0 && first + width <= count) {
        to[i] = read_pack<width>(tile + first);
      }
    }
  }

  PREGRAD_KERNEL static void write_packs(const T* tile, int count, int thread,
                                         const Pack<T, width> (&from)[packs_per_thread], Pack<T, width> (&to)[packs]) {
    PREGRAD_UNROLL
    for (int i = 0; i < packs_per_thread; ++i) {
      const int first = (thread + threads * i) * width - skipped(tile);
      if (first >= 0 && first + width <= count) {
        to[thread + threads * i] = from[i];
      }
    }
  }

  /// The values before the first whole pack and behind the last, one per thread.
  PREGRAD_KERNEL static void copy_ends(const T* tile, int count, int thread, Pack<T, width> (&to)[packs]) {
    const int head = least_of(count, (width - skipped(tile)) % width);
    const int tail = (count - head) % width;
    const int at = thread < head ? thread : count - tail + thread - head;
    if (thread < head + tail) {
      const int index = skipped(tile) + at;
      to[index / width].values[index % width] = tile[at];
    }
  }

  PREGRAD_KERNEL void stage(int thread, const Tile& tile, Shared& shared) const {
    const int count = tile.neurons * tile.run;
    Pack<T, width> x[packs_per_thread] = {};
    Pack<T, width> y[packs_per_thread] = {};
    // All reads are under way before the first is waited for.
    if (pair.x != nullptr) {
      read_packs(pair.x + tile.offset, count, thread, x);
    }
    if (pair.y != nullptr) {
      read_packs(pair.y + tile.offset, count, thread, y);
    }
    if (pair.x != nullptr) {
      write_packs(pair.x + tile.offset, count, thread, x, shared.x);
      copy_ends(pair.x + tile.offset, count, thread, shared.x);
    }
    if (pair.y != nullptr) {
      write_packs(pair.y + tile.offset, count, thread, y, shared.y);
      copy_ends(pair.y + tile.offset, count, thread, shared.y);
    }
  }

  PREGRAD_KERNEL void add_up(int thread, const Tile& tile, Registers& registers, Shared& shared) const {
    const int neuron = thread / lanes();
    const int lane = thread % lanes();
    if (neuron < tile.neurons && lane < tile.run) {
      const T* const x =
          pair.x == nullptr ? nullptr : shared.x[0].values + skipped(pair.x + tile.offset) + neuron * tile.run;
      const T* const y =
          pair.y == nullptr ? nullptr : shared.y[0].values + skipped(pair.y + tile.offset) + neuron * tile.run;
      const int rounds = (tile.run - lane + lanes() - 1) / lanes();
      // Neighbouring neurons begin at different places, so that runs of a power of two share no bank.
      int round = neuron % rounds;
      for (int i = 0; i < rounds; ++i) {
        const int at = lane + round * lanes();
        registers.sums.add(x == nullptr ? 0 : widened(x[at]), y == nullptr ? 0 : widened(y[at]));
        round = round + 1 == rounds ? 0 : round + 1;
      }
    }
    if (is_last(registers)) {
      PREGRAD_UNROLL
      for (int quantity = 0; quantity < quantity_count; ++quantity) {
        shared.sums[quantity][thread + thread / fan] = registers.sums.of(quantity);
      }
      registers.sums = Sums();
    }
  }

  PREGRAD_KERNEL void combine_some(int thread, Shared& shared) const {
    constexpr int parts = threads / fan;
    if (thread < quantity_count * parts) {
      const double* const from = shared.sums[thread / parts] + thread % parts * (fan + 1);
      double total = 0;
      PREGRAD_UNROLL
      for (int i = 0; i < fan; ++i) {
        total += from[i];
      }
      shared.second[thread / parts][thread % parts] = total;
    }
  }

  PREGRAD_KERNEL void add_sample(int thread, const Tile& tile, Registers& registers, const Shared& shared) const {
    const bool in_parts = lanes() > fan;
    const int count = in_parts ? lanes() / fan : lanes();
    PREGRAD_UNROLL
    for (int i = 0; i < items; ++i) {
      const int quantity = (thread + threads * i) / group;
      const int neuron = (thread + threads * i) % group;
      if (quantity >= quantity_count || neuron >= tile.neurons || !outputs.of[quantity].is_wanted()) {
        continue;
      }
      const int first = neuron * count;
      const double* const from =
          in_parts ? shared.second[quantity] + first : shared.sums[quantity] + first + first / fan;
      double total = 0;
      for (int j = 0; j < count; ++j) {
        total += from[j];
      }
      registers.moments[i].add(total, registers.sample == 0);
      if (outputs.of[quantity].values != nullptr) {
        outputs.of[quantity].values[tile.sample * pair.layout.neurons + tile.first_neuron + neuron] =
            total / outputs.of[quantity].divisor;
      }
    }
  }
};

}  // namespace pregrad::cuda
