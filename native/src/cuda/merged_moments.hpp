#pragma once

#include "cuda/kernel.hpp"
#include "cuda/moments.hpp"
#include "cuda/score_quantities.hpp"

namespace pregrad::cuda {

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
