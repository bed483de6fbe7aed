#include "script_archive.hpp"

#include <cstdlib>
#include <stdexcept>

#include <caffe2/serialize/inline_container.h>

namespace pregrad::test {

namespace {

/// The writer makes these itself.
bool is_of_writer(const std::string& name) {
  return name == "version" || name == "byteorder" || name.starts_with(".data/");
}

}  // namespace

ScriptArchive::ScriptArchive(const std::filesystem::path& file) {
  caffe2::serialize::PyTorchStreamReader reader(file.string());
  for (const std::string& name : reader.getAllRecords()) {
    const auto [data, size] = reader.getRecord(name);
    records_.emplace(name, std::string(static_cast<const char*>(data.get()), size));
  }
}

std::string& ScriptArchive::record(const std::string& ending) {
  for (auto& [name, bytes] : records_) {
    if (name.ends_with(ending)) {
      return bytes;
    }
  }
  throw std::runtime_error("no record ends with " + ending);
}

ScriptArchive& ScriptArchive::replace(const std::string& ending, const std::string& from, const std::string& to) {
  std::string& bytes = record(ending);
  const std::size_t found = bytes.find(from);
  if (found == std::string::npos) {
    throw std::runtime_error("'" + from + "' is not in " + ending);
  }
  bytes.replace(found, from.size(), to);
  return *this;
}

void ScriptArchive::write(const std::filesystem::path& file) const {
  caffe2::serialize::PyTorchStreamWriter writer(file.string());
  for (const auto& [name, bytes] : records_) {
    if (!is_of_writer(name)) {
      writer.writeRecord(name, bytes.data(), bytes.size());
    }
  }
  writer.writeEndOfFile();
}

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "pregrad-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) {
    throw std::runtime_error("cannot make a folder for this test");
  }
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace pregrad::test
