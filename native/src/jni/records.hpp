#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pregrad::jni {

/// Packs values for org.pregrad.internal.Records: 64-bit numbers, and text and lists with their length before them.
class Records {
 public:
  template <std::integral T>
  void add(T value) {
    append(static_cast<std::int64_t>(value));
  }

  void add(double value) { append(value); }

  void add(std::string_view text) {
    add(text.size());
    bytes_.append(text);
  }

  void add(const std::vector<std::int64_t>& values) { add_list(values); }
  void add(const std::vector<double>& values) { add_list(values); }

  const std::string& bytes() const { return bytes_; }

 private:
  template <class Number>
  void append(Number value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }

  template <class Number>
  void add_list(const std::vector<Number>& values) {
    add(values.size());
    bytes_.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(Number));
  }

  std::string bytes_;
};

}  // namespace pregrad::jni
