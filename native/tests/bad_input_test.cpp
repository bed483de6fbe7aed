// Wrong files, inputs and options: a typed exception with one line that names the mend, and nothing added.

#include <limits>
#include <map>

#include <ATen/Functions.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fixtures.hpp"
#include "pregrad/pregrad.hpp"
#include "rounding.hpp"

namespace pregrad::test::bad_input_test {

namespace {

using testing::HasSubstr;
using testing::Not;
using testing::ThrowsMessage;

auto one_line(const char* what) { return testing::AllOf(HasSubstr(what), Not(HasSubstr("\n"))); }

TEST(BadModel, EachBrokenFileSaysWhatItIs) {
  const std::map<std::string, const char*> expected = {
      {"empty.pt", "is empty"},        {"random.pt", "is no model"},
      {"truncated.pt", "truncated"},   {"zip.pt", "a zip archive that is no model"},
      {"state-dict.pt", "state dict"}, {"eager-module.pt", "pickled Python object"},
      {"no-such-file.pt", "no file"},  {"", "is a directory"},
  };
  for (const auto& [file, what] : expected) {
    SCOPED_TRACE(file);
    const std::filesystem::path path = fixture_path("broken/" + file);
    EXPECT_THAT([&] { Model::load(path); }, ThrowsMessage<ModelError>(one_line(what)));
  }
}

class BadInputTest : public testing::Test {
 protected:
  Attribution attribution(AttributionOptions options = {}) const {
    if (options.layers.empty()) {
      options.layers = {"act1"};
    }
    return model_.attribution(options);
  }

  template <typename Exception>
  void expect_refused(const at::Tensor& x, const at::Tensor& y, const at::Tensor& cluster, const char* what) const {
    Attribution refusing = attribution();
    EXPECT_THAT([&] { refusing.add(x, y, cluster); }, ThrowsMessage<Exception>(one_line(what)));
    EXPECT_TRUE(refusing.scores().entries().empty()) << "a refused batch adds nothing";
  }

