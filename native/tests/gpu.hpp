#pragma once

#include <cstdlib>
#include <memory>
#include <string>

#include <ATen/Context.h>
#include <c10/core/Device.h>
#include <gtest/gtest.h>

#include "pregrad/error.hpp"
#include "support/failures.hpp"

namespace pregrad::test {

/// Where GPU tests run. PREGRAD_TEST_DEVICE names another device, such as cpu, to see whether the tests themselves
/// hold.
inline const c10::Device gpu = [] {
  const char* given = std::getenv("PREGRAD_TEST_DEVICE");
  return c10::Device(given == nullptr ? "cuda:0" : given);
}();

/// Why there is no GPU to test on; "" if there is one.
inline std::string why_no_gpu() {
  try {
    support::usable_device(gpu);
    return "";
  } catch (const DeviceError& error) {
    return error.what();
  }
}

/// What PyTorch would rather do fast than exactly, or the same way twice, is switched off for the test.
class ExactArithmetic {
 public:
  ExactArithmetic() : cublas_(context().allowTF32CuBLAS()), cudnn_(context().allowTF32CuDNN()) {
    context().setAllowTF32CuBLAS(false);
    context().setAllowTF32CuDNN(false);
    context().setDeterministicCuDNN(true);
  }
  ExactArithmetic(const ExactArithmetic&) = delete;
  ExactArithmetic& operator=(const ExactArithmetic&) = delete;
  ~ExactArithmetic() {
    context().setAllowTF32CuBLAS(cublas_);
    context().setAllowTF32CuDNN(cudnn_);
    context().setDeterministicCuDNN(deterministic_);
  }

 private:
  static at::Context& context() { return at::globalContext(); }

  bool cublas_;
  bool cudnn_;
  bool deterministic_ = context().deterministicCuDNN();
};

/// A test that is skipped where there is no usable CUDA device. `Base` is testing::Test or a test with parameters.
template <typename Base>
class OnGpu : public Base {
 protected:
  void SetUp() override {
    if (const std::string why = why_no_gpu(); !why.empty()) {
      GTEST_SKIP() << why;
    }
    exact_ = std::make_unique<ExactArithmetic>();
  }
  void TearDown() override { exact_.reset(); }

 private:
  std::unique_ptr<ExactArithmetic> exact_;
};

}  // namespace pregrad::test
