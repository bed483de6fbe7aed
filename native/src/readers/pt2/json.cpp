#include "readers/pt2/json.hpp"

#include <limits>

#include <nlohmann/json.hpp>

#include "readers/pt2/zip.hpp"

namespace pregrad::pt2 {

JsonValue JsonValue::operator[](const char* key) const {
  auto member = find(key);
  if (!member) {
    fail(std::string("has no '") + key + "'");
  }
  return *std::move(member);
}

std::optional<JsonValue> JsonValue::find(const std::string& key) const {
  if (!value_->is_object()) {
    fail("is no object");
  }
  const auto member = value_->find(key);
  if (member == value_->end() || member->is_null()) {
    return std::nullopt;
  }
  return JsonValue(*member, place_ + "." + key);
}

std::vector<JsonValue> JsonValue::elements() const {
  if (!value_->is_array()) {
    fail("is no array");
  }
  std::vector<JsonValue> elements;
  elements.reserve(value_->size());
  for (std::size_t i = 0; i < value_->size(); ++i) {
    elements.emplace_back((*value_)[i], place_ + "[" + std::to_string(i) + "]");
  }
  return elements;
}

std::vector<std::pair<std::string, JsonValue>> JsonValue::members() const {
  if (!value_->is_object()) {
    fail("is no object");
  }
  std::vector<std::pair<std::string, JsonValue>> members;
  for (const auto& [key, member] : value_->items()) {
    members.emplace_back(key, JsonValue(member, place_ + "." + key));
  }
  return members;
}

std::pair<std::string, JsonValue> JsonValue::variant() const {
  auto all = members();
  if (all.size() != 1) {
    fail("has " + std::to_string(all.size()) + " members, not one");
  }
  return std::move(all.front());
}

const std::string& JsonValue::text() const {
  if (!value_->is_string()) {
    fail("is no text");
  }
  return value_->get_ref<const std::string&>();
}

std::int64_t JsonValue::integer() const {
  const bool too_large =
      value_->is_number_unsigned() &&
      value_->get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (!value_->is_number_integer() || too_large) {
    fail("is no integer of 64 bits");
  }
  return value_->get<std::int64_t>();
}

bool JsonValue::boolean() const {
  if (!value_->is_boolean()) {
    fail("is neither true nor false");
  }
  return value_->get<bool>();
}

double JsonValue::number() const {
  if (value_->is_string()) {
    const auto& word = value_->get_ref<const std::string&>();
    if (word == "Infinity" || word == "-Infinity") {
      return word.front() == '-' ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
    }
    if (word == "NaN") {
      return std::numeric_limits<double>::quiet_NaN();
    }
  }
  if (!value_->is_number()) {
    fail("is no number");
  }
  return value_->get<double>();
}

std::vector<std::int64_t> JsonValue::integers() const {
  std::vector<std::int64_t> numbers;
  for (const JsonValue& element : elements()) {
    numbers.push_back(element.integer());
  }
  return numbers;
}

bool JsonValue::is_array() const { return value_->is_array(); }

bool JsonValue::is_text() const { return value_->is_string(); }

void JsonValue::fail(const std::string& what) const { throw ArchiveError("is damaged: " + place_ + " " + what); }

JsonDocument::JsonDocument(const std::string& text, std::string place) : place_(std::move(place)) {
  const auto limit_depth = [this](int depth, nlohmann::json::parse_event_t, const nlohmann::json&) {
    // Far more than a graph in 64 graphs needs; readers of values in values may call themselves that often.
    constexpr int deepest = 1000;
    if (depth > deepest) {
      throw ArchiveError("is damaged: " + place_ + " is nested deeper than " + std::to_string(deepest));
    }
    return true;
  };
  try {
    value_ = std::make_shared<const nlohmann::json>(nlohmann::json::parse(text, limit_depth));
  } catch (const nlohmann::json::parse_error& error) {
    throw ArchiveError("is damaged: " + place_ + " is no JSON (byte " + std::to_string(error.byte) + ")");
  }
}

}  // namespace pregrad::pt2
