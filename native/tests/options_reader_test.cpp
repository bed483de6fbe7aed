// Options as Java packs them, by name.

#include "jni/options_reader.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "jni/records.hpp"
#include "pregrad/options.hpp"

namespace pregrad::jni {

namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::ThrowsMessage;

/// As org.pregrad.internal.OptionsWriter.
class Writer {
 public:
  Writer& add(std::string_view name, std::int64_t value) {
    begin(name, 0).add(value);
    return *this;
  }
  Writer& add(std::string_view name, std::string_view value) {
    begin(name, 1).add(value);
    return *this;
  }
  Writer& add(std::string_view name, const std::vector<std::int64_t>& values) {
    begin(name, 2).add(values);
    return *this;
  }
  Writer& add(std::string_view name, const std::vector<double>& values) {
    begin(name, 3).add(values);
    return *this;
  }
  Writer& add(std::string_view name, int type, const std::vector<std::string>& values) {
    begin(name, type).add(values.size());
    for (const std::string& value : values) {
      records_.add(std::string_view(value));
    }
    return *this;
  }
  std::string bytes() const {
    Records count;
    count.add(fields_);
    return count.bytes() + records_.bytes();
  }

 private:
  Records& begin(std::string_view name, int type) {
    ++fields_;
    records_.add(name);
    records_.add(type);
    return records_;
  }
  std::int64_t fields_ = 0;
  Records records_;
};

std::string everything() {
  return Writer()
      .add("steps", 7)
      .add("quadrature", "midpoint")
      .add("counts", std::vector<std::int64_t>{1, -2})
      .add("values", std::vector<double>{0.5})
      .add("layers", 4, {"act1", ""})
      .add("means", 5, {Writer().add("call", 3).bytes(), Writer().bytes()})
      .bytes();
}

struct Seen {
  std::int64_t steps = 50;
  Quadrature quadrature = Quadrature::gauss_legendre;
  std::vector<std::int64_t> counts = {9};
  std::vector<double> values = {9};
  std::vector<std::string> layers = {"default"};
  std::vector<std::int64_t> means = {9};
};

Seen seen(const std::string& bytes) {
  OptionsReader from(bytes);
  Seen result;
  from.read("steps", result.steps);
  from.read("quadrature", result.quadrature, quadrature_named);
  from.read("counts", result.counts);
  from.read("values", result.values);
  from.read_each("layers", result.layers, [](std::string_view name) { return std::string(name); });
  from.read_all("means", result.means, [](OptionsReader& each) {
    std::int64_t call = -1;
    each.read("call", call);
    return call;
  });
  from.finish();
  return result;
}

TEST(OptionsReaderTest, ReadsByNameInAnyOrder) {
  const Seen options = seen(everything());
  EXPECT_EQ(options.steps, 7);
  EXPECT_EQ(options.quadrature, Quadrature::midpoint);
  EXPECT_THAT(options.counts, ElementsAre(1, -2));
  EXPECT_THAT(options.values, ElementsAre(0.5));
  EXPECT_THAT(options.layers, ElementsAre("act1", ""));
  EXPECT_THAT(options.means, ElementsAre(3, -1));
  const Seen reversed = seen(Writer().add("values", std::vector<double>{}).add("steps", 8).bytes());
  EXPECT_EQ(reversed.steps, 8);
  EXPECT_THAT(reversed.values, IsEmpty());
}

TEST(OptionsReaderTest, WhatIsNotThereKeepsItsDefault) {
  const Seen options = seen(Writer().bytes());
  EXPECT_EQ(options.steps, 50);
  EXPECT_EQ(options.quadrature, Quadrature::gauss_legendre);
  EXPECT_THAT(options.counts, ElementsAre(9));
  EXPECT_THAT(options.layers, ElementsAre("default"));
  EXPECT_THAT(options.means, ElementsAre(9));
}

TEST(OptionsReaderTest, WhatNobodyKnowsIsRefusedByName) {
  const auto one_line = [](const char* part) { return AllOf(HasSubstr(part), Not(HasSubstr("\n"))); };
  EXPECT_THAT([] { seen(Writer().add("stepz", 8).bytes()); },
              ThrowsMessage<ArgumentError>(one_line("no option 'stepz'")));
  EXPECT_THAT([] { seen(Writer().add("means", 5, {Writer().add("cal", 3).bytes()}).bytes()); },
              ThrowsMessage<ArgumentError>(one_line("no option 'cal'")));
  EXPECT_THAT([] { seen(Writer().add("steps", "8").bytes()); },
              ThrowsMessage<ArgumentError>(one_line("the option 'steps' is of another type")));
  EXPECT_THAT([] { seen(Writer().add("quadrature", "simpson").bytes()); },
              ThrowsMessage<ArgumentError>(one_line("'simpson'")));
}

TEST(OptionsReaderTest, GarbledBytesAreRefused) {
  EXPECT_THROW(seen(Writer().add("steps", 1).add("steps", 2).bytes()), InternalError);
  EXPECT_THROW(seen(Writer().add("steps", 6, {}).bytes()), InternalError) << "a type that there is not";
  const std::string bytes = everything();
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_THROW(seen(bytes.substr(0, length)), InternalError) << length;
  }
  EXPECT_THROW(seen(bytes + bytes), InternalError) << "more than the number of options";
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string garbled = bytes;
    garbled[i] = static_cast<char>(garbled[i] ^ 0x80);
    try {
      seen(garbled);
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()), "");
    }
  }
}

}  // namespace

}  // namespace pregrad::jni
