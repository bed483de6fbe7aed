#include <vector>

#include <ATen/Functions.h>
#include <gtest/gtest.h>

#include "cuda/tensors.hpp"
#include "cuda_devices.hpp"

namespace pregrad::test::cuda_paths_test {

namespace {

/// Tells apart even zeros and what is not a number.
bool same_bits(const at::Tensor& left, const at::Tensor& right) {
  const auto bits = [](const at::Tensor& tensor) {
    const at::ScalarType type = tensor.element_size() == 2   ? at::kShort
                                : tensor.element_size() == 4 ? at::kInt
                                                             : at::kLong;
    return tensor.contiguous().view(type);
  };
  return left.scalar_type() == right.scalar_type() && left.sizes() == right.sizes() &&
         at::equal(bits(left), bits(right));
}

std::vector<double> alphas_of(std::int64_t count) {
  std::vector<double> alphas;
  for (std::int64_t i = 0; i < count; ++i) {
    alphas.push_back((static_cast<double>(i) + 0.3) / static_cast<double>(count));
  }
  alphas.front() = 0;
  return alphas;
}

class CudaPathsTest : public CudaTest {
 protected:
  static at::Tensor path(const at::Tensor& baseline, const at::Tensor& way, const std::vector<double>& alphas,
                         at::ScalarType type) {
    return with_runner([&](auto& runner) {
      return cuda::path_tensor(runner, placed(baseline), placed(way), alphas, type).to(at::kCPU);
    });
  }
};

TEST_P(CudaPathsTest, OfInputsHaveTheBitsOfTheOperators) {
  at::manual_seed(1);
  for (const std::vector<std::int64_t>& shape :
       {std::vector<std::int64_t>{5, 3, 8, 8}, {5, 3, 7, 7}, {1, 9}, {6, 1}, {3, 1, 28, 28}}) {
    for (const at::ScalarType type : {at::kFloat, at::kDouble, at::kHalf, at::kBFloat16}) {
      for (const bool channels_last : {false, true}) {
        if (channels_last && shape.size() != 4) {
          continue;
        }
        const auto laid = [&](const at::Tensor& tensor) {
          return channels_last ? tensor.contiguous(at::MemoryFormat::ChannelsLast) : tensor;
        };
        const at::Tensor inputs = laid(at::randn(shape).to(type));
        for (const at::Tensor& baseline :
             {at::zeros_like(inputs.slice(0, 0, 1)), laid(at::randn_like(inputs.slice(0, 0, 1))),
              at::randn_like(inputs.slice(0, 0, 1)).contiguous(), at::randn_like(inputs)}) {
          const at::Tensor way = inputs - baseline;
          for (const std::int64_t points : {1, 7, 300}) {
            const std::vector<double> alphas = alphas_of(points);
            std::vector<at::Tensor> wanted;
            for (const double alpha : alphas) {
              wanted.push_back(baseline + way * alpha);
            }
            EXPECT_TRUE(same_bits(path(baseline, way, alphas, type), at::cat(wanted)))
                << c10::toString(type) << ' ' << shape << ", " << points << " points";
          }
        }
      }
    }
  }
}

TEST_P(CudaPathsTest, OfLayersHaveTheBitsOfTheOperators) {
  at::manual_seed(2);
  for (const at::ScalarType type : {at::kFloat, at::kDouble, at::kHalf, at::kBFloat16}) {
    for (const bool channels_last : {false, true}) {
      const at::Tensor layer = at::randn({4, 6, 5, 5}).to(type);
      const at::Tensor wide =
          (channels_last ? layer.contiguous(at::MemoryFormat::ChannelsLast) : layer).to(at::kDouble);
      for (const at::Tensor& baseline :
           {at::zeros_like(wide), at::randn({1, 6, 1, 1}, at::kDouble), at::randn({4, 6, 1, 1}, at::kDouble)}) {
        const at::Tensor start = baseline.expand_as(wide);
        const at::Tensor way = wide - start;
        const std::vector<double> alphas = alphas_of(9);
        const at::Tensor factors = at::tensor(alphas, at::kDouble).view({9, 1, 1, 1, 1});
        const at::Tensor wanted = (start + factors * way).flatten(0, 1).to(type);
        EXPECT_TRUE(same_bits(path(start, way, alphas, type), wanted)) << c10::toString(type);
      }
      EXPECT_TRUE(same_bits(path({}, wide, {0.3}, type), (at::zeros_like(wide) + wide * 0.3).to(type)));
    }
  }
}

PREGRAD_ON_BOTH(CudaPathsTest);

}  // namespace

}  // namespace pregrad::test::cuda_paths_test
