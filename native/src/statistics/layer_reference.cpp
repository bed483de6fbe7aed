#include "statistics/layer_reference.hpp"

#include <charconv>

namespace pregrad::statistics {

LayerReference LayerReference::parse(std::string_view text) {
  const std::size_t at = text.rfind('@');
  if (at != std::string_view::npos && at + 1 < text.size()) {
    std::int64_t call = 0;
    const char* end = text.data() + text.size();
    const auto [parsed, error] = std::from_chars(text.data() + at + 1, end, call);
    if (error == std::errc() && parsed == end && call >= 0) {
      return {std::string(text.substr(0, at)), call};
    }
  }
  return {std::string(text), std::nullopt};
}

std::string to_string(const std::string& layer, std::int64_t call) { return layer + "@" + std::to_string(call); }

std::string listed(const std::set<std::string>& names) {
  constexpr std::size_t most = 24;
  std::string text;
  std::size_t count = 0;
  for (const std::string& name : names) {
    if (count == most) {
      return text + " and " + std::to_string(names.size() - most) + " more";
    }
    text += (count++ == 0 ? "" : ", ") + name;
  }
  return text.empty() ? "none" : text;
}

}  // namespace pregrad::statistics
