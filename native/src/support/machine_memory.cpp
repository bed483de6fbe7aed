#include "support/machine_memory.hpp"

#include <algorithm>
#include <fstream>
#include <string>

namespace pregrad::support {

namespace {

namespace fs = std::filesystem;

/// The number that a file consists of; empty for `max`, and where there is no such file.
std::optional<std::uint64_t> number_in(const fs::path& file) {
  std::ifstream stream(file);
  std::uint64_t number = 0;
  return stream >> number ? std::optional(number) : std::nullopt;
}

/// The number behind a name, in a file of lines of both.
std::optional<std::uint64_t> number_in(const fs::path& file, const std::string& name) {
  std::ifstream stream(file);
  std::string word;
  while (stream >> word) {
    if (word == name) {
      std::uint64_t number = 0;
      return stream >> number ? std::optional(number) : std::nullopt;
    }
  }
  return std::nullopt;
}

/// How the two versions of control groups name what they know.
struct GroupFiles {
  const char* limit;
  const char* used;
  const char* files_in_memory;
};
constexpr GroupFiles version_1 = {"memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"};
constexpr GroupFiles version_2 = {"memory.max", "memory.current", "inactive_file"};

/// What is left to a group; empty if it has no limit.
std::optional<std::uint64_t> left_to(const fs::path& group, const GroupFiles& files) {
  const auto limit = number_in(group / files.limit);
  const auto used = number_in(group / files.used);
  if (!limit || !used) {
    return std::nullopt;
  }
  const std::uint64_t held =
      *used - std::min(*used, number_in(group / "memory.stat", files.files_in_memory).value_or(0));
  return *limit - std::min(*limit, held);
}

}  // namespace

std::optional<std::uint64_t> available_memory(const fs::path& root) {
  std::optional<std::uint64_t> least;
  const auto take = [&](std::optional<std::uint64_t> bytes) {
    if (bytes && (!least || *bytes < *least)) {
      least = bytes;
    }
  };
  if (const auto kibibytes = number_in(root / "proc/meminfo", "MemAvailable:")) {
    take(*kibibytes * 1024);
  }
  // A line is NUMBER:CONTROLLERS:/GROUP, without controllers in version 2.
  std::ifstream groups(root / "proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) {
      continue;
    }
    std::string controllers = line.substr(first, second - first + 1);
    std::replace(controllers.begin(), controllers.end(), ':', ',');
    const bool is_version_2 = controllers == ",,";
    if (!is_version_2 && controllers.find(",memory,") == std::string::npos) {
      continue;
    }
    const fs::path mount = root / (is_version_2 ? "sys/fs/cgroup" : "sys/fs/cgroup/memory");
    // The limits of all groups around it hold too; inside of a container the path may be that of the host.
    for (fs::path group = fs::path(line.substr(second + 1)).relative_path();; group = group.parent_path()) {
      take(left_to(mount / group, is_version_2 ? version_2 : version_1));
      if (group.empty()) {
        break;
      }
    }
  }
  return least;
}

}  // namespace pregrad::support
