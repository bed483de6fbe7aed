#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

namespace pregrad::graph {

/// The input that a model was exported for. Its graph holds for no other shape, and would run wrong or not at all.
struct ExpectedInput {
  struct Axis {
    std::optional<std::int64_t> size;  ///< fixed; empty for an axis of any size
    std::string symbol;                ///< axes of one symbol have one size; empty for an axis that has none
    std::int64_t least = 0;
    std::int64_t most = std::numeric_limits<std::int64_t>::max();
  };
  std::vector<Axis> axes;
  at::ScalarType type = at::kFloat;

  /// @throws InputError if the model was not exported for inputs like these
  void require(const at::Tensor& inputs) const;
};

}  // namespace pregrad::graph
