#pragma once

#include <string>
#include <unordered_map>

#include <c10/core/Layout.h>
#include <c10/core/MemoryFormat.h>
#include <c10/core/ScalarType.h>
#include <torch/csrc/jit/ir/ir.h>

#include "readers/pt2/json.hpp"

namespace pregrad::pt2 {

/// The values of one graph of an archive, by the names that they have there.
class Values {
 public:
  /// @throws ArchiveError if the name is not defined before it is used
  torch::jit::Value* at(const JsonValue& name) const {
    const auto found = values_.find(name.text());
    if (found == values_.end()) {
      name.fail("is '" + name.text() + "', which no node before it makes");
    }
    return found->second;
  }
  /// Null if there is none.
  torch::jit::Value* find(const std::string& name) const {
    const auto found = values_.find(name);
    return found == values_.end() ? nullptr : found->second;
  }
  /// @throws ArchiveError if there is one of that name
  void define(const JsonValue& name, torch::jit::Value* value) {
    if (!values_.emplace(name.text(), value).second) {
      name.fail("is '" + name.text() + "', which is there already");
    }
  }

  const std::unordered_map<std::string, torch::jit::Value*>& all() const { return values_; }

 private:
  std::unordered_map<std::string, torch::jit::Value*> values_;
};

/// The numbers that stand for types, layouts and memory formats in an archive, which are not LibTorch's
/// (torch/_export/serde/schema.py, version 8).
/// @throws ArchiveError for a number of no meaning
c10::ScalarType scalar_type(const JsonValue& number);
c10::Layout layout(const JsonValue& number);
c10::MemoryFormat memory_format(const JsonValue& number);

}  // namespace pregrad::pt2
