#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "readers/pt2/byte_source.hpp"

namespace pregrad::pt2 {

/// An entry of a zip file, as its central directory gives it.
struct ZipEntry {
  std::uint16_t method = 0;  ///< 0: stored as it is
  bool is_encrypted = false;
  std::uint32_t crc32 = 0;
  std::uint64_t packed_size = 0;
  std::uint64_t size = 0;
  std::uint64_t header_offset = 0;
};

/// The table of contents of a zip file, zip64 included (PKWARE APPNOTE 6.3.10, sections 4.3 and 4.5.3). LibTorch's own
/// reader unpacks an entry before it can be asked how large that becomes, so it is no use on files of strangers.
class ZipDirectory {
 public:
  /// @throws ArchiveError if there is no directory, or one that contradicts itself
  static ZipDirectory read(ByteSource& source);

  /// By name.
  const std::map<std::string, ZipEntry>& entries() const { return entries_; }
  /// The name of the entry that stands first.
  const std::string& first() const { return first_; }

 private:
  std::map<std::string, ZipEntry> entries_;
  std::string first_;
};

/// Where the bytes of `entry` begin.
/// @throws ArchiveError if its local header is not there, or its bytes reach beyond the source
std::uint64_t data_offset(ByteSource& source, const std::string& name, const ZipEntry& entry);

}  // namespace pregrad::pt2
