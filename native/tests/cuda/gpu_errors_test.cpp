// What only a real device shows of DeviceError; device_failure_test.cpp has the rest.

#include <cstdlib>
#include <functional>
#include <iostream>
#include <limits>

#include <ATen/Functions.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fixtures.hpp"
#include "gpu.hpp"
#include "pregrad/pregrad.hpp"

namespace pregrad::test::gpu_errors_test {

namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

class GpuErrors : public OnGpu<testing::Test> {};

TEST_F(GpuErrors, ADeviceBeyondThoseThatAreThereIsNamed) {
  EXPECT_THAT([] { Model::load(fixture_path("digits-mlp.scripted.pt"), c10::Device("cuda:99")); },
              ThrowsMessage<DeviceError>(HasSubstr("no device 'cuda:99': there")));
}

TEST_F(GpuErrors, CudaWithoutANumberIsOneOfThem) {
  const Model model = Model::load(fixture_path("digits-mlp.scripted.pt"), c10::Device("cuda"));
  EXPECT_TRUE(model.device().has_index());
}

TEST_F(GpuErrors, MemoryThatRunsOutLeavesTheDeviceUsable) {
  EXPECT_THAT(
      [] {
        support::on_device(gpu, [] { at::empty({std::int64_t{1} << 50}, at::TensorOptions(gpu).dtype(at::kByte)); });
      },
      ThrowsMessage<DeviceError>(HasSubstr("too little memory (CUDA out of memory. Tried to allocate")));
  const Data data = first_of(read_data(fixture_path("digits.npz")), 8);
  EXPECT_NO_THROW(Model::load(fixture_path("digits-mlp.scripted.pt"), gpu).forward(data.x));
}

TEST_F(GpuErrors, OutputsThatAreNotFiniteNameTheirSampleAndAddNothing) {
  Data data = first_of(read_data(fixture_path("digits.npz")), 8);
  data.x = data.x.clone();
  data.x[5].fill_(std::numeric_limits<float>::max());
  AttributionOptions options;
  options.layers = {"act1"};
  Attribution attribution = Model::load(fixture_path("digits-mlp.scripted.pt"), gpu).attribution(options);
  const auto names_the_sample = ThrowsMessage<InputError>(HasSubstr("sample 5 is NaN or infinite"));
  EXPECT_THAT([&] { attribution.add(data.x, data.y); }, names_the_sample);
  EXPECT_THAT([&] { attribution.add(data.x, at::stack({data.y, data.y}, 1)); }, names_the_sample);
  EXPECT_TRUE(attribution.scores().entries().empty());
}

/// A wrong index trips an assertion in the kernel, and with it the process's CUDA context.
void break_the_gpu() {
  const Model embedding = Model::load(fixture_path("embedding.scripted.pt"), gpu);
  const Model mlp = Model::load(fixture_path("digits-mlp.scripted.pt"), gpu);
  const Model on_processor = Model::load(fixture_path("digits-mlp.scripted.pt"));
  const at::Tensor x = first_of(read_data(fixture_path("digits.npz")), 8).x;
  const Data tokens = first_of(read_data(fixture_path("embedding.npz")), 8);
  AttributionOptions options;
  options.layers = {embedding.layers(tokens.x).at(0).name};
  Attribution attribution = embedding.attribution(options);
  attribution.add(tokens.x, tokens.y);
  const auto expect = [](const std::string& part, const std::function<void()>& use) {
    try {
      use();
      std::cerr << "nothing was thrown, wanted: " << part << '\n';
      std::_Exit(2);
    } catch (const DeviceError& error) {
      if (std::string(error.what()).find(part) == std::string::npos) {
        std::cerr << error.what() << ", wanted: " << part << '\n';
        std::_Exit(3);
      }
    }
  };
  expect("cuda:0 is lost (CUDA error: ", [&] { attribution.add(tokens.x + (1 << 20), tokens.y); });
  expect("cuda:0 was lost earlier", [&] { attribution.add(tokens.x, tokens.y); });
  expect("cuda:0 was lost earlier", [&] { mlp.forward(x); });
  expect("cuda:0 was lost earlier", [&] { Model::load(fixture_path("digits-mlp.scripted.pt"), gpu); });
  const bool goes_on = !attribution.scores().entries().empty() && on_processor.forward(x).defined();
  std::_Exit(goes_on ? 0 : 4);
}

using GpuErrorsDeathTest = GpuErrors;

TEST_F(GpuErrorsDeathTest, AStickyErrorLosesTheDeviceButNotTheProcess) {
  // Another process, begun anew: CUDA does not survive a fork, nor this test.
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(break_the_gpu(), testing::ExitedWithCode(0), "");
}

}  // namespace

}  // namespace pregrad::test::gpu_errors_test
