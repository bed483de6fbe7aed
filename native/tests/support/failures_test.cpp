#include "support/failures.hpp"

#include <string>

#include <c10/util/Exception.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pregrad/error.hpp"

namespace pregrad::support {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

TEST(PrintableTest, ShowsWhatActsOnATerminalOrHides) {
  EXPECT_EQ(printable("act\x1b[31mRED"), "act\\x1b[31mRED");
  EXPECT_EQ(printable(std::string("a\0b", 3)), "a\\x00b");
  EXPECT_EQ(printable("a\r\nb\tc\x7f"), "a\\x0d\\x0ab\\x09c\\x7f");
  EXPECT_EQ(printable("\u009b31m"), "\\x9b31m") << "the control sequence introducer in one character";
  EXPECT_EQ(printable("\u202egpj.exe\u2066"), "\\u202egpj.exe\\u2066");
  EXPECT_EQ(printable("a\u2028b\u2029\ufeff\u00ad\u200b"), "a\\u2028b\\u2029\\ufeff\\xad\\u200b");
  EXPECT_EQ(printable("\U000e0041"), "\\U000e0041") << "a tag, which nobody sees";
}

TEST(PrintableTest, LeavesWhatCanBeRead) {
  for (const char* text : {"", "layer1.0.relu@1", "'=cmd|calc!A1', \"a\\b\"", "Schicht_\u00fc \u5c64 \u2202y/\u2202z",
                           "\U0001f600", "\u0430\u0301"}) {
    EXPECT_EQ(printable(text), text);
  }
}

TEST(PrintableTest, ShowsBytesThatAreNoUtf8) {
  EXPECT_EQ(printable("caf\xe9"), "caf\\xe9") << "Latin-1";
  EXPECT_EQ(printable("\xc3"), "\\xc3") << "the first byte of two";
  EXPECT_EQ(printable("\xe2\x82x"), "\\xe2\\x82x") << "two bytes of three";
  EXPECT_EQ(printable("\xc0\x9b"), "\\xc0\\x9b") << "a control character in more bytes than it takes";
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "half a pair of UTF-16";
  EXPECT_EQ(printable("\xf5\x80\x80\x80"), "\\xf5\\x80\\x80\\x80") << "beyond Unicode";
}

TEST(PrintableTest, CutsTheMiddleOfWhatIsVeryLong) {
  const std::string name = "first" + std::string(100'000, 'x') + "last";
  EXPECT_THAT(printable("no layer '" + name + "': give another"),
              AllOf(StartsWith("no layer 'firstxxx"), HasSubstr("\u2026"), EndsWith("xlast': give another"),
                    SizeIs(testing::Lt(500U))));
  std::string list = "no layer 'a', there are ";
  for (int i = 0; i < 10'000; ++i) {
    list += "layer" + std::to_string(i) + ", ";
  }
  EXPECT_THAT(printable(list + "give one"),
              AllOf(StartsWith("no layer 'a', there are layer0, "), EndsWith("give one"), SizeIs(testing::Lt(4100U))));
  // Characters of several bytes are cut between.
  std::string letters;
  for (int i = 0; i < 1000; ++i) {
    letters += "\u5c64";
  }
  EXPECT_THAT(printable(letters), Not(HasSubstr("\\x")));
  EXPECT_EQ(printable(printable(letters)), printable(letters));
}

TEST(PrintableTest, EveryExceptionIsPrintable) {
  const auto quoting = [](const char* name) -> std::string {
    try {
      throw LayerError(std::string("there is no layer '") + name + "'");
    } catch (const Error& error) {
      return error.what();
    }
  };
  EXPECT_EQ(quoting("a\x1b]0;title\x07\nb"), "there is no layer 'a\\x1b]0;title\\x07\\x0ab'");
}

/// What LibTorch itself says when this fails.
template <typename Failing>
std::string said(const Failing& fail) {
  try {
    fail();
  } catch (const c10::Error& error) {
    return first_sentence(error);
  }
  return "nothing was thrown";
}

TEST(FirstSentenceTest, NamesTheAssertionAndItsPlaceWithoutFoldersAndRequests) {
  // This file's own path stands for that of LibTorch's builders.
  EXPECT_THAT(said([] { TORCH_INTERNAL_ASSERT(1 + 1 == 3, "the sum is ", 2); }),
              AllOf(StartsWith("an assertion of LibTorch's failed, 1 + 1 == 3 in failures_test.cpp:"),
                    EndsWith(": the sum is 2")));
  EXPECT_THAT(said([] { TORCH_INTERNAL_ASSERT(1 + 1 == 3); }),
              AllOf(StartsWith("an assertion of LibTorch's failed, 1 + 1 == 3 in failures_test.cpp:"),
                    Not(HasSubstr("report")), Not(HasSubstr("PyTorch")), Not(HasSubstr("/"))));
  EXPECT_EQ(said([] { TORCH_CHECK(false, "the sizes 2 and 3 differ"); }), "the sizes 2 and 3 differ");
}

TEST(FirstSentenceTest, KeepsWhatUsersCanUse) {
  EXPECT_EQ(first_sentence(std::string("[enforce fail at inline_container.cc:315] . file not found: archive/data.pkl\n"
                                       "frame #0: c10::ThrowEnforceNotMet(char const*) + 0x45 (0x7f in /x/libc10.so)")),
            "file not found: archive/data.pkl");
  EXPECT_EQ(
      first_sentence(std::string("Expected a tensor at /builder/pytorch/torch/csrc/jit/ir/ir.cpp:12 (but got int)")),
      "Expected a tensor at ir.cpp:12 (but got int)");
  EXPECT_EQ(first_sentence(std::string("cannot open /data/models/a.pt: no such file")),
            "cannot open /data/models/a.pt: no such file")
      << "a user's own path stays";
  EXPECT_EQ(first_sentence(std::string("the operator \x1b[31mbad\x1b[0m is unknown")),
            "the operator \\x1b[31mbad\\x1b[0m is unknown");
}

}  // namespace
}  // namespace pregrad::support
