#include "readers/pt2/archive.hpp"

#include <ATen/Functions.h>

#include "readers/pt2/zip.hpp"

namespace pregrad::pt2 {

namespace {

bool is_as_written(std::span<const std::byte> bytes, const ZipEntry& entry) {
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
  return !bytes.empty() || entry.size == 0;
#else
  return crc32(bytes) == entry.crc32;
#endif
}

}  // namespace

Archive::Archive(std::unique_ptr<ByteSource> source)
    : source_(std::move(source)), directory_(ZipDirectory::read(*source_)) {
  root_ = directory_.first().substr(0, directory_.first().find('/') + 1);
}

bool Archive::has(const std::string& record) const { return directory_.entries().count(root_ + record) != 0; }

std::vector<std::string> Archive::records(const std::string& prefix) const {
  std::vector<std::string> names;
  const std::string full = root_ + prefix;
  for (auto entry = directory_.entries().lower_bound(full);
       entry != directory_.entries().end() && entry->first.starts_with(full); ++entry) {
    names.push_back(entry->first.substr(root_.size()));
  }
  return names;
}

at::Tensor Archive::bytes(const std::string& record) {
  const auto found = directory_.entries().find(root_ + record);
  if (found == directory_.entries().end()) {
    throw ArchiveError("has no record '" + record + "'");
  }
  const ZipEntry& entry = found->second;
  if (entry.method != 0 || entry.is_encrypted || entry.packed_size != entry.size) {
    throw ArchiveError("has a packed or encrypted record '" + record + "', which torch.export.save never writes");
  }
  const std::uint64_t offset = data_offset(*source_, record, entry);
  // No larger than the source, or there would have been an error.
  at::Tensor bytes = at::empty({static_cast<std::int64_t>(entry.size)}, at::kByte);
  const std::span<std::byte> memory(static_cast<std::byte*>(bytes.mutable_data_ptr()),
                                    static_cast<std::size_t>(entry.size));
  if (!source_->read(offset, memory)) {
    throw ArchiveError("cannot be read to its end");
  }
  if (!is_as_written(memory, entry)) {
    throw ArchiveError("is damaged: record '" + record + "' is not what was written (CRC-32)");
  }
  return bytes;
}

std::string Archive::text(const std::string& record) {
  const at::Tensor content = bytes(record);
  return {static_cast<const char*>(content.const_data_ptr()), static_cast<std::size_t>(content.numel())};
}

}  // namespace pregrad::pt2
