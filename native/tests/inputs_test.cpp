#include "pregrad/inputs.hpp"

#include <string>

#include <ATen/Functions.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fixtures.hpp"
#include "pregrad/pregrad.hpp"

namespace pregrad::test::inputs_test {

namespace {

using testing::HasSubstr;

template <typename Thrown, typename Body>
std::string message_of(const Body& body) {
  try {
    body();
  } catch (const Thrown& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST(InputsTest, AreCutAndCopiedAlongTheBatchTogether) {
  const at::Tensor ids = at::arange(12).view({4, 3});
  const at::Tensor mask = at::arange(4);
  const Inputs inputs = Inputs::of({{"ids", ids}, {"mask", mask}});
  EXPECT_EQ(inputs.samples(), 4);
  EXPECT_EQ(inputs.size(), 2u);

  const Inputs part = inputs.slice(1, 3);
  EXPECT_EQ(part.begin()[0].name, "ids");
  EXPECT_TRUE(at::equal(part.begin()[0].tensor, ids.slice(0, 1, 3)));
  EXPECT_TRUE(at::equal(part.begin()[1].tensor, mask.slice(0, 1, 3)));
  EXPECT_EQ(part.begin()[0].tensor.storage().data(), ids.storage().data());

  const Inputs copies = inputs.copies(2);
  EXPECT_EQ(copies.samples(), 8);
  EXPECT_TRUE(at::equal(copies.begin()[0].tensor, at::cat({ids, ids})));
  EXPECT_TRUE(at::equal(inputs.repeated(2).begin()[1].tensor, at::tensor({0, 0, 1, 1, 2, 2, 3, 3})));
}

TEST(InputsTest, OneOfThemNeedsNoName) {
  const at::Tensor x = at::ones({2, 3});
  EXPECT_TRUE(Inputs(x).only().is_same(x));
  EXPECT_FALSE(Inputs().only().defined());
  EXPECT_EQ(Inputs().samples(), 0);
}

TEST(InputsTest, WrongNamesAreRefused) {
  const at::Tensor x = at::ones({2, 3});
  EXPECT_THAT(message_of<ArgumentError>([&] { Inputs::of({{"x", x}, {"x", x}}); }), HasSubstr("'x' is given twice"));
  EXPECT_THAT(message_of<ArgumentError>([&] { Inputs::of({{"", x}}); }), HasSubstr("has no name"));
  EXPECT_THAT(message_of<ArgumentError>([] { Inputs::of({}); }), HasSubstr("there are no inputs"));
}

class NamedInputTest : public testing::TestWithParam<std::string> {};

TEST_P(NamedInputTest, IsTheInputUnderItsOwnNameAlone) {
  const Model model = Model::load(fixture_path(GetParam()));
  const at::Tensor x = read_data(fixture_path("digits.npz")).x;
  const at::Tensor expected = model.forward(x);
  EXPECT_TRUE(at::equal(model.forward(Inputs::of({{"x", x}})), expected));
  EXPECT_THAT(message_of<InputError>([&] { static_cast<void>(model.forward(Inputs::of({{"ids", x}}))); }),
              HasSubstr("the model's input is 'x', and 'ids' was given"));
  EXPECT_THAT(message_of<InputError>([&] { static_cast<void>(model.forward(Inputs::of({{"x", x}, {"mask", x}}))); }),
              HasSubstr("the model's input is 'x', and 'mask' was given too: leave it out"));
}

INSTANTIATE_TEST_SUITE_P(Forms, NamedInputTest,
                         testing::Values("digits-mlp.scripted.pt", "digits-mlp.traced.pt", "digits-mlp.exported.pt2"),
                         [](const auto& form) {
                           std::string name = form.param.substr(11);
                           return name.substr(0, name.find('.'));
                         });

}  // namespace

}  // namespace pregrad::test::inputs_test
