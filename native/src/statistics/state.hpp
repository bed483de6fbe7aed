#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "pregrad/error.hpp"

namespace pregrad::statistics {

/// Writes what StateReader reads: numbers as they lie in memory, text and lists with their length before them, and a
/// sum over everything at the end.
class StateWriter {
 public:
  explicit StateWriter(std::string_view kind) { add(kind); }

  template <typename T>
    requires std::is_arithmetic_v<T>
  void add(T value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void add(std::string_view text) {
    add(static_cast<std::uint64_t>(text.size()));
    bytes_.append(text);
  }
  template <typename T>
  void add(const std::vector<T>& values) {
    add(static_cast<std::uint64_t>(values.size()));
    bytes_.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
  }

  std::string finish();

 private:
  std::string bytes_;
};

/// @throws ArgumentError wherever the bytes are not what a StateWriter of that kind wrote
class StateReader {
 public:
  StateReader(std::string_view bytes, std::string_view kind);

  template <typename T>
    requires std::is_arithmetic_v<T>
  T get() {
    T value;
    take(&value, sizeof value);
    return value;
  }
  std::string text();
  template <typename T>
  std::vector<T> list() {
    std::vector<T> values(length(sizeof(T)));
    take(values.data(), values.size() * sizeof(T));
    return values;
  }
  bool at_end() const { return rest_.empty(); }
  [[noreturn]] static void refuse();

 private:
  void take(void* to, std::size_t size);
  std::size_t length(std::size_t element_size);

  std::string_view rest_;
};

}  // namespace pregrad::statistics
