#include "graph/model_file.hpp"

#include <array>
#include <fstream>
#include <memory>
#include <string>
#include <system_error>

#include <caffe2/serialize/inline_container.h>

#include "pregrad/error.hpp"

namespace pregrad::graph {

namespace {

constexpr const char* mend = "save a model with torch.jit.script(model).save(path) or torch.jit.trace";

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

}  // namespace

void require_torchscript_file(const std::filesystem::path& file) {
  require_readable(file);
  std::unique_ptr<caffe2::serialize::PyTorchStreamReader> archive;
  try {
    archive = std::make_unique<caffe2::serialize::PyTorchStreamReader>(file.string());
  } catch (const std::exception&) {
    fail(file, "is truncated or damaged, or a zip archive that is no model");
  }
  if (archive->hasRecord("constants.pkl") && archive->hasRecord("data.pkl")) {
    return;
  }
  if (archive->hasRecord("data.pkl")) {
    fail(file, "holds a state dict or a pickled Python object, no program");
  }
  if (archive->hasRecord("models/model.json") || archive->hasRecord("archive_format")) {
    fail(file, "is a torch.export archive, which this version does not read");
  }
  fail(file, "is a zip archive, but holds no TorchScript model");
}

}  // namespace pregrad::graph
