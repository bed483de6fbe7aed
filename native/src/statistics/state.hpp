#pragma once

#include <cstddef>
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
  void add(const std::vector<std::string>& texts) {
    add(static_cast<std::uint64_t>(texts.size()));
    for (const std::string& text : texts) {
      add(std::string_view(text));
    }
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

/// 16 characters that tell bytes from others, for values too long to be named in a state's options.
std::string digest(std::string_view bytes);

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
  std::vector<std::string> texts();
  /// Refuses what is left over.
  void require_end() const {
    if (!rest_.empty()) {
      refuse();
    }
  }
  /// Reads a list of texts, and refuses the state if it is another than `here`.
  /// @param what one of the texts is, for the message
  void require(std::string_view what, const std::vector<std::string>& here);
  [[noreturn]] static void refuse();

 private:
  void take(void* to, std::size_t size);
  std::size_t length(std::size_t element_size);

  std::string_view rest_;
};

}  // namespace pregrad::statistics
