#pragma once

#include <cstdint>

#include "cuda/kernel.hpp"
#include "cuda/packs.hpp"

namespace pregrad::cuda {

/// baseline + way · alpha, rounded to T after each operation as LibTorch's own operators do: the compiler is told not
/// to make one instruction of both, which would give other bits.
template <typename T>
PREGRAD_KERNEL T point_between(T baseline, T way, double alpha) {
  if constexpr (sizeof(T) == sizeof(double)) {
    return baseline + way * alpha;
  } else {
    const T product = static_cast<T>(static_cast<float>(way) * static_cast<float>(alpha));
    return static_cast<T>(static_cast<float>(baseline) + static_cast<float>(product));
  }
}

/// float64 as another type, by way of float32 as LibTorch does.
template <typename Out, typename In>
PREGRAD_KERNEL Out narrowed(In value) {
  if constexpr (sizeof(In) == sizeof(Out)) {
    return value;
  } else {
    return static_cast<Out>(static_cast<float>(value));
  }
}

/// Points of the straight path from a baseline: point k is baseline + way · alphas[k]. Baseline and way are read once
/// for all of them.
template <typename In, typename Out>
struct PathPoints : OneStep {
  static constexpr int threads = 256;
  static constexpr int phases = 1;
  static constexpr int blocks_per_processor = 4;
  static constexpr int width = pack_size<Out>;
  static constexpr int most_points = 128;  ///< so that all alphas travel as a parameter
  static constexpr std::int64_t per_block = std::int64_t{threads} * width;
  using Shared = Nothing;

  const In* way = nullptr;       ///< [size]
  const In* baseline = nullptr;  ///< [period], again and again; null for zeros
  Out* result = nullptr;         ///< [points, size]
  std::int64_t size = 0;
  std::int64_t period = 1;
  int points = 0;
  bool is_packed = false;  ///< whether packs may be read and written
  double alphas[most_points];

  std::int64_t blocks() const { return (size + per_block - 1) / per_block; }

  template <int phase>
  PREGRAD_KERNEL void run(const Place& place, Nothing& /*registers*/, Nothing& /*shared*/) const {
    const std::int64_t first = (place.block * threads + place.thread) * width;
    const int count = static_cast<int>(least_of<std::int64_t>(width, size - first));
    if (count <= 0) {
      return;
    }
    Pack<In, width> ways = {};
    Pack<In, width> baselines = {};
    if (is_packed) {
      ways = read_pack<width>(way + first);
      if (baseline != nullptr) {
        baselines = read_pack<width>(baseline + first % period);
      }
    } else {
      PREGRAD_UNROLL
      for (int i = 0; i < width; ++i) {
        if (i < count) {
          ways.values[i] = way[first + i];
          if (baseline != nullptr) {
            baselines.values[i] = baseline[(first + i) % period];
          }
        }
      }
    }
    for (int point = 0; point < points; ++point) {
      Pack<Out, width> pack;
      PREGRAD_UNROLL
      for (int i = 0; i < width; ++i) {
        pack.values[i] = narrowed<Out>(point_between(baselines.values[i], ways.values[i], alphas[point]));
      }
      write_some(result + point * size + first, pack, count, is_packed);
    }
  }
};

}  // namespace pregrad::cuda
