#pragma once

#include <stdexcept>

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

}  // namespace pregrad::pt2
