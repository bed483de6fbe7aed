#include "readers/pt2/zip.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace pregrad::pt2 {

namespace {

bool is_inside(std::uint64_t offset, std::uint64_t length, std::uint64_t size) {
  return offset <= size && length <= size - offset;
}

}  // namespace

FileSource::FileSource(const std::filesystem::path& file) : stream_(file, std::ios::binary | std::ios::ate) {
  const std::streamoff end = stream_ ? static_cast<std::streamoff>(stream_.tellg()) : 0;
  size_ = end > 0 ? static_cast<std::uint64_t>(end) : 0;
}

bool FileSource::read(std::uint64_t offset, std::span<std::byte> into) {
  if (!is_inside(offset, into.size(), size_)) {
    return false;
  }
  stream_.clear();
  stream_.seekg(static_cast<std::streamoff>(offset));
  stream_.read(reinterpret_cast<char*>(into.data()), static_cast<std::streamsize>(into.size()));
  return static_cast<std::size_t>(stream_.gcount()) == into.size();
}

bool MemorySource::read(std::uint64_t offset, std::span<std::byte> into) {
  if (!is_inside(offset, into.size(), bytes_.size())) {
    return false;
  }
  if (!into.empty()) {
    std::memcpy(into.data(), bytes_.data() + offset, into.size());
  }
  return true;
}

}  // namespace pregrad::pt2

// LibTorch's header defines functions rather than declaring them; a namespace keeps them from everybody else's.
namespace pregrad::pt2::libtorch {
#include <caffe2/serialize/crc_alt.h>
}  // namespace pregrad::pt2::libtorch

namespace pregrad::pt2 {

std::uint32_t crc32(std::span<const std::byte> bytes) { return libtorch::crc32_fast(bytes.data(), bytes.size()); }

namespace {

constexpr std::uint32_t local_signature = 0x04034b50;
constexpr std::uint32_t entry_signature = 0x02014b50;
constexpr std::uint32_t end_signature = 0x06054b50;
constexpr std::uint32_t end64_signature = 0x06064b50;
constexpr std::uint32_t locator64_signature = 0x07064b50;

constexpr std::size_t local_size = 30;
constexpr std::size_t entry_size = 46;
constexpr std::size_t end_size = 22;
constexpr std::size_t end64_size = 56;
constexpr std::size_t locator64_size = 20;
constexpr std::size_t longest_comment = 0xffff;

constexpr std::uint32_t saturated32 = 0xffffffff;

[[noreturn]] void fail(const std::string& what) { throw ArchiveError(what); }

/// Reads little-endian numbers; whoever asks for more than there is gets an error.
class Fields {
 public:
  explicit Fields(std::span<const std::byte> bytes) : bytes_(bytes) {}

  template <typename Number>
  Number at(std::size_t offset) const {
    require(offset, sizeof(Number));
    Number value = 0;
    for (std::size_t i = 0; i < sizeof(Number); ++i) {
      value = static_cast<Number>(value |
                                  (static_cast<Number>(std::to_integer<std::uint8_t>(bytes_[offset + i])) << (8 * i)));
    }
    return value;
  }
  std::uint16_t u16(std::size_t offset) const { return at<std::uint16_t>(offset); }
  std::uint32_t u32(std::size_t offset) const { return at<std::uint32_t>(offset); }
  std::uint64_t u64(std::size_t offset) const { return at<std::uint64_t>(offset); }

  Fields part(std::size_t offset, std::size_t length) const {
    require(offset, length);
    return Fields(bytes_.subspan(offset, length));
  }
  std::string text() const { return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()}; }
  std::size_t size() const { return bytes_.size(); }

 private:
  void require(std::size_t offset, std::size_t length) const {
    if (offset > bytes_.size() || length > bytes_.size() - offset) {
      fail("has a damaged zip directory");
    }
  }

