#pragma once

#include "cuda/kernel.hpp"
#include "cuda/packs.hpp"
#include "cuda/score_quantities.hpp"

namespace pregrad::cuda {

/// Copies a tensor, and puts constants where a mask says so.
/// @tparam Word any type of the values' size: nothing is computed
template <typename Word>
struct RemovedNeurons : OneStep {
  static constexpr int threads = 256;
  static constexpr int phases = 1;
  static constexpr int blocks_per_processor = 4;
  static constexpr int width = pack_size<Word>;
  static constexpr std::int64_t per_block = std::int64_t{threads} * width;
  using Shared = Nothing;

  const Word* value = nullptr;
  Word* result = nullptr;
  Layout layout;  ///< samples: those of all copies
  std::int64_t samples_per_copy = 1;
  const bool* masks = nullptr;      ///< [copies, neurons]
  const Word* constants = nullptr;  ///< null for zeros
  std::int64_t copy_stride = 0;     ///< of the constants
  std::int64_t sample_stride = 0;   ///< of the constants
  bool is_packed = false;           ///< whether packs may be read and written

  PREGRAD_KERNEL std::int64_t size() const { return layout.samples * layout.neurons * layout.positions(); }
  std::int64_t blocks() const { return (size() + per_block - 1) / per_block; }

  template <int phase>
  PREGRAD_KERNEL void run(const Place& place, Nothing& /*registers*/, Nothing& /*shared*/) const {
    const std::int64_t first = (place.block * threads + place.thread) * width;
    const int count = static_cast<int>(least_of<std::int64_t>(width, size() - first));
    if (count <= 0) {
      return;
    }
    Pack<Word, width> pack = read_some<width>(value + first, count, is_packed);
    // Divisions of 64 bits are several times the work.
    if (size() <= UINT32_MAX) {
      fill(pack, count, static_cast<std::uint32_t>(first));
    } else {
      fill(pack, count, static_cast<std::uint64_t>(first));
    }
    write_some(result + first, pack, count, is_packed);
  }

 private:
  /// A neuron of a sample of a copy, and what becomes of it.
  struct Neuron {
    bool is_removed;
    Word constant;
  };

  template <typename Index>
  PREGRAD_KERNEL Neuron neuron_at(Index row, Index neuron) const {
    const Index sample = layout.outer == 1 ? row : row / static_cast<Index>(layout.outer);
    const Index copy = sample / static_cast<Index>(samples_per_copy);
    if (!masks[copy * static_cast<Index>(layout.neurons) + neuron]) {
      return {false, 0};
    }
    if (constants == nullptr) {
      return {true, 0};
    }
    const auto member = static_cast<std::int64_t>(sample - copy * static_cast<Index>(samples_per_copy));
    return {true, constants[static_cast<std::int64_t>(copy) * copy_stride + member * sample_stride +
                            static_cast<std::int64_t>(neuron)]};
  }

  template <typename Index>
  PREGRAD_KERNEL void fill(Pack<Word, width>& pack, int count, Index first) const {
    const auto inner = static_cast<Index>(layout.inner);
    const auto neurons = static_cast<Index>(layout.neurons);
    const Index run = first / inner;
    Index position = first - run * inner;
    Index row = run / neurons;
    Index neuron = run - row * neurons;
    Neuron now = neuron_at(row, neuron);
    PREGRAD_UNROLL
    for (int i = 0; i < width; ++i) {
      if (i < count) {
        if (position == inner) {
          position = 0;
          if (++neuron == neurons) {
            neuron = 0;
            ++row;
          }
          now = neuron_at(row, neuron);
        }
        if (now.is_removed) {
          pack.values[i] = now.constant;
        }
        ++position;
      }
    }
  }
};

}  // namespace pregrad::cuda
