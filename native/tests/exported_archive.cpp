#include "exported_archive.hpp"

#include <fstream>
#include <iterator>
#include <memory>
#include <span>

#include <caffe2/serialize/inline_container.h>

#include "readers/pt2/archive.hpp"
#include "readers/pt2/exported_reader.hpp"

namespace pregrad::test {

ExportedArchive::ExportedArchive(const std::filesystem::path& file) {
  pt2::Archive archive(std::make_unique<pt2::FileSource>(file));
  for (const std::string& record : archive.records("")) {
    records_[record] = archive.text(record);
  }
}

ExportedArchive& ExportedArchive::json(const std::string& record, const std::function<void(nlohmann::json&)>& change) {
  nlohmann::json value = nlohmann::json::parse(records_.at(record));
  change(value);
  records_[record] = value.dump();
  return *this;
}

ExportedArchive& ExportedArchive::program(const std::function<void(nlohmann::json&)>& change) {
  return json("models/model.json", change);
}

ExportedArchive& ExportedArchive::weights(const std::function<void(nlohmann::json&)>& change) {
  return json("data/weights/model_weights_config.json", change);
}

std::string ExportedArchive::written(bool packed) const {
  std::string bytes;
  {
    caffe2::serialize::PyTorchStreamWriter writer([&](const void* data, std::size_t size) {
      bytes.append(static_cast<const char*>(data), size);
      return size;
    });
    for (const auto& [record, content] : records_) {
      // The writer adds these itself.
      if (record != ".data/version" && record != "version" && record != ".data/serialization_id" &&
          record != "byteorder") {
        writer.writeRecord(record, content.data(), content.size(), packed);
      }
    }
    writer.writeEndOfFile();
  }
  return bytes;
}

graph::ModelGraph read_archive(const std::string& bytes) {
  auto source = std::make_unique<pt2::MemorySource>(std::as_bytes(std::span(bytes)));
  return graph::ModelGraph(pt2::read_exported(std::move(source), "archive", c10::kCPU), c10::kCPU);
}

std::string bytes_of(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

}  // namespace pregrad::test
