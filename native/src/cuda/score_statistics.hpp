#pragma once

#include <algorithm>
#include <cstdint>

#include "cuda/chunk_table.hpp"
#include "cuda/row_statistics.hpp"
#include "cuda/run_statistics.hpp"
#include "cuda/score_quantities.hpp"

namespace pregrad::cuda {

/// Adds up the scores of a pair of tensors, with the kernels that fit its layout. How the work is split depends on the
/// shapes and clusters alone, and nothing is added up in an order that chance decides: the same batch gives the same
/// bits.
///
/// @tparam Runner what starts kernels: `run(kernel)`; and has memory for them, which lives as long as they run:
///         `doubles(count)`
template <typename T, typename Runner>
class ScoreStatistics {
 public:
  /// @param chunks must outlive this
  ScoreStatistics(Runner& runner, const ChunkSource& chunks) : runner_(runner), chunks_of_(chunks) {}

  /// @param outputs moments per cluster
  void add_up(const Pair<T>& pair, const Outputs& outputs) {
    const Layout& layout = pair.layout;
    const std::int64_t row_threads = layout.samples * divided_up(layout.neurons, RowStatistics<T, true>::width);
    constexpr std::int64_t few_positions = 16;
    constexpr std::int64_t enough_threads = 1 << 16;
    if (layout.inner > 1) {
      add_up_runs(pair, outputs);
    } else if (layout.outer <= few_positions || row_threads >= enough_threads) {
      add_up_rows(pair, outputs);
    } else {
      add_up_columns(pair, outputs);
    }
  }

 private:
  static constexpr std::int64_t most_samples_per_chunk = 64;

  static std::int64_t divided_up(std::int64_t number, std::int64_t divisor) { return (number + divisor - 1) / divisor; }

  /// The greatest power of two that is no greater.
  static std::int64_t power_of_two_within(std::int64_t most) {
    std::int64_t power = 1;
    while (2 * power <= most) {
      power *= 2;
    }
    return power;
  }

  /// Runs a kernel over chunks, and merges them where a cluster has several.
  template <typename Kernel>
  void run(Kernel kernel, const Chunks& chunks, const Outputs& outputs) {
    const std::int64_t neurons = kernel.pair.layout.neurons;
    kernel.chunks = chunks;
    kernel.outputs = outputs;
    if (chunks.chunks > chunks.clusters) {
      for (QuantityOutput& output : kernel.outputs.of) {
        output.moments = output.moments == nullptr ? nullptr : runner_.doubles(chunks.chunks * 3 * neurons);
      }
    }
    runner_.run(kernel);
    for (int quantity = 0; quantity < quantity_count; ++quantity) {
      double* const moments = outputs.of[quantity].moments;
      if (chunks.chunks > chunks.clusters && moments != nullptr) {
        MergedMoments merged;
        merged.chunks = chunks;
        merged.neurons = neurons;
        merged.from = kernel.outputs.of[quantity].moments;
        merged.to = moments;
        runner_.run(merged);
      }
    }
  }

  void add_up_runs(const Pair<T>& pair, const Outputs& outputs) {
    using Kernel = RunStatistics<T>;
    const Layout& layout = pair.layout;
    const auto is_whole = [&](const T* tensor) { return tensor == nullptr || is_aligned<Kernel::width>(tensor); };
    const bool fits = layout.inner % Kernel::width == 0 && is_whole(pair.x) && is_whole(pair.y);
    // A tile that begins within a pack reaches into one more.
    const std::int64_t most = fits ? Kernel::capacity : Kernel::capacity - Kernel::width;
    Kernel kernel;
    kernel.pair = pair;
    if (layout.inner <= most) {
      kernel.group = static_cast<int>(power_of_two_within(
          std::min<std::int64_t>({most / layout.inner, Kernel::most_neurons, 2 * layout.neurons - 1})));
      kernel.piece_size = layout.inner;
    } else {
      kernel.pieces = divided_up(layout.inner, most);
      kernel.piece_size = divided_up(divided_up(layout.inner, kernel.pieces), Kernel::width) * Kernel::width;
      kernel.pieces = divided_up(layout.inner, kernel.piece_size);
    }
    // So many blocks that the last ones to run do not leave a device idle for long.
    constexpr std::int64_t enough_blocks = 8192;
    run(kernel,
        chunks_of_(
            std::clamp<std::int64_t>(layout.samples * kernel.tiles() / enough_blocks, 1, most_samples_per_chunk)),
        outputs);
  }

