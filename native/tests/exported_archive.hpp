#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "graph/model_graph.hpp"

namespace pregrad::test {

/// An archive of torch.export that can be changed and written again.
class ExportedArchive {
 public:
  explicit ExportedArchive(const std::filesystem::path& file);

  std::map<std::string, std::string>& records() { return records_; }
  /// Changes the program (`models/model.json`).
  ExportedArchive& program(const std::function<void(nlohmann::json&)>& change);
  /// Changes what the archive says of its weights.
  ExportedArchive& weights(const std::function<void(nlohmann::json&)>& change);

  /// The bytes of the archive, with checksums that are right.
  std::string written(bool packed = false) const;

 private:
  ExportedArchive& json(const std::string& record, const std::function<void(nlohmann::json&)>& change);

  std::map<std::string, std::string> records_;
};

/// Reads an archive from memory and makes a model of it.
graph::ModelGraph read_archive(const std::string& bytes);

std::string bytes_of(const std::filesystem::path& file);

}  // namespace pregrad::test
