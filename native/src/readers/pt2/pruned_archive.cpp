#include "readers/pt2/pruned_archive.hpp"

#include <fstream>
#include <functional>
#include <memory>
#include <set>
#include <utility>

#include <caffe2/serialize/inline_container.h>
#include <nlohmann/json.hpp>

#include "pregrad/error.hpp"
#include "readers/pt2/archive.hpp"
#include "readers/pt2/exported_reader.hpp"
#include "support/failures.hpp"

namespace pregrad::pt2 {

namespace {

using nlohmann::json;

json as_int(std::int64_t number) {
  json object = json::object();
  object["as_int"] = number;
  return object;
}

json as_ints(at::IntArrayRef numbers) {
  json list = json::array();
  for (const std::int64_t number : numbers) {
    list.push_back(as_int(number));
  }
  return list;
}

/// Where the tensors of one folder are, and what is to be written of them.
class SlicedPayloads {
 public:
  SlicedPayloads(Archive& archive, std::string folder, const std::string& config)
      : folder_(std::move(folder)), record_(config), config_(json::parse(archive.text(config))) {}

  /// Tensors of one record, as tied weights are, all change or none.
  void replace(const std::map<std::string, at::Tensor>& tensors) {
    std::map<std::string, std::set<bool>> changed;
    for (auto& [name, payload] : config_.at("config").items()) {
      const std::string path = payload.at("path_name");
      const auto found = tensors.find(name);
      changed[path].insert(found != tensors.end());
      if (found == tensors.end()) {
        continue;
      }
      json& meta = payload.at("tensor_meta");
      meta["sizes"] = as_ints(found->second.sizes());
      meta["strides"] = as_ints(found->second.strides());
      meta["storage_offset"] = as_int(0);
      if (const auto known = records_.find(folder_ + path);
          known != records_.end() && !known->second.equal(found->second)) {
        changed[path] = {false, true};
      }
      records_[folder_ + path] = found->second;
    }
    for (const auto& [path, both] : changed) {
      if (both.size() > 1) {
        throw UnsupportedModelError("record '" + folder_ + path +
                                    "' holds several weights of which not the same goes: save the model with clones "
                                    "of them");
      }
    }
  }

  const std::string& record() const { return record_; }
  std::string text() const { return config_.dump(); }
  const std::map<std::string, at::Tensor>& records() const { return records_; }

 private:
  std::string folder_;
  std::string record_;
  json config_;
  std::map<std::string, at::Tensor> records_;
};

void change_argument(json& program, const ArgumentChange& change) {
  json& node = program.at("graph_module").at("graph").at("nodes").at(change.node);
  for (json& input : node.at("inputs")) {
    if (input.at("name") != change.argument) {
      continue;
    }
    json& argument = input.at("arg");
    const std::string kind = argument.begin().key();
    json& value = argument.begin().value();
    if (!change.element) {
      value = kind == "as_sym_int" ? as_int(change.value) : json(change.value);
    } else if (value.is_array()) {
      value.at(*change.element) = kind == "as_sym_ints" ? as_int(change.value) : json(change.value);
    } else {
      value = change.value;
    }
    return;
  }
  throw UnsupportedModelError("operator " + node.at("target").get<std::string>() + " takes argument '" +
                              change.argument + "' by its default, which would have to change: give it in the model");
}

/// Writes what has another size or stride now into the description of a tensor.
void describe(json& meta, const std::string& name, const at::Tensor& before, const at::Tensor& after) {
  const auto change = [&](const char* key, at::IntArrayRef old, at::IntArrayRef now) {
    json& described = meta.at(key);
    for (std::size_t axis = 0; axis < now.size(); ++axis) {
      if (old[axis] == now[axis]) {
        continue;
      }
      if (described.at(axis).find("as_int") == described.at(axis).end()) {
        throw UnsupportedModelError("the size of tensor '" + name +
                                    "' is a formula of the batch's size and of what goes: export the model with a "
                                    "batch of one size");
      }
      described.at(axis) = as_int(now[axis]);
    }
  };
  if (before.dim() != after.dim()) {
    throw UnsupportedModelError("tensor '" + name + "' has another number of axes once neurons have gone");
  }
  change("sizes", before.sizes(), after.sizes());
  change("strides", before.strides(), after.strides());
}

/// Writes records of a zip archive.
class Writer {
 public:
  explicit Writer(const std::filesystem::path& file)
      : file_(file), stream_(file, std::ios::binary), writer_([this](const void* bytes, std::size_t size) {
          stream_.write(static_cast<const char*>(bytes), static_cast<std::streamsize>(size));
          return stream_ ? size : 0;
        }) {}

