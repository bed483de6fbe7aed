#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <span>
#include <stdexcept>
#include <string>

namespace pregrad::pt2 {

/// What is wrong with an archive; the words that come after the file's name. Whoever knows the file makes a ModelError
/// of it.
class ArchiveError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Why an archive that is in order cannot be read; likewise. An UnsupportedModelError is made of it.
class UnsupportedArchive : public ArchiveError {
 public:
  using ArchiveError::ArchiveError;
};

/// Bytes that can be read from any place.
class ByteSource {
 public:
  ByteSource() = default;
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;
  virtual ~ByteSource() = default;

  virtual std::uint64_t size() const = 0;
  /// Fills `into` with the bytes from `offset` on.
  /// @returns false if they are not all there
  virtual bool read(std::uint64_t offset, std::span<std::byte> into) = 0;
};

class FileSource final : public ByteSource {
 public:
  explicit FileSource(const std::filesystem::path& file);

  std::uint64_t size() const override { return size_; }
  bool read(std::uint64_t offset, std::span<std::byte> into) override;

 private:
  std::ifstream stream_;
  std::uint64_t size_ = 0;
};

/// Bytes of somebody else, who keeps them for as long as they are read.
class MemorySource final : public ByteSource {
 public:
  explicit MemorySource(std::span<const std::byte> bytes) : bytes_(bytes) {}

  std::uint64_t size() const override { return bytes_.size(); }
  bool read(std::uint64_t offset, std::span<std::byte> into) override;

 private:
  std::span<const std::byte> bytes_;
};

/// The checksum of zip files (ISO 3309).
std::uint32_t crc32(std::span<const std::byte> bytes);

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