  std::span<const std::byte> bytes_;
};

std::vector<std::byte> bytes_at(ByteSource& source, std::uint64_t offset, std::uint64_t length) {
  if (offset > source.size() || length > source.size() - offset) {
    fail("is truncated or damaged: its zip directory points beyond its end");
  }
  std::vector<std::byte> bytes(static_cast<std::size_t>(length));
  if (!source.read(offset, bytes)) {
    fail("cannot be read to its end");
  }
  return bytes;
}

struct DirectoryPlace {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  std::uint64_t entries = 0;
};

/// The end record stands last, but for a comment of unknown length.
std::optional<std::pair<std::uint64_t, DirectoryPlace>> find_end(ByteSource& source) {
  const std::uint64_t tail_size = std::min<std::uint64_t>(source.size(), end_size + longest_comment);
  const std::uint64_t tail_offset = source.size() - tail_size;
  const std::vector<std::byte> tail = bytes_at(source, tail_offset, tail_size);
  const Fields fields(tail);
  for (std::size_t at = tail.size() < end_size ? 0 : tail.size() - end_size + 1; at-- > 0;) {
    if (fields.u32(at) == end_signature && at + end_size + fields.u16(at + 20) == tail.size()) {
      return std::pair{tail_offset + at, DirectoryPlace{fields.u32(at + 16), fields.u32(at + 12), fields.u16(at + 10)}};
    }
  }
  return std::nullopt;
}

DirectoryPlace find_directory(ByteSource& source) {
  const auto found = find_end(source);
  if (!found) {
    fail("is truncated or damaged, or a zip archive that is no model");
  }
  auto [end, place] = *found;
  if (end < locator64_size) {
    return place;
  }
  const std::vector<std::byte> locator = bytes_at(source, end - locator64_size, locator64_size);
  const Fields located(locator);
  if (located.u32(0) != locator64_signature) {
    return place;
  }
  const std::vector<std::byte> record = bytes_at(source, located.u64(8), end64_size);
  const Fields fields(record);
  if (fields.u32(0) != end64_signature) {
    fail("has a damaged zip directory");
  }
  return {fields.u64(48), fields.u64(40), fields.u64(32)};
}

/// Takes the numbers that do not fit into 32 bits from the entry's zip64 field.
void widen(ZipEntry& entry, const Fields& extra) {
  constexpr std::uint16_t zip64_field = 1;
  for (std::size_t at = 0; at + 4 <= extra.size();) {
    const std::uint16_t length = extra.u16(at + 2);
    if (extra.u16(at) == zip64_field) {
      const Fields wide = extra.part(at + 4, length);
      std::size_t next = 0;
      for (std::uint64_t* number : {&entry.size, &entry.packed_size, &entry.header_offset}) {
        if (*number == saturated32) {
          *number = wide.u64(next);
          next += 8;
        }
      }
      return;
    }
    at += 4 + std::size_t{length};
  }
}

}  // namespace

ZipDirectory ZipDirectory::read(ByteSource& source) {
  const DirectoryPlace place = find_directory(source);
  const std::vector<std::byte> bytes = bytes_at(source, place.offset, place.length);
  if (place.entries > bytes.size() / entry_size) {
    fail("has a damaged zip directory: it announces " + std::to_string(place.entries) + " entries");
  }
  const Fields fields(bytes);
  ZipDirectory directory;
  std::size_t at = 0;
  for (std::uint64_t i = 0; i < place.entries; ++i) {
    const Fields head = fields.part(at, entry_size);
    if (head.u32(0) != entry_signature) {
      fail("has a damaged zip directory");
    }
    const std::size_t name_length = head.u16(28);
    const std::size_t extra_length = head.u16(30);
    ZipEntry entry;
    entry.is_encrypted = (head.u16(8) & 1U) != 0;
    entry.method = head.u16(10);
    entry.crc32 = head.u32(16);
    entry.packed_size = head.u32(20);
    entry.size = head.u32(24);
    entry.header_offset = head.u32(42);
    widen(entry, fields.part(at + entry_size + name_length, extra_length));
    const std::string name = fields.part(at + entry_size, name_length).text();
    if (!directory.entries_.emplace(name, entry).second) {
      fail("is damaged: its zip directory has two entries '" + name + "'");
    }
    if (i == 0) {
      directory.first_ = name;
    }
    at += entry_size + name_length + extra_length + head.u16(32);
  }
  return directory;
}

std::uint64_t data_offset(ByteSource& source, const std::string& name, const ZipEntry& entry) {
  const std::vector<std::byte> header = bytes_at(source, entry.header_offset, local_size);
  const Fields fields(header);
  if (fields.u32(0) != local_signature) {
    fail("is damaged: there is no entry '" + name + "' where its zip directory says");
  }
  const std::uint64_t offset = entry.header_offset + local_size + fields.u16(26) + fields.u16(28);
  if (offset > source.size() || entry.packed_size > source.size() - offset) {
    fail("is truncated or damaged: entry '" + name + "' reaches beyond its end");
  }
  return offset;
}

}  // namespace pregrad::pt2
