#include "readers/model_loader.hpp"

#include <array>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

#include "pregrad/error.hpp"
#include "readers/pt2/exported_reader.hpp"
#include "readers/pt2/zip.hpp"

namespace pregrad::readers {

namespace {

enum class ModelFormat { torchscript, exported };

constexpr const char* mend = "save a model with torch.export.save(program, path) or torch.jit.script(model).save(path)";

[[noreturn]] void fail(const std::filesystem::path& file, const std::string& what) {
  throw ModelError("'" + file.string() + "' " + what + ": " + mend);
}

void require_readable(const std::filesystem::path& file) {
  std::error_code error;
  const auto status = std::filesystem::status(file, error);
  if (!std::filesystem::exists(status)) {
    throw ModelError("there is no file '" + file.string() + "': check the path of the model");
  }
  if (std::filesystem::is_directory(status)) {
    throw ModelError("'" + file.string() + "' is a directory: name the model file in it");
  }
  std::ifstream stream(file, std::ios::binary);
  if (!stream) {
    throw ModelError("cannot read '" + file.string() + "': check its permissions");
  }
  std::array<char, 4> magic{};
  stream.read(magic.data(), magic.size());
  if (stream.gcount() == 0) {
    fail(file, "is empty");
  }
  if (std::string(magic.data(), 2) != "PK") {
    fail(file, "is no model (not a zip archive)");
  }
}

pt2::ZipDirectory directory_of(const std::filesystem::path& file) {
  pt2::FileSource source(file);
  try {
    return pt2::ZipDirectory::read(source);
  } catch (const pt2::ArchiveError& error) {
    fail(file, error.what());
  }
}

/// What kind of model a file holds.
/// @throws ModelError that says what is wrong with a file that holds none
ModelFormat format_of(const std::filesystem::path& file) {
  require_readable(file);
  const pt2::ZipDirectory directory = directory_of(file);
  const std::string root = directory.first().substr(0, directory.first().find('/') + 1);
  const auto has = [&](const char* record) { return directory.entries().count(root + record) != 0; };
  if (has("constants.pkl") && has("data.pkl")) {
    return ModelFormat::torchscript;
  }
  if (has("data.pkl")) {
    fail(file, "holds a state dict or a pickled Python object, no program");
  }
  if (has("archive_format") || has("serialized_exported_program.json")) {
    return ModelFormat::exported;
  }
  fail(file, "is a zip archive that is no model");
}

}  // namespace

graph::ModelGraph load_model(const std::filesystem::path& file, c10::Device device, bool is_trusted) {
  switch (format_of(file)) {
    case ModelFormat::torchscript:
      return graph::ModelGraph(read_torchscript(file, device, is_trusted), device);
    case ModelFormat::exported:
      break;
  }
  return graph::ModelGraph(pt2::read_exported(file, device), device);
}

}  // namespace pregrad::readers
