#include <string>
#include <vector>

#include <ATen/Functions.h>
#include <gtest/gtest.h>

#include "cuda/tensors.hpp"
#include "cuda_devices.hpp"
#include "methods/removal.hpp"

namespace pregrad::test::cuda_removal_test {

namespace {

struct Case {
  std::string name;
  std::vector<std::int64_t> shape;  ///< of one copy
  std::int64_t axis = 1;
  std::int64_t copies = 3;
};

class CudaRemovalTest : public CudaTest {
 protected:
  static at::Tensor removed(const at::Tensor& value, std::int64_t axis, const at::Tensor& masks,
                            const at::Tensor& constants) {
    const at::Tensor fill = constants.defined() ? constants.to(value.scalar_type()) : constants;
    return with_runner([&](auto& runner) {
      return cuda::removal_tensor(runner, placed(value), axis, placed(masks), placed(fill)).to(at::kCPU);
    });
  }
};

TEST_P(CudaRemovalTest, IsThatOfTheCpu) {
  at::manual_seed(1);
  for (const Case& one : std::vector<Case>{{"rows", {5, 12}},
                                           {"one neuron", {5, 1}},
                                           {"one value per sample", {5}, 0},
                                           {"odd rows", {5, 13}},
                                           {"transformer", {4, 7, 24}, 2},
                                           {"runs", {2, 6, 7, 7}},
                                           {"whole packs", {2, 6, 8, 8}},
                                           {"outer and inner", {2, 3, 5, 4}, 2},
                                           {"one copy", {9, 10, 3, 3}, 1, 1},
                                           {"one sample", {1, 10, 3, 3}, 1, 7}}) {
    for (const at::ScalarType type : {at::kFloat, at::kDouble, at::kHalf, at::kBFloat16}) {
      std::vector<std::int64_t> shape = one.shape;
      shape[0] *= one.copies;
      const std::int64_t neurons = one.axis == 0 ? 1 : shape[static_cast<std::size_t>(one.axis)];
      const at::Tensor plain = at::randn(shape).to(type);
      std::vector<at::Tensor> values = {
          plain, at::cat({at::zeros({1}, plain.options()), plain.reshape({-1})}).slice(0, 1).view(shape),
          at::stack({plain, plain}, -1).select(-1, 1)};
      if (shape.size() == 4 && one.axis == 1) {
        values.push_back(plain.contiguous(at::MemoryFormat::ChannelsLast));
      }
      const at::Tensor masks = at::rand({one.copies, neurons}) < 0.4;
      for (const at::Tensor& value : values) {
        const auto options = at::TensorOptions().dtype(at::kDouble);
        for (const at::Tensor& constants :
             {at::Tensor(), at::randn({1, 1, neurons}, options), at::randn({1, one.shape[0], neurons}, options),
              at::randn({one.copies, 1, neurons}, options), at::randn({one.copies, one.shape[0], neurons}, options)}) {
          const at::Tensor actual = removed(value, one.axis, masks, constants);
          const at::Tensor wanted = methods::removed(value, one.axis, masks, constants);
          EXPECT_EQ(actual.scalar_type(), type);
          EXPECT_TRUE(at::equal(actual, wanted)) << one.name << " as " << c10::toString(type);
          if (value.is_non_overlapping_and_dense()) {
            EXPECT_EQ(actual.strides(), value.strides()) << one.name;
          }
        }
      }
    }
  }
}

PREGRAD_ON_BOTH(CudaRemovalTest);

}  // namespace

}  // namespace pregrad::test::cuda_removal_test
