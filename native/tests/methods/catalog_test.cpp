#include "methods/catalog.hpp"

#include <map>
#include <set>
#include <string>

#include <ATen/Functions.h>
#include <gtest/gtest.h>

#include "pregrad/pregrad.h"

namespace pregrad::test::catalog_test {

namespace {

using methods::Family;
using methods::MethodRow;
using methods::Subject;

TEST(CatalogTest, EveryMethodHasItsNameAndNumberInC) {
  const std::map<std::string, pregrad_method> in_c = {
      {"gradient", PREGRAD_METHOD_GRADIENT},
      {"gradient-x-preactivation", PREGRAD_METHOD_GRADIENT_X_PREACTIVATION},
      {"gradient-x-activation", PREGRAD_METHOD_GRADIENT_X_ACTIVATION},
      {"preactivation", PREGRAD_METHOD_PREACTIVATION},
      {"activation", PREGRAD_METHOD_ACTIVATION},
      {"gradient-x-centred-activation", PREGRAD_METHOD_GRADIENT_X_CENTRED_ACTIVATION},
      {"activation-rate", PREGRAD_METHOD_ACTIVATION_RATE},
      {"integrated-gradients", PREGRAD_METHOD_INTEGRATED_GRADIENTS},
      {"conductance", PREGRAD_METHOD_CONDUCTANCE},
      {"internal-influence", PREGRAD_METHOD_INTERNAL_INFLUENCE},
      {"ablation", PREGRAD_METHOD_ABLATION},
      {"random", PREGRAD_METHOD_RANDOM},
      {"deep-lift", PREGRAD_METHOD_DEEP_LIFT},
      {"shapley", PREGRAD_METHOD_SHAPLEY},
      {"expected-gradients", PREGRAD_METHOD_EXPECTED_GRADIENTS},
      {"gradient-x-difference", PREGRAD_METHOD_GRADIENT_X_DIFFERENCE},
      {"patching", PREGRAD_METHOD_PATCHING},
  };
  ASSERT_EQ(in_c.size(), methods::catalog().size());
  std::set<std::string> seen;
  for (const MethodRow& row : methods::catalog()) {
    const std::string name(row.name);
    EXPECT_TRUE(seen.insert(name).second) << name << " stands twice";
    ASSERT_EQ(in_c.count(name), 1u) << name << " has no constant in pregrad.h";
    EXPECT_EQ(in_c.at(name), static_cast<int>(row.method)) << name;
    EXPECT_EQ(method_named(name), row.method);
    EXPECT_EQ(name_of(row.method), name);
    const char* c_name = nullptr;
    ASSERT_EQ(pregrad_method_name(in_c.at(name), &c_name), PREGRAD_OK);
    EXPECT_EQ(c_name, name);
  }
}

/// What DESIGN says of each method, beside what its row makes the core do.
TEST(CatalogTest, AMethodReadsWhatItsFormulaHas) {
  const auto needs = [](Method method) {
    const model::LayerNeeds all = methods::needs_of({method});
    return std::array<bool, 4>{all.z.value, all.z.gradient, all.a.value, all.a.gradient};
  };
  using Needs = std::array<bool, 4>;
  EXPECT_EQ(needs(Method::gradient), (Needs{false, true, false, false}));
  EXPECT_EQ(needs(Method::gradient_x_preactivation), (Needs{true, true, false, false}));
  EXPECT_EQ(needs(Method::gradient_x_activation), (Needs{false, false, true, true}));
  EXPECT_EQ(needs(Method::preactivation), (Needs{true, false, false, false}));
  EXPECT_EQ(needs(Method::activation), (Needs{false, false, true, false}));
  EXPECT_EQ(needs(Method::gradient_x_centred_activation), (Needs{false, false, true, true}));
  EXPECT_EQ(needs(Method::activation_rate), (Needs{false, false, true, false}));
  EXPECT_EQ(needs(Method::gradient_x_difference), (Needs{false, false, true, true}));
  for (const Method method :
       {Method::integrated_gradients, Method::conductance, Method::internal_influence, Method::ablation, Method::random,
        Method::deep_lift, Method::shapley, Method::expected_gradients, Method::patching}) {
    EXPECT_EQ(needs(method), (Needs{false, false, false, false})) << name_of(method);
  }
}

TEST(CatalogTest, OnlyMethodsOfTheBatchsOwnRunCanBeRecorded) {
  for (const MethodRow& row : methods::catalog()) {
    EXPECT_EQ(methods::can_be_recorded({row.method}), !row.needs_model()) << row.name;
    EXPECT_EQ(row.needs_model(), row.family != Family::batch && row.family != Family::drawn) << row.name;
  }
  EXPECT_FALSE(methods::can_be_recorded({Method::gradient, Method::ablation}));
}

}  // namespace

}  // namespace pregrad::test::catalog_test
