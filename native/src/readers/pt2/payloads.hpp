#pragma once

#include <map>
#include <string>
#include <utility>

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include "readers/pt2/archive.hpp"
#include "readers/pt2/json_document.hpp"

namespace pregrad::pt2 {

/// The tensors of one folder of an archive, `data/weights/` or `data/constants/`. Those that were written as views of
/// one storage, as tied weights are, share its memory again.
class Payloads {
 public:
  /// @param archive  outlives this
  /// @param config   the record that says what is where
  Payloads(Archive& archive, std::string folder, const std::string& config, c10::Device device);

  /// The tensor with the name that it has in the model, such as `layer1.0.bn1.weight`.
  /// @throws ArchiveError if it is not there or does not fit into its storage, UnsupportedModelError if it is pickled
  at::Tensor tensor(const std::string& name);

 private:
  at::Tensor storage(const std::string& path, c10::ScalarType type);

  Archive& archive_;
  std::string folder_;
  JsonDocument config_;
  c10::Device device_;
  std::map<std::pair<std::string, c10::ScalarType>, at::Tensor> storages_;
};

}  // namespace pregrad::pt2
