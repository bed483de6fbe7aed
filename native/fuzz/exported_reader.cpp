// Fuzzes the reader of torch.export archives. The first byte of an input says what the rest is: 'a' an archive, 'p' the
// program and 'w' the list of weights that take their places in a good archive. In a build for fuzzing, checksums are
// not looked at: nearly every change would end there.

#include <cstddef>
#include <cstdint>
#include <string>

#include "exported_archive.hpp"
#include "pregrad/error.hpp"

namespace {

std::string with_record(const char* record, const std::string& content) {
  static const pregrad::test::ExportedArchive original(PREGRAD_FIXTURES "/reused.exported.pt2");
  pregrad::test::ExportedArchive archive = original;
  archive.records()[record] = content;
  return archive.written();
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const std::string rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  try {
    switch (data[0]) {
      case 'a':
        pregrad::test::read_archive(rest);
        break;
      case 'p':
        pregrad::test::read_archive(with_record("models/model.json", rest));
        break;
      case 'w':
        pregrad::test::read_archive(with_record("data/weights/model_weights_config.json", rest));
        break;
      default:
        break;
    }
  } catch (const pregrad::Error&) {  // NOLINT(bugprone-empty-catch): what a damaged archive deserves
  }
  return 0;
}
