#pragma once

#include <memory>
#include <string>

#include "readers/pt2/json_value.hpp"

namespace pregrad::pt2 {

/// A parsed JSON text.
class JsonDocument {
 public:
  /// @param place what messages call the text
  /// @throws ArchiveError if it is no JSON
  JsonDocument(const std::string& text, std::string place);

  JsonValue root() const { return JsonValue(*value_, place_); }

 private:
  std::shared_ptr<const nlohmann::json> value_;
  std::string place_;
};

}  // namespace pregrad::pt2
