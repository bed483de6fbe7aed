#include "readers/pt2/exported_reader.hpp"

#include <new>

#include <torch/csrc/jit/passes/dead_code_elimination.h>

#include "graph/graph_checks.hpp"
#include "pregrad/error.hpp"
#include "readers/pt2/archive.hpp"
#include "readers/pt2/graph_translator.hpp"
#include "readers/pt2/json.hpp"
#include "readers/pt2/program_signature.hpp"
#include "readers/pt2/zip.hpp"
#include "support/failures.hpp"

namespace pregrad::pt2 {

std::string model_name(const Archive& archive) {
  if (archive.has("serialized_exported_program.json")) {
    throw UnsupportedArchive(
        "was saved by an older PyTorch, whose archives keep weights as pickled Python objects: load it with "
        "torch.export.load and save it again with PyTorch 2.13");
  }
  const std::string folder = "models/";
  const std::string ending = ".json";
  std::vector<std::string> names;
  std::string listed;
  for (const std::string& record : archive.records(folder)) {
    if (record.ends_with(ending)) {
      names.push_back(record.substr(folder.size(), record.size() - folder.size() - ending.size()));
      listed += (listed.empty() ? "" : ", ") + names.back();
    }
  }
  if (names.empty()) {
    throw UnsupportedArchive(
        "is a package of torch.export without a program in it (such as one of AOTInductor): save the program with "
        "torch.export.save(program, path)");
  }
  if (names.size() > 1) {
    throw UnsupportedArchive("holds " + std::to_string(names.size()) + " models (" + listed +
                             "): save one of them alone with torch.export.save(program, path)");
  }
  return names.front();
}

namespace {

constexpr std::int64_t schema_major = 8;

void require_byte_order(Archive& archive) {
  if (archive.has("byteorder") && archive.text("byteorder") != "little") {
    throw UnsupportedArchive("was saved on a machine whose numbers are big-endian: save it on one like this");
  }
}

void require_schema(const JsonValue& program) {
  const JsonValue version = program["schema_version"];
  const std::int64_t major = version["major"].integer();
  if (major == schema_major) {
    return;
  }
  const auto torch_version = program.find("torch_version");
  throw UnsupportedArchive(
      "has schema " + std::to_string(major) + "." + std::to_string(version["minor"].integer()) + " of torch.export" +
      (torch_version ? " (PyTorch " + torch_version->text() + ")" : std::string()) + ", and PreGrad reads " +
      std::to_string(schema_major) + ": export the model again with PyTorch 2.13");
}

void require_plain_weights(const Archive& archive, const std::string& model) {
  if (archive.has("data/weights/" + model + ".pt")) {
    throw UnsupportedArchive(
        "keeps its weights as pickled Python objects, as older versions of PyTorch do: load it with torch.export.load "
        "and save it again with PyTorch 2.13");
  }
}

/// @param values gets what the graph makes at its top level
graph::ReadModel read_program(Archive& archive, c10::Device device, Values& values) {
  const std::string model = model_name(archive);
  require_byte_order(archive);
  const JsonDocument document(archive.text("models/" + model + ".json"), "models/" + model + ".json");
  require_schema(document.root());
  require_plain_weights(archive, model);

  graph::ReadModel read;
  read.model.graph = std::make_shared<torch::jit::Graph>();
  ProgramSignature signature(document.root());
  signature.define_inputs(read, values, archive, model, device);
  GraphTranslator(read.model, device).translate(document.root()["graph_module"]["graph"], values);
  signature.register_outputs(read, values);
  return read;
}

/// What `read` makes of an archive; whatever goes wrong is said of the file.
template <typename Read>
auto said_of(const std::string& name, c10::Device device, const Read& read) {
  const auto damaged = [&](const std::string& what) {
    return ModelError("'" + name + "' " + what + ": save the model again with torch.export.save(program, path)");
  };
  graph::guard_integer_division();
  try {
    return read();
  } catch (const UnsupportedArchive& error) {
    throw UnsupportedModelError("'" + name + "' " + error.what());
  } catch (const ArchiveError& error) {
    throw damaged(error.what());
  } catch (const Error&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    support::throw_if_device_failure(device, error);
    throw damaged("cannot be read (" + support::first_sentence(error) + ")");
  }
}

}  // namespace

graph::ReadModel read_exported(const std::filesystem::path& file, c10::Device device) {
  return read_exported(std::make_unique<FileSource>(file), file.string(), device);
}

graph::ReadModel read_exported(std::unique_ptr<ByteSource> source, const std::string& name, c10::Device device) {
  return said_of(name, device, [&] {
    Archive archive(std::move(source));
    Values values;
    graph::ReadModel read = read_program(archive, device, values);
    torch::jit::EliminateDeadCode(read.model.graph);
    return read;
  });
}

std::map<std::string, at::Tensor> archive_values(const std::filesystem::path& file,
                                                 std::vector<c10::IValue> arguments) {
  return said_of(file.string(), c10::kCPU, [&] {
    Archive archive(std::make_unique<FileSource>(file));
    Values values;
    const graph::ReadModel read = read_program(archive, c10::kCPU, values);
    std::vector<std::string> names;
    for (const auto& [name, value] : values.all()) {
      if (value->type()->isSubtypeOf(*c10::TensorType::get())) {
        names.push_back(name);
        read.model.graph->registerOutput(value);
      }
    }
    graph::run_code(graph::checked_code(read.model.graph, "pregrad_archive"), arguments);
    std::map<std::string, at::Tensor> tensors;
    for (std::size_t i = 0; i < names.size(); ++i) {
      tensors.emplace(names[i], arguments[arguments.size() - names.size() + i].toTensor());
    }
    return tensors;
  });
}

}  // namespace pregrad::pt2
