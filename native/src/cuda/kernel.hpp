#pragma once

#include <cstdint>

/// Before a function that kernels call. The host compiler reads it too, so that tests run a kernel's own code without a
/// device.
#if defined(__CUDACC__)
#define PREGRAD_KERNEL __host__ __device__
/// Before a loop whose arrays are to be registers.
#define PREGRAD_UNROLL _Pragma("unroll")
#else
#define PREGRAD_KERNEL
#define PREGRAD_UNROLL
#endif

namespace pregrad::cuda {

/// Where a thread stands. A kernel is an object that every thread of the grid has a copy of, with
///   - `threads`, the number of threads of a block, and `phases`, into which each of its steps falls;
///   - `Shared`, the block's memory, and `Registers`, what a thread keeps between phases;
///   - `steps(block)`, how many steps the block makes;
///   - `run<phase>(place, registers, shared)`, one thread's part of a phase. All threads of the block finish a phase
///     before any begins the next, so what one writes to `shared` the others read a phase later;
///   - `skips(phase, registers)`, whether nobody in the block has anything to do in a phase;
///   - `advance(registers)`, between two steps; `finish(place, registers)`, after the last;
///   - `blocks()`, how many blocks there are, and `blocks_per_processor`, how many must fit on one at once.
struct Place {
  std::int64_t block = 0;
  int thread = 0;
};

struct Nothing {};

/// What a kernel of one step need not say.
struct OneStep {
  using Registers = Nothing;
  PREGRAD_KERNEL std::int64_t steps(std::int64_t /*block*/) const { return 1; }
  PREGRAD_KERNEL bool skips(int /*phase*/, const Registers& /*registers*/) const { return false; }
  PREGRAD_KERNEL void advance(Registers& /*registers*/) const {}
  PREGRAD_KERNEL void finish(const Place& /*place*/, const Registers& /*registers*/) const {}
};

template <typename T>
PREGRAD_KERNEL constexpr T least_of(T left, T right) {
  return right < left ? right : left;
}

}  // namespace pregrad::cuda
