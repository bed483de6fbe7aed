#include <string>
#include <vector>

#include <ATen/Context.h>
#include <gtest/gtest.h>

#include "fixtures.hpp"
#include "pregrad/pregrad.hpp"
#if defined(PREGRAD_CUDA)
#include <c10/cuda/CUDAFunctions.h>
#endif

namespace pregrad::test {

namespace {

std::string fixture_name(const testing::TestParamInfo<Fixture>& fixture) { return test_name(fixture.param); }

/// Whole attributions on a device, held to those on the CPU.
class CudaAttributionTest : public testing::TestWithParam<Fixture> {
 protected:
  void SetUp() override {
#if defined(PREGRAD_CUDA)
    if (c10::cuda::device_count() == 0) {
      GTEST_SKIP() << "there is no CUDA device";
    }
    at::globalContext().setAllowTF32CuDNN(false);
#else
    GTEST_SKIP() << "built without PREGRAD_CUDA";
#endif
  }

  static Scores scores_on(c10::Device device, const std::vector<Method>& methods) {
    const Data data = read_data(GetParam().data);
    const Model model = Model::load(GetParam().file, device);
    AttributionOptions options;
    for (const Layer& layer : model.layers(data.x)) {
      options.layers.push_back(layer.name + "@" + std::to_string(layer.call));
    }
    options.methods = methods;
    options.steps = 3;
    Attribution attribution = model.attribution(options);
    attribution.add(data.x, data.y, data.cluster);
    return attribution.scores();
  }

  static void expect_agreement(const std::vector<Method>& methods) {
    if (Model::load(GetParam().file).layers(read_data(GetParam().data).x).empty()) {
      return;
    }
    constexpr double tolerance = 1e-4;
    const Scores on_cpu = scores_on(at::kCPU, methods);
    const Scores on_device = scores_on(c10::Device(at::kCUDA, 0), methods);
    ASSERT_EQ(on_device.entries().size(), on_cpu.entries().size());
    for (std::size_t i = 0; i < on_cpu.entries().size(); ++i) {
      const Score& wanted = on_cpu.entries()[i];
      const Score& seen = on_device.entries()[i];
      SCOPED_TRACE(testing::Message() << wanted.layer << "@" << wanted.call << " cluster " << wanted.cluster << " "
                                      << name_of(wanted.method));
      EXPECT_EQ(seen.statistics.count, wanted.statistics.count);
      EXPECT_LT(relative_error(seen.statistics.mean_abs, wanted.statistics.mean_abs), tolerance);
      EXPECT_LT(relative_error(seen.statistics.rms, wanted.statistics.rms), tolerance);
    }
  }
};

TEST_P(CudaAttributionTest, AgreesWithTheCpu) {
  std::vector<Method> methods(plain_methods.begin(), plain_methods.end());
  methods.push_back(Method::gradient_x_centred_activation);
  expect_agreement(methods);
}

INSTANTIATE_TEST_SUITE_P(Fixtures, CudaAttributionTest, testing::ValuesIn(attributable_fixtures()), fixture_name);

}  // namespace

}  // namespace pregrad::test
