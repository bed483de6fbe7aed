#pragma once

#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "readers/pt2/zip.hpp"

namespace pregrad::pt2 {

/// The records of a PT2 archive: entries of a zip file under one folder, stored as they are.
class Archive {
 public:
  /// @throws ArchiveError
  explicit Archive(std::unique_ptr<ByteSource> source);

  bool has(const std::string& record) const;
  /// Names of the records that begin with `prefix`, in alphabetical order.
  std::vector<std::string> records(const std::string& prefix) const;
  /// A record's bytes, uint8, in memory of their own, as they were when written (CRC-32).
  /// @throws ArchiveError if there is no such record, it is packed or damaged
  at::Tensor bytes(const std::string& record);
  std::string text(const std::string& record);

 private:
  std::unique_ptr<ByteSource> source_;
  ZipDirectory directory_;
  std::string root_;  ///< with a slash at its end
};

}  // namespace pregrad::pt2
