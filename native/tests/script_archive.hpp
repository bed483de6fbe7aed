#pragma once

#include <filesystem>
#include <map>
#include <string>

namespace pregrad::test {

/// A TorchScript file that can be changed and written again.
class ScriptArchive {
 public:
  explicit ScriptArchive(const std::filesystem::path& file);

  /// By name, without the archive's folder.
  std::map<std::string, std::string>& records() { return records_; }
  /// The one record whose name ends so.
  std::string& record(const std::string& ending);
  /// Replaces a text of code or pickle, which must be there.
  ScriptArchive& replace(const std::string& ending, const std::string& from, const std::string& to);

  void write(const std::filesystem::path& file) const;

 private:
  std::map<std::string, std::string> records_;
};

/// A folder of this process that goes away with the object.
class TemporaryFolder {
 public:
  TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder();
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace pregrad::test
