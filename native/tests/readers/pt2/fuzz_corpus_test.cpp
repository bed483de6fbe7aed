// What the fuzzer has found before, and the archives it starts from: none may crash.

#include <filesystem>

#include <gtest/gtest.h>

#include "exported_archive.hpp"
#include "fixtures.hpp"

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace pregrad::test::fuzz_corpus_test {

namespace {

TEST(FuzzCorpus, NoInputCrashesTheReader) {
  std::size_t inputs = 0;
  for (const auto& entry : std::filesystem::directory_iterator(PREGRAD_FUZZ_CORPUS)) {
    const std::string bytes = bytes_of(entry.path());
    SCOPED_TRACE(entry.path().filename());
    EXPECT_EQ(LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()), 0);
    ++inputs;
  }
  EXPECT_GT(inputs, 10U);
}

}  // namespace

}  // namespace pregrad::test::fuzz_corpus_test
