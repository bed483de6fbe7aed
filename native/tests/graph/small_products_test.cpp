// Products that are over before a second thread has woken up, and how many threads compute them.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <ATen/Functions.h>
#include <ATen/record_function.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/passes/freeze_module.h>
#include <torch/script.h>
#include <torch/torch.h>

#include "fixtures.hpp"
#include "graph/small_products.hpp"
#include "pregrad/pregrad.hpp"

// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" __attribute__((weak)) int MKL_Get_Max_Threads();
// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" __attribute__((weak)) int MKL_Set_Num_Threads_Local(int threads);

namespace pregrad::test::small_products_test {

namespace {

torch::jit::Module module_of(const std::string& body) {
  torch::manual_seed(5);
  torch::jit::Module module("Products");
  module.register_parameter("narrow", torch::randn({8, 6}), false);
  module.register_parameter("wide", torch::randn({9, 8}), false);
  module.register_parameter("bias", torch::randn({8}), false);
  module.register_parameter("rows", torch::randn({7, 8}), false);
  module.register_parameter("kernel", torch::randn({8, 6, 1}), false);
  module.define("def forward(self, x):\n" + body);
  module.eval();
  return torch::jit::freeze_module(module);
}

struct RowsCase {
  const char* name;
  const char* body;
  std::optional<std::int64_t> multiply_adds;
};

void PrintTo(const RowsCase& rows, std::ostream* stream) { *stream << rows.name; }

class RowsTest : public testing::TestWithParam<RowsCase> {};

TEST_P(RowsTest, TheLargestProductPerRowIsKnownWhereRowsStayRows) {
  const torch::jit::Module module = module_of(GetParam().body);
  EXPECT_EQ(graph::multiply_adds_per_row(*module.get_method("forward").graph()), GetParam().multiply_adds);
}

INSTANTIATE_TEST_SUITE_P(
    Graphs, RowsTest,
    testing::Values(RowsCase{"TheWidestOfTwoLayers",
                             "    a = torch.relu(torch.linear(x, self.narrow, self.bias))\n"
                             "    return torch.linear(a, self.wide)\n",
                             72},
                    RowsCase{"AddedToItself",
                             "    z = torch.linear(x, self.narrow) + self.bias\n"
                             "    return torch.linear(torch.tanh(z) + z, self.wide)\n",
                             72},
                    RowsCase{"Flattened", "    return torch.linear(torch.flatten(x, 1), self.narrow)\n", 48},
                    RowsCase{"OtherRowsAdded", "    return torch.linear(x, self.narrow) + self.rows\n", std::nullopt},
                    RowsCase{"MoreRowsByAView", "    return torch.linear(x.view(-1, 6), self.narrow)\n", std::nullopt},
                    RowsCase{"Convolved", "    return torch.conv1d(x, self.kernel)\n", std::nullopt},
                    RowsCase{"WeightsThatAreComputed", "    return torch.linear(x, x * 2)\n", std::nullopt},
                    RowsCase{"OtherProducts", "    return torch.matmul(x, self.narrow.t())\n", std::nullopt},
                    RowsCase{"ABranch",
                             "    if x.size(0) > 3:\n"
                             "        x = x.repeat(9, 1)\n"
                             "    return torch.linear(x, self.narrow)\n",
                             std::nullopt}),
    [](const auto& graph) { return std::string(graph.param.name); });

TEST(SmallProducts, AreThoseOfHalfAMillionMultiplyAdds) {
  EXPECT_TRUE(graph::are_small_products(1 << 13, at::zeros({64, 64})));
  EXPECT_FALSE(graph::are_small_products(1 << 13, at::zeros({65, 64})));
  EXPECT_FALSE(graph::are_small_products(1 << 13, at::zeros({33, 2, 64}))) << "each of two rows per sample counts";
  EXPECT_FALSE(graph::are_small_products(std::nullopt, at::zeros({1, 64})));
  EXPECT_FALSE(graph::are_small_products(1, at::zeros({64, 0})));
}

/// The threads that MKL may use while the products of a batch run, forward and backward.
class ThreadsOfProducts : public testing::Test {
 protected:
  void SetUp() override {
    if (MKL_Get_Max_Threads == nullptr || MKL_Set_Num_Threads_Local == nullptr) {
      GTEST_SKIP() << "this LibTorch has no MKL";
    }
    before_ = MKL_Set_Num_Threads_Local(3);
    seen.clear();
  }
  void TearDown() override {
    if (MKL_Set_Num_Threads_Local != nullptr) {
      MKL_Set_Num_Threads_Local(before_);
    }
  }

  static std::unique_ptr<at::ObserverContext> look(const at::RecordFunction& function) {
    const std::string name = function.name();
    if (name == "aten::addmm" || name == "aten::mm") {
      seen.push_back(MKL_Get_Max_Threads());
    }
    return nullptr;
  }

  std::vector<int> threads_of_samples(std::int64_t samples) {
    const Data data = first_of(read_data(fixture_path("digits.npz")), samples);
    const auto add = [&] { attribution_.add(data.x, data.y, data.cluster); };
    add();  // the checks of a first batch run the model too
    const at::CallbackHandle handle = at::addThreadLocalCallback(
        at::RecordFunctionCallback(&look).needsInputs(false).scopes({at::RecordScope::FUNCTION}));
    add();
    at::removeCallback(handle);
    return seen;
  }

  static inline std::vector<int> seen;
  Attribution attribution_ = attribution_of_first_layer();

 private:
  static Attribution attribution_of_first_layer() {
    AttributionOptions options;
    options.layers = {"act1"};
    return Model::load(fixture_path("digits-mlp.scripted.pt")).attribution(options);
  }

  int before_ = 0;
};

TEST_F(ThreadsOfProducts, AreOneInASmallBatchAndAsTheCallerSetThemBehindIt) {
  EXPECT_THAT(threads_of_samples(32), testing::ElementsAre(1, 1, 1, 1, 1));
  EXPECT_EQ(MKL_Get_Max_Threads(), 3);
  EXPECT_THROW(attribution_.add(at::zeros({32, 3}), at::zeros({32}, at::kLong)), InputError);
  EXPECT_EQ(MKL_Get_Max_Threads(), 3) << "after an error too";
}

TEST_F(ThreadsOfProducts, AreThoseOfTheCallerInALargeBatch) {
  EXPECT_THAT(threads_of_samples(65), testing::ElementsAre(3, 3, 3, 3, 3));
}

}  // namespace

}  // namespace pregrad::test::small_products_test
