#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <vector>

#include "cuda/score_quantities.hpp"
#include "support/cluster_rows.hpp"

namespace pregrad::cuda {

/// Gives the chunks of a batch, of at most so many samples each, in memory that kernels read.
using ChunkSource = std::function<Chunks(std::int64_t samples_per_chunk)>;

/// The integers that `Chunks` points at, in one piece.
struct ChunkTable {
  std::vector<std::int64_t> integers;
  std::int64_t samples = 0;
  std::int64_t chunks = 0;
  std::int64_t clusters = 0;

  /// @param memory where the integers lie
  Chunks in(const std::int64_t* memory) const {
    return {memory, memory + samples, memory + samples + chunks + 1, chunks, clusters};
  }
};

/// The greatest number of chunks that so many samples in so many clusters can fall into.
inline std::int64_t most_chunks(std::int64_t samples, std::int64_t clusters, std::int64_t samples_per_chunk) {
  return (samples + clusters * (samples_per_chunk - 1)) / samples_per_chunk;
}

/// Chunks of at most so many samples, none of them of two clusters.
/// @param at_least empty chunks of no cluster follow until there are so many
inline ChunkTable chunk_table(const support::ClusterRows& rows, std::int64_t samples_per_chunk,
                              std::int64_t at_least = 0) {
  std::vector<std::int64_t> begins;
  std::vector<std::int64_t> clusters;
  ChunkTable table;
  for (std::size_t cluster = 0; cluster < rows.size(); ++cluster) {
    clusters.push_back(static_cast<std::int64_t>(begins.size()));
    const auto members = rows.rows(cluster);
    const auto count = static_cast<std::int64_t>(members.size());
    for (std::int64_t first = 0; first < count; first += samples_per_chunk) {
      begins.push_back(static_cast<std::int64_t>(table.integers.size()) + first);
    }
    table.integers.insert(table.integers.end(), members.begin(), members.end());
  }
  table.samples = static_cast<std::int64_t>(table.integers.size());
  table.clusters = static_cast<std::int64_t>(clusters.size());
  clusters.push_back(static_cast<std::int64_t>(begins.size()));
  begins.resize(static_cast<std::size_t>(std::max(at_least, clusters.back())), table.samples);
  table.chunks = static_cast<std::int64_t>(begins.size());
  begins.push_back(table.samples);
  table.integers.insert(table.integers.end(), begins.begin(), begins.end());
  table.integers.insert(table.integers.end(), clusters.begin(), clusters.end());
  return table;
}

}  // namespace pregrad::cuda
