#include "graph/model_loader.hpp"

#include "graph/model_file.hpp"
#include "graph/torchscript_reader.hpp"
#include "pt2/exported_reader.hpp"

namespace pregrad::graph {

ModelGraph load_model(const std::filesystem::path& file, c10::Device device) {
  switch (format_of(file)) {
    case ModelFormat::torchscript:
      return ModelGraph(read_torchscript(file, device), device);
    case ModelFormat::exported:
      break;
  }
  return ModelGraph(pt2::read_exported(file, device), device);
}

}  // namespace pregrad::graph
