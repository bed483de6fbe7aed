#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>

namespace pregrad::pt2 {

/// Another number in an argument of a node at the top level of an archive's graph.
struct ArgumentChange {
  std::size_t node = 0;
  std::string argument;
  std::optional<std::size_t> element;  ///< of a list; empty for a number alone
  std::int64_t value = 0;
};

/// Writes an archive of torch.export with other weights and arguments; what it says of the shapes of tensors in between
/// is what both have in a run on `arguments`.
/// @param tensors by their names in the model; those that are not named stay
/// @throws ModelError, UnsupportedModelError, ArgumentError if it cannot be written
void write_pruned(const std::filesystem::path& source, const std::filesystem::path& file,
                  const std::map<std::string, at::Tensor>& tensors, const std::vector<ArgumentChange>& changes,
                  const std::vector<c10::IValue>& arguments);

}  // namespace pregrad::pt2
