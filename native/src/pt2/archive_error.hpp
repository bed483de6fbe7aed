#pragma once

#include <stdexcept>

namespace pregrad::pt2 {

/// What is wrong with an archive; the words that come after the file's name. Whoever knows the file makes a ModelError
/// of it.
class ArchiveError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace pregrad::pt2
