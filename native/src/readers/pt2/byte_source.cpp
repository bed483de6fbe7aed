#include "readers/pt2/byte_source.hpp"

#include <cstring>

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
