#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace pregrad::pt2 {

/// A value in a JSON document that knows where it stands, so that whoever reads it can say what is wrong with it.
/// Points into the document.
class JsonValue {
 public:
  /// @param place where it stands, such as `models/model.json`
  JsonValue(const nlohmann::json& value, std::string place) : value_(&value), place_(std::move(place)) {}

  /// A member that must be there.
  JsonValue operator[](const char* key) const;
  /// A member that may be missing or null.
  std::optional<JsonValue> find(const std::string& key) const;
  /// The elements of an array.
  std::vector<JsonValue> elements() const;
  /// The members of an object.
  std::vector<std::pair<std::string, JsonValue>> members() const;
  /// The one member of an object that stands for a union.
  std::pair<std::string, JsonValue> variant() const;

  const std::string& text() const;
  std::int64_t integer() const;
  bool boolean() const;
  /// A number, or one of the words that stand for infinity and NaN.
  double number() const;
  std::vector<std::int64_t> integers() const;

  bool is_array() const;
  bool is_text() const;

  /// @throws ArchiveError with the place and `what`
  [[noreturn]] void fail(const std::string& what) const;

 private:
  const nlohmann::json* value_;
  std::string place_;
};

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
