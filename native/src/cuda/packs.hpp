#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

#include <c10/util/BFloat16.h>
#include <c10/util/Half.h>

#include "cuda/kernel.hpp"

namespace pregrad::cuda {

/// Neighbours in memory that move together.
template <typename T, int count>
struct alignas(sizeof(T) * count < 16 ? sizeof(T) * count : 16) Pack {
  T values[count];
};

/// How many values move in sixteen bytes, the most that one instruction takes.
template <typename T>
constexpr int pack_size = static_cast<int>(16 / sizeof(T));

template <int count, typename T>
PREGRAD_KERNEL inline bool is_aligned(const T* address) {
  return reinterpret_cast<std::uintptr_t>(address) % alignof(Pack<T, count>) == 0;
}

#if defined(__CUDA_ARCH__)
/// The widest type that a pack is a whole number of.
template <typename Packed>
using WordOf =
    std::conditional_t<sizeof(Packed) % 16 == 0, uint4,
                       std::conditional_t<sizeof(Packed) % 8 == 0, uint2,
                                          std::conditional_t<sizeof(Packed) % 4 == 0, unsigned int, unsigned short>>>;
#endif

/// Reads values that nobody reads again soon. `from` is aligned to the pack.
template <int count, typename T>
PREGRAD_KERNEL inline Pack<T, count> read_pack(const T* from) {
  Pack<T, count> pack;
#if defined(__CUDA_ARCH__)
  using Word = WordOf<Pack<T, count>>;
#pragma unroll
  for (unsigned i = 0; i < sizeof(pack) / sizeof(Word); ++i) {
    const Word word = __ldcs(reinterpret_cast<const Word*>(from) + i);
    memcpy(reinterpret_cast<char*>(&pack) + i * sizeof(Word), &word, sizeof(Word));
  }
#else
  std::memcpy(static_cast<void*>(&pack), from, sizeof(pack));
#endif
  return pack;
}

template <int count, typename T>
PREGRAD_KERNEL inline void write_pack(T* to, const Pack<T, count>& pack) {
#if defined(__CUDA_ARCH__)
  using Word = WordOf<Pack<T, count>>;
#pragma unroll
  for (unsigned i = 0; i < sizeof(pack) / sizeof(Word); ++i) {
    Word word;
    memcpy(&word, reinterpret_cast<const char*>(&pack) + i * sizeof(Word), sizeof(Word));
    __stcs(reinterpret_cast<Word*>(to) + i, word);
  }
#else
  std::memcpy(static_cast<void*>(to), &pack, sizeof(pack));
#endif
}

/// Reads the first `valid` values of a pack, of at most `count`; the others are zero.
/// @param is_aligned whether a whole pack may be read at once
template <int count, typename T>
PREGRAD_KERNEL inline Pack<T, count> read_some(const T* from, int valid, bool is_aligned) {
  if (is_aligned && valid == count) {
    return read_pack<count>(from);
  }
  Pack<T, count> pack = {};
  PREGRAD_UNROLL
  for (int i = 0; i < count; ++i) {
    if (i < valid) {
      pack.values[i] = from[i];
    }
  }
  return pack;
}

/// Writes the first `valid` values of a pack.
/// @param is_aligned whether a whole pack may be written at once
template <int count, typename T>
PREGRAD_KERNEL inline void write_some(T* to, const Pack<T, count>& pack, int valid, bool is_aligned) {
  if (is_aligned && valid == count) {
    write_pack(to, pack);
    return;
  }
  PREGRAD_UNROLL
  for (int i = 0; i < count; ++i) {
    if (i < valid) {
      to[i] = pack.values[i];
    }
  }
}

PREGRAD_KERNEL inline double widened(double value) { return value; }
PREGRAD_KERNEL inline double widened(float value) { return value; }
PREGRAD_KERNEL inline double widened(c10::Half value) { return static_cast<float>(value); }
PREGRAD_KERNEL inline double widened(c10::BFloat16 value) { return static_cast<float>(value); }

}  // namespace pregrad::cuda
