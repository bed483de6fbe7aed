#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <ATen/core/ivalue.h>
#include <ATen/core/jit_type.h>
#include <torch/csrc/jit/api/module.h>

#include "pregrad/inputs.hpp"

namespace pregrad::graph {

/// What an exported program says of one of its inputs. Its graph holds for no other shape, and would run wrong or not
/// at all.
struct ExpectedInput {
  struct Axis {
    std::optional<std::int64_t> size;  ///< fixed; empty for an axis of any size
    std::string symbol;                ///< axes of one symbol have one size; empty for an axis that has none
    std::int64_t least = 0;
    std::int64_t most = std::numeric_limits<std::int64_t>::max();
  };
  std::vector<Axis> axes;
  at::ScalarType type = at::kFloat;
};

/// The names of a tuple's elements: numbers where it has no others.
std::vector<std::string> element_names(const c10::TupleType& tuple);

/// One argument of a model's forward. What is in a container is an input of its own, named after it: `batch.user`,
/// `states.0`.
struct ForwardArgument {
  std::string name;
  c10::TypePtr type = c10::TensorType::get();
  std::optional<c10::IValue> fallback;    ///< what it is where no input is given; empty where one must be
  std::optional<ExpectedInput> expected;  ///< empty for a model that says nothing of it
};

/// The arguments of a TorchScript module's forward.
/// @throws UnsupportedModelError if it takes no tensor, or something that is no tensor and has no default
std::vector<ForwardArgument> forward_arguments(const torch::jit::Module& module);

/// The inputs that an argument is made of, as ModelInput names them; none where it is made of no tensor.
std::vector<std::string> input_names(const ForwardArgument& argument);

/// All arguments of a model's forward, and what makes them of named inputs.
class ForwardArguments {
 public:
  ForwardArguments() = default;
  explicit ForwardArguments(std::vector<ForwardArgument> arguments) : arguments_(std::move(arguments)) {}

  const std::vector<ForwardArgument>& all() const { return arguments_; }
  /// The argument that an input of that name belongs to; null if there is none. "" belongs to the only one that a model
  /// must be given.
  const ForwardArgument* of(const std::string& input) const;

  /// @throws InputError if inputs have names that forward does not know, or one that it needs is missing
  void require_names(const Inputs& inputs) const;
  /// @throws InputError if the model says that it does not take such inputs
  void require_shapes(const Inputs& inputs) const;
  /// The values that forward is called with. Names that it does not know are left out.
  /// @throws InputError as both
  std::vector<c10::IValue> values(const Inputs& inputs) const;

 private:
  const ForwardArgument* unnamed() const;

  std::vector<ForwardArgument> arguments_;
};

}  // namespace pregrad::graph
