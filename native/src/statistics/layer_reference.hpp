#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace pregrad::statistics {

/// `name` or `name@call`, as users write layers.
struct LayerReference {
  std::string name;
  std::optional<std::int64_t> call;

  static LayerReference parse(std::string_view text);
  bool matches(const std::string& layer, std::int64_t layer_call) const {
    return name == layer && (!call || *call == layer_call);
  }
};

/// `name@call`.
std::string to_string(const std::string& layer, std::int64_t call);

/// Names in a row, for messages; long lists are cut.
std::string listed(const std::set<std::string>& names);

}  // namespace pregrad::statistics
