#include "pt2/json_document.hpp"

#include <nlohmann/json.hpp>

#include "pt2/archive_error.hpp"

namespace pregrad::pt2 {

JsonDocument::JsonDocument(const std::string& text, std::string place) : place_(std::move(place)) {
  try {
    value_ = std::make_shared<const nlohmann::json>(nlohmann::json::parse(text));
  } catch (const nlohmann::json::parse_error& error) {
    throw ArchiveError("is damaged: " + place_ + " is no JSON (byte " + std::to_string(error.byte) + ")");
  }
}

}  // namespace pregrad::pt2