  void write(const std::string& record, const void* bytes, std::size_t size) {
    writer_.writeRecord(record, bytes, size);
  }
  void finish() {
    writer_.writeEndOfFile();
    stream_.close();
    if (!stream_) {
      throw ArgumentError("cannot write '" + file_.string() + "': check its folder and the space there");
    }
  }

 private:
  std::filesystem::path file_;
  std::ofstream stream_;
  caffe2::serialize::PyTorchStreamWriter writer_;
};

void write_archive(Archive& archive, const std::filesystem::path& file, const std::map<std::string, std::string>& texts,
                   const std::vector<const SlicedPayloads*>& payloads) {
  if (!std::ofstream(file, std::ios::binary)) {
    throw ArgumentError("cannot write '" + file.string() + "': check its folder and the space there");
  }
  Writer writer(file);
  for (const std::string& record : archive.records("")) {
    const auto text = texts.find(record);
    if (text != texts.end()) {
      writer.write(record, text->second.data(), text->second.size());
      continue;
    }
    at::Tensor bytes;
    for (const SlicedPayloads* payload : payloads) {
      if (const auto found = payload->records().find(record); found != payload->records().end()) {
        bytes = found->second;
      }
    }
    if (!bytes.defined()) {
      bytes = archive.bytes(record);
    }
    writer.write(record, bytes.const_data_ptr(), bytes.nbytes());
  }
  writer.finish();
}

void write_changed(const std::filesystem::path& source, const std::filesystem::path& file,
                   const std::map<std::string, at::Tensor>& tensors, const std::vector<ArgumentChange>& changes,
                   const std::vector<c10::IValue>& arguments) {
  Archive archive(std::make_unique<FileSource>(source));
  const std::string model = model_name(archive);
  SlicedPayloads weights(archive, "data/weights/", "data/weights/" + model + "_weights_config.json");
  SlicedPayloads constants(archive, "data/constants/", "data/constants/" + model + "_constants_config.json");
  weights.replace(tensors);
  constants.replace(tensors);
  json program = json::parse(archive.text("models/" + model + ".json"));
  for (const ArgumentChange& change : changes) {
    change_argument(program, change);
  }
  const auto write = [&] {
    write_archive(archive, file,
                  {{"models/" + model + ".json", program.dump()},
                   {weights.record(), weights.text()},
                   {constants.record(), constants.text()}},
                  {&weights, &constants});
  };
  // Once to see what shapes it makes, once with these in it.
  write();
  const auto before = archive_values(source, arguments);
  const auto after = archive_values(file, arguments);
  for (auto& [name, meta] : program.at("graph_module").at("graph").at("tensor_values").items()) {
    const auto old = before.find(name);
    const auto now = after.find(name);
    if (old != before.end() && now != after.end() && old->second.defined() && now->second.defined()) {
      describe(meta, name, old->second, now->second);
    }
  }
  write();
}

}  // namespace

void write_pruned(const std::filesystem::path& source, const std::filesystem::path& file,
                  const std::map<std::string, at::Tensor>& tensors, const std::vector<ArgumentChange>& changes,
                  const std::vector<c10::IValue>& arguments) {
  try {
    write_changed(source, file, tensors, changes, arguments);
  } catch (const ArchiveError& error) {
    throw ModelError("'" + source.string() + "' " + error.what());
  } catch (const json::exception& error) {
    throw ModelError("'" + source.string() + "' is no archive that can be rewritten (" +
                     support::first_sentence(error) + "): save the model again with PyTorch 2.13");
  }
}

}  // namespace pregrad::pt2
