#include "readers/pt2/json_document.hpp"

#include <nlohmann/json.hpp>

#include "readers/pt2/archive_error.hpp"

namespace pregrad::pt2 {

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
