// Integers without a quotient: LibTorch's operators end the process there; here they are errors, in the model's own
// graph as in ours. What has a quotient has Python's.

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/script.h>

#include "graph/graph_checks.hpp"
#include "graph/model_graph.hpp"
#include "pregrad/pregrad.hpp"

namespace pregrad::test::integer_division_test {

namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

/// A model of x [a, b, ...] that adds what `expression` makes of the integers a, b and `least` to its outputs.
torch::jit::Module module_of(const std::string& expression) {
  torch::manual_seed(3);
  torch::jit::Module module("Dividing");
  module.register_parameter("w", torch::randn({2, 2}), false);
  module.define(R"(
    def forward(self, x):
        a = x.size(0) - 8
        b = x.size(1) - 8
        least = -9223372036854775807 - 1
        value = )" +
                expression +
                R"(
        return torch.relu(torch.matmul(x, self.w)) * 0.0 + float(value)
  )");
  return module;
}

at::Tensor sizes(std::int64_t a, std::int64_t b) { return at::ones({a + 8, b + 8, 2}); }

struct Quotient {
  const char* expression;
  std::int64_t a;
  std::int64_t b;
  double expected;
};

/// What Python says.
const std::vector<Quotient>& quotients() {
  static const std::vector<Quotient> all = {{"a % b", -7, 3, 2},
                                            {"a % b", 7, -3, -2},
                                            {"a // b", -7, 3, -3},
                                            {"a // b", 7, -3, -3},
                                            {"a % b", 6, 3, 0},
                                            {"a // b", 0, 5, 0},
                                            {"divmod(a, b)[0]", -7, 2, -4},
                                            {"divmod(a, b)[1]", -7, 2, 1},
                                            {"least // (b - 1)", 0, 2, -9223372036854775808.0},
                                            {"a // (b - 1)", 7, 0, -7},
                                            {"a % (b - 1)", 7, 0, 0}};
  return all;
}

TEST(IntegerDivision, IsPythonsWhereThereIsAQuotient) {
  for (const Quotient& each : quotients()) {
    const Model model = Model::from(module_of(each.expression));
    EXPECT_EQ(model.forward(sizes(each.a, each.b)).max().item<double>(), static_cast<float>(each.expected))
        << each.expression << " of " << each.a << " and " << each.b;
  }
}

TEST(IntegerDivision, WithoutAQuotientIsAnErrorThatNamesTheNumbers) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {"a % (b - b)", "divides 3 by 0"},
      {"a // (b - b)", "divides 3 by 0"},
      {"divmod(a, b - b)[0]", "divides 3 by 0"},
      {"least // (b - 6)", "divides -9223372036854775808 by -1"},
      {"least % (b - 6)", "divides -9223372036854775808 by -1"},
      {"divmod(least, b - 6)[1]", "divides -9223372036854775808 by -1"}};
  for (const auto& [expression, message] : cases) {
    const Model model = Model::from(module_of(expression));
    for (int again = 0; again < 2; ++again) {
      EXPECT_THAT([&] { model.forward(sizes(3, 5)); }, ThrowsMessage<ModelError>(HasSubstr(message))) << expression;
    }
    const graph::UntouchedModel untouched(module_of(expression), c10::kCPU);
    EXPECT_THAT([&] { untouched.run({sizes(3, 5)}); }, ThrowsMessage<std::exception>(HasSubstr(message))) << expression;
  }
}

TEST(IntegerDivision, OfConstantsIsNoneAtLoading) {
  graph::guard_integer_division();  // as before LibTorch reads a file
  const Model model = Model::from(module_of("7 % 0 + 7 // 0"));
  EXPECT_THAT([&] { model.forward(sizes(3, 5)); }, ThrowsMessage<ModelError>(HasSubstr("divides 7 by 0")));
}

TEST(IntegerDivision, OfTensorsRoundedTowardsZeroIsAnError) {
  torch::jit::Module module("Rounding");
  module.register_parameter("w", torch::ones({2, 2}), false);
  module.define(R"(
    def forward(self, x):
        least = torch.full([5], -9223372036854775807 - 1, dtype=4)
        quotient = torch.div(least, torch.full([5], x.size(0) - 4, dtype=4), rounding_mode="trunc")
        return torch.relu(torch.mm(x, self.w)) + quotient[0] * 0.0
  )");
  const Model model = Model::from(module);
  EXPECT_NO_THROW(model.forward(at::ones({6, 2})));
  EXPECT_THAT([&] { model.forward(at::ones({3, 2})); }, ThrowsMessage<ModelError>(HasSubstr("by -1 in tensors")));
}

TEST(IntegerDivision, GuardsLeaveOverloadsInTheirOrder) {
  graph::guard_integer_division();
  // Of two integers an integer: an overload for numbers of any kind would match too.
  EXPECT_NO_THROW(Model::from(module_of("[1, 2, 3][a % 2] + [1, 2, 3][a // 2]")));
  EXPECT_EQ(Model::from(module_of("7.5 % 2.0 + 7.5 // 2.0")).forward(sizes(1, 1)).max().item<double>(), 4.5);
}

}  // namespace

}  // namespace pregrad::test::integer_division_test
