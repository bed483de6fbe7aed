#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace pregrad::jni {

/// Packs values for org.pregrad.internal.Records: 64-bit integers, and text and lists with their length before them.
class Records {
 public:
  template <std::integral T>
  void add(T value) {
    const auto wide = static_cast<std::int64_t>(value);
    bytes_.append(reinterpret_cast<const char*>(&wide), sizeof wide);
  }

  void add(std::string_view text) {
    add(text.size());
    bytes_.append(text);
  }

  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

}  // namespace pregrad::jni
