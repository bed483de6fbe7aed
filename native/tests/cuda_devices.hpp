#pragma once

#include <ostream>
#include <string>

#include <ATen/core/Tensor.h>
#include <gtest/gtest.h>

#include "cuda_kernels.hpp"
#include "gpu.hpp"
#if defined(PREGRAD_CUDA)
#include "cuda/device_runner.hpp"
#endif

namespace pregrad::test {

/// Where a test runs the kernels' code.
enum class Processor { host, device };

inline void PrintTo(Processor processor, std::ostream* out) {
  *out << (processor == Processor::host ? "host" : "device");
}

/// Why the kernels cannot be started; "" if they can.
inline std::string why_no_kernels() {
#if defined(PREGRAD_CUDA)
  return gpu.is_cuda() ? why_no_gpu() : "kernels run on CUDA devices, not on " + gpu.str();
#else
  return "built without PREGRAD_CUDA";
#endif
}

/// A test that runs once on the host and once on a device, and is skipped where there is none.
class CudaTest : public testing::TestWithParam<Processor> {
 protected:
  void SetUp() override {
    if (const std::string why = why_no_kernels(); GetParam() == Processor::device && !why.empty()) {
      GTEST_SKIP() << why;
    }
  }

  /// `body(runner)` with a runner for this test's processor.
  template <typename Body>
  static auto with_runner(const Body& body) {
#if defined(PREGRAD_CUDA)
    if (GetParam() == Processor::device) {
      pregrad::cuda::DeviceRunner runner(gpu);
      return body(runner);
    }
#endif
    HostRunner runner;
    return body(runner);
  }

  /// The tensor where this test's kernels reach it, lying in memory as it does here.
  static at::Tensor placed(const at::Tensor& tensor) {
    if (GetParam() == Processor::host || !tensor.defined()) {
      return tensor;
    }
    // A copy of the whole storage keeps strides and offset.
    const auto size = static_cast<std::int64_t>(tensor.storage().nbytes()) / tensor.element_size();
    return tensor.as_strided({size}, {1}, 0)
        .to(gpu)
        .as_strided(tensor.sizes(), tensor.strides(), tensor.storage_offset());
  }
};

#define PREGRAD_ON_BOTH(Suite)                                                                         \
  INSTANTIATE_TEST_SUITE_P(Kernels, Suite, testing::Values(Processor::host, Processor::device),        \
                           [](const testing::TestParamInfo<Processor>& one) {                          \
                             return std::string(one.param == Processor::host ? "OnHost" : "OnDevice"); \
                           })

}  // namespace pregrad::test