  Model model_ = Model::load(fixture_path("digits-mlp.scripted.pt"));
  Data data_ = read_data(fixture_path("digits.npz"));
  at::Tensor x_ = data_.x.slice(0, 0, 8);
  at::Tensor y_ = data_.y.slice(0, 0, 8);
};

TEST_F(BadInputTest, Inputs) {
  expect_refused<InputError>(x_.slice(1, 0, 3), y_, {}, "cannot take inputs [8, 3]");
  expect_refused<InputError>(x_.to(at::kDouble), y_, {}, "type Double");
  expect_refused<InputError>(x_.to(at::kLong), y_, {}, "x.astype(np.float32)");
  expect_refused<InputError>(x_.slice(0, 0, 0), y_, {}, "empty");
  expect_refused<InputError>({}, y_, {}, "empty");
  at::Tensor holed = x_.clone();
  holed[5][3] = std::numeric_limits<float>::quiet_NaN();
  expect_refused<InputError>(holed, y_, {}, "sample 5");
  holed[2][0] = -std::numeric_limits<float>::infinity();
  expect_refused<InputError>(holed, y_, {}, "sample 2");
  expect_refused<InputError>(x_.to_sparse(), y_, {}, "the inputs are not dense");
}

TEST_F(BadInputTest, InputShapes) {
  EXPECT_THAT([&] { model_.layers(std::vector<std::int64_t>{-1, 64}); },
              ThrowsMessage<InputError>(one_line("the size -1")));
  EXPECT_THAT([&] { model_.layers(std::vector<std::int64_t>{1, 63}); },
              ThrowsMessage<InputError>(one_line("cannot take inputs [1, 63]")));
  EXPECT_THAT([&] { model_.layers(std::vector<std::int64_t>{std::numeric_limits<std::int64_t>::max(), 64}); },
              ThrowsMessage<InputError>(one_line("there is no input of the shape [9223372036854775807, 64]")));
}

TEST_F(BadInputTest, LabelsAndClusters) {
  expect_refused<InputError>(x_, {}, {}, "no labels");
  expect_refused<InputError>(x_, y_.slice(0, 0, 7), {}, "7 labels for 8 samples");
  expect_refused<InputError>(x_, y_.to(at::kFloat), {}, "labels have type Float");
  expect_refused<InputError>(x_, y_ + 10, {}, "labels go from 0 to 9");
  expect_refused<InputError>(x_, y_ - 10, {}, "labels go from 0 to 9");
  expect_refused<InputError>(x_, y_, at::zeros({3}, at::kLong), "3 clusters for 8 samples");
  expect_refused<InputError>(x_, y_, at::zeros({8}), "clusters have type Float");
  expect_refused<InputError>(x_, y_.to_sparse(), {}, "the labels are not dense");
  expect_refused<InputError>(x_, y_.unsqueeze(1).to_sparse(), {}, "the labels are not dense");
  expect_refused<InputError>(x_, y_, y_.to_sparse(), "the clusters are not dense");
}

TEST_F(BadInputTest, Options) {
  EXPECT_THAT([] { method_named("gradients"); }, ThrowsMessage<ArgumentError>(one_line("gradient-x-activation")));
  EXPECT_THAT([] { output_named("logits"); }, ThrowsMessage<ArgumentError>(one_line("log-probability")));
  AttributionOptions options;
  options.target = Target::index(10);
  EXPECT_THAT([&] { attribution(options).add(x_, y_); }, ThrowsMessage<ArgumentError>(one_line("choose 0 to 9")));
  options = {};
  options.methods = {};
  EXPECT_THAT([&] { attribution(options); }, ThrowsMessage<ArgumentError>(one_line("no method")));
}

TEST_F(BadInputTest, NumbersThatAreNoConstants) {
  const auto refused = [&](const AttributionOptions& options, const char* what) {
    EXPECT_THAT([&] { attribution(options); }, ThrowsMessage<ArgumentError>(one_line(what)));
  };
  AttributionOptions options;
  options.methods = {static_cast<Method>(99)};
  refused(options, "no method of number 99");
  options.methods = {static_cast<Method>(-1)};
  refused(options, "no method of number -1");
  options = {};
  options.output = static_cast<Output>(3);
  refused(options, "no output of number 3: choose one of logit, probability, log-probability");
  options = {};
  options.methods = {Method::ablation};
  options.removal = static_cast<Removal>(7);
  refused(options, "no removal of number 7");
  options = {};
  options.methods = {Method::integrated_gradients};
  options.quadrature = static_cast<Quadrature>(-2);
  refused(options, "no rule of number -2");
  options = {};
  options.positions = static_cast<Positions>(2);
  refused(options, "no choice of positions of number 2");
  AblationOptions ablation;
  ablation.orders = random_orders("act1", 0, 0, 128, 1, 0);
  ablation.removal = static_cast<Removal>(3);
  EXPECT_THAT([&] { model_.ablation(ablation); }, ThrowsMessage<ArgumentError>(one_line("no removal of number 3")));
  CheckOptions check;
  check.layers = {"act1"};
  check.output = static_cast<Output>(5);
  EXPECT_THAT([&] { model_.check(check); }, ThrowsMessage<ArgumentError>(one_line("no output of number 5")));
}

TEST_F(BadInputTest, ABatchOfLargeFiniteInputsIsNoOverflow) {
  Attribution accepting = attribution();
  EXPECT_NO_THROW(accepting.add(at::full({8, 64}, 1e36F), y_));
}

TEST_F(BadInputTest, TheCallersTensorsStayAsTheyAre) {
  const at::Tensor before = x_.clone();
  attribution().add(x_, y_);
  EXPECT_TRUE(x_.equal(before));
  EXPECT_FALSE(x_.requires_grad());
}

TEST_F(BadInputTest, TargetsAndOutputsAreThoseAskedFor) {
  const at::Tensor predicted = model_.forward(x_).argmax(1);
  AttributionOptions by_label;
  AttributionOptions by_prediction;
  by_prediction.target = Target::predicted();
  for (const Output output : {Output::logit, Output::probability, Output::log_probability}) {
    by_label.output = output;
    by_prediction.output = output;
    Attribution left = attribution(by_label);
    left.add(x_, predicted);
    Attribution right = attribution(by_prediction);
    right.add(x_);
    EXPECT_EQ(left.scores().of("act1", 0, Method::gradient).mean, right.scores().of("act1", 0, Method::gradient).mean);
  }
  // d log p = dp / p, sample by sample. p is a factor, and 1 − p another, so a p near 1 would leave little of its
  // digits.
  const at::Tensor one = x_.slice(0, 3, 4);
  const double p = model_.forward(one).softmax(1)[0][predicted[3]].item<double>();
  ASSERT_LT(p, 0.96);
  by_label.output = Output::probability;
  Attribution probability = attribution(by_label);
  probability.add(one, predicted.slice(0, 3, 4));
  by_label.output = Output::log_probability;
  Attribution log_probability = attribution(by_label);
  log_probability.add(one, predicted.slice(0, 3, 4));
  std::vector<double> scaled = probability.scores().of("act1", 0, Method::gradient).mean;
  for (double& each : scaled) {
    each /= p;
  }
  EXPECT_LT(relative_error(log_probability.scores().of("act1", 0, Method::gradient).mean, scaled),
            apart(at::kFloat, {10, 64}) + apart(at::kFloat, {1}) / (1 - p));
}

}  // namespace

}  // namespace pregrad::test::bad_input_test
