#include "readers/model_loader.hpp"

#include "readers/model_file.hpp"
#include "readers/pt2/exported_reader.hpp"
#include "readers/torchscript_reader.hpp"

namespace pregrad::readers {

graph::ModelGraph load_model(const std::filesystem::path& file, c10::Device device) {
  switch (format_of(file)) {
    case ModelFormat::torchscript:
      return graph::ModelGraph(read_torchscript(file, device), device);
    case ModelFormat::exported:
      break;
  }
  return graph::ModelGraph(pt2::read_exported(file, device), device);
}

}  // namespace pregrad::readers
