// How much LibTorch is made to do per batch, counted: operators, backward functions and bytes.

#include <string>
#include <vector>

#include <ATen/Functions.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fixtures.hpp"
#include "operator_counts.hpp"
#include "pregrad/pregrad.hpp"

namespace pregrad::test::counted_work_test {

namespace {

/// How often each operator (or backward function) runs in one more batch.
OperatorCounts counts_of(Attribution& attribution, const Data& data, at::RecordScope scope) {
  attribution.add(data.x, data.y, data.cluster);  // the checks of a first batch run the model too
  return operator_counts(scope, [&] { attribution.add(data.x, data.y, data.cluster); });
}

class CountedWorkTest : public testing::Test {
 protected:
  Attribution attribution(std::vector<std::string> layers, std::vector<Method> methods = {Method::gradient}) const {
    AttributionOptions options;
    options.layers = std::move(layers);
    options.methods = std::move(methods);
    return model_.attribution(options);
  }

  Model model_ = Model::load(fixture_path("digits-mlp.scripted.pt"));
  Data data_ = first_of(read_data(fixture_path("digits.npz")), 100);
};

TEST_F(CountedWorkTest, ABatchIsOneForwardAndABackwardFromTheLayerOn) {
  Attribution early = attribution({"act1"});
  const OperatorCounts seen = counts_of(early, data_, at::RecordScope::FUNCTION);
  EXPECT_EQ(seen.at("aten::addmm"), 3) << "three linear layers, once";
  EXPECT_EQ(seen.at("aten::mm"), 2) << "the gradients behind two of them, and of no weight";

  Attribution late = attribution({"act2"});
  EXPECT_EQ(counts_of(late, data_, at::RecordScope::FUNCTION).at("aten::mm"), 1);
}

TEST_F(CountedWorkTest, NothingBeforeTheFirstLayerIsDifferentiated) {
  Attribution late = attribution({"act2"});
  const OperatorCounts functions = counts_of(late, data_, at::RecordScope::BACKWARD_FUNCTION);
  EXPECT_THAT(functions, testing::Contains(testing::Key("AddmmBackward0")));
  EXPECT_EQ(functions.at("AddmmBackward0"), 1);
  EXPECT_EQ(functions.at("ReluBackward0"), 1);
}

TEST_F(CountedWorkTest, MoreLayersAndMethodsCostNoOtherForward) {
  Attribution one = attribution({"act1"});
  const int alone = total(counts_of(one, data_, at::RecordScope::FUNCTION));
  Attribution both = attribution({"act1", "act2"});
  const OperatorCounts together = counts_of(both, data_, at::RecordScope::FUNCTION);
  EXPECT_EQ(together.at("aten::addmm"), 3);
  EXPECT_EQ(together.at("aten::mm"), 2);
  EXPECT_LE(total(together), alone + 6) << "a tap's own views and its place in the backward, no more";

  Attribution all =
      attribution({"act1", "act2"}, {Method::gradient, Method::gradient_x_preactivation, Method::gradient_x_activation,
                                     Method::preactivation, Method::activation, Method::activation_rate});
  EXPECT_EQ(counts_of(all, data_, at::RecordScope::FUNCTION).at("aten::addmm"), 3);
}

TEST_F(CountedWorkTest, OperatorsPerBatchStayFew) {
  // Three linear layers of six operators with the views inside, two activations, the same backward but for the first
  // layer, and a one-hot gradient; the engine counts each of its functions too.
  Attribution one = attribution({"act1"});
  const OperatorCounts seen = counts_of(one, data_, at::RecordScope::FUNCTION);
  EXPECT_LE(total(seen), 70) << testing::PrintToString(seen);
}

}  // namespace

}  // namespace pregrad::test::counted_work_test