  void add_up_rows(const Pair<T>& pair, const Outputs& outputs) {
    const std::int64_t threads = pair.layout.samples * divided_up(pair.layout.neurons, RowStatistics<T, true>::width);
    const std::int64_t most = pair.layout.outer == 1 ? 4 * most_samples_per_chunk : most_samples_per_chunk;
    constexpr std::int64_t enough_threads = 1 << 17;
    run_rows(pair, chunks_of_(std::clamp<std::int64_t>(threads / enough_threads, 1, most)), outputs);
  }

  template <typename Value>
  void run_rows(const Pair<Value>& pair, const Chunks& chunks, const Outputs& outputs) {
    const auto run_kernel = [&](auto kernel) {
      constexpr int width = decltype(kernel)::width;
      const auto is_whole = [](const Value* tensor) { return tensor == nullptr || is_aligned<width>(tensor); };
      kernel.pair = pair;
      kernel.is_packed = pair.layout.neurons % width == 0 && is_whole(pair.x) && is_whole(pair.y);
      run(kernel, chunks, outputs);
    };
    if (pair.layout.outer == 1) {
      run_kernel(RowStatistics<Value, true>());
    } else {
      run_kernel(RowStatistics<Value, false>());
    }
  }

  /// First sums over parts of the positions, then what these come to.
  void add_up_columns(const Pair<T>& pair, const Outputs& outputs) {
    using Kernel = ColumnSums<T>;
    const Layout& layout = pair.layout;
    constexpr std::int64_t most_columns = 16;
    constexpr std::int64_t enough_blocks = 8192;
    constexpr std::int64_t positions_per_thread = 16;
    const auto is_whole = [](const T* tensor) { return tensor == nullptr || is_aligned<Kernel::width>(tensor); };
    Kernel kernel;
    kernel.pair = pair;
    kernel.is_packed = layout.neurons % Kernel::width == 0 && is_whole(pair.x) && is_whole(pair.y);
    kernel.columns = static_cast<int>(
        power_of_two_within(std::min(most_columns, 2 * divided_up(layout.neurons, Kernel::width) - 1)));
    const std::int64_t lanes = Kernel::threads / kernel.columns;
    const std::int64_t parts =
        std::clamp<std::int64_t>(enough_blocks / (layout.samples * kernel.tiles()), 1,
                                 std::max<std::int64_t>(1, layout.outer / (lanes * positions_per_thread)));
    kernel.part_size = divided_up(layout.outer, parts);
    kernel.parts = divided_up(layout.outer, kernel.part_size);
    for (int quantity = 0; quantity < quantity_count; ++quantity) {
      kernel.sums[quantity] =
          outputs.of[quantity].is_wanted() ? runner_.doubles(layout.samples * kernel.parts * layout.neurons) : nullptr;
    }
    runner_.run(kernel);
    const Chunks chunks = chunks_of_(1 + layout.samples / most_samples_per_chunk);
    for (int quantity = 0; quantity < quantity_count; ++quantity) {
      if (kernel.sums[quantity] != nullptr) {
        Outputs of_sums;
        of_sums.of[sum_of_x] = outputs.of[quantity];
        run_rows(Pair<double>{kernel.sums[quantity], nullptr, {layout.samples, kernel.parts, layout.neurons, 1}},
                 chunks, of_sums);
      }
    }
  }

  Runner& runner_;
  const ChunkSource& chunks_of_;
};

}  // namespace pregrad::cuda
