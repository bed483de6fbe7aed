#pragma once

#include <vector>

#include <ATen/core/function_schema.h>
#include <c10/core/Device.h>

#include "readers/pt2/json.hpp"
#include "readers/pt2/values.hpp"

namespace pregrad::pt2 {

/// Puts the arguments of an archive's nodes into a graph, as values of the type that an operator's schema asks for.
class Arguments {
 public:
  /// @param device takes the place of every device that the archive names
  Arguments(torch::jit::Graph& graph, const Values& values, c10::Device device)
      : graph_(graph), values_(values), device_(device) {}

  /// A value of the formal argument's type.
  /// @throws ArchiveError if `argument` is nothing of that type
  torch::jit::Value* of_type(const JsonValue& argument, const c10::Argument& formal);
  /// A number, truth value or tensor as it is.
  torch::jit::Value* of_any_type(const JsonValue& argument);
  /// The values of a list of tensors or numbers.
  std::vector<torch::jit::Value*> list(const JsonValue& argument);

 private:
  torch::jit::Value* constant(const c10::IValue& value) { return graph_.insertConstant(value); }
  torch::jit::Value* symbol(const JsonValue& argument, const char* number);
  torch::jit::Value* tensor(const JsonValue& argument);
  torch::jit::Value* element_list(const JsonValue& argument, const c10::TypePtr& element, std::int64_t length);

  torch::jit::Graph& graph_;
  const Values& values_;
  c10::Device device_;
};

}  // namespace pregrad::pt2
