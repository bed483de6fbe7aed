#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "cuda/kernel.hpp"

namespace pregrad::test {

/// In which order a block's threads run a phase. Where the order shows, the threads race.
enum class ThreadOrder { rising, falling };

/// Runs kernels on the host, block by block and phase by phase, in memory that a device would call its own.
class HostRunner {
 public:
  explicit HostRunner(ThreadOrder order = ThreadOrder::rising) : order_(order) {}

  double* doubles(std::int64_t count) {
    // Not a number, so that what nobody writes shows.
    return doubles_.emplace_back(static_cast<std::size_t>(count), std::nan("")).data();
  }

  const std::int64_t* upload(std::vector<std::int64_t> integers) {
    return integers_.emplace_back(std::move(integers)).data();
  }

  template <typename Kernel>
  void run(const Kernel& kernel) {
    ++kernels_;
    const std::int64_t blocks = kernel.blocks();
    for (std::int64_t block = 0; block < blocks; ++block) {
      auto shared = std::make_unique<typename Kernel::Shared>();
      std::memset(static_cast<void*>(shared.get()), 0xff, sizeof(*shared));
      std::vector<typename Kernel::Registers> registers(Kernel::threads);
      const std::int64_t steps = kernel.steps(block);
      for (std::int64_t step = 0; step < steps; ++step) {
        run_phases<0>(kernel, block, registers, *shared);
        for (auto& own : registers) {
          kernel.advance(own);
        }
      }
      for (int thread = 0; thread < Kernel::threads; ++thread) {
        kernel.finish({block, thread}, registers[static_cast<std::size_t>(thread)]);
      }
    }
  }

  int kernels() const { return kernels_; }

 private:
  template <int phase, typename Kernel>
  void run_phases(const Kernel& kernel, std::int64_t block, std::vector<typename Kernel::Registers>& registers,
                  typename Kernel::Shared& shared) const {
    if constexpr (phase < Kernel::phases) {
      for (int i = 0; i < Kernel::threads; ++i) {
        const int thread = order_ == ThreadOrder::rising ? i : Kernel::threads - 1 - i;
        auto& own = registers[static_cast<std::size_t>(thread)];
        if (!kernel.skips(phase, own)) {
          kernel.template run<phase>({block, thread}, own, shared);
        }
      }
      run_phases<phase + 1>(kernel, block, registers, shared);
    }
  }

  ThreadOrder order_;
  int kernels_ = 0;
  std::deque<std::vector<double>> doubles_;
  std::deque<std::vector<std::int64_t>> integers_;
};

}  // namespace pregrad::test
