#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include <pregrad/error.hpp>

namespace pregrad::jni {

/// Reads what org.pregrad.internal.RecordWriter packed: 64-bit numbers, and text and lists with their length before
/// them.
class RecordReader {
 public:
  /// @param bytes must outlive the reader
  explicit RecordReader(std::string_view bytes) : rest_(bytes) {}

  std::int64_t integer() { return number<std::int64_t>(); }

  /// A constant of an enum that counts from 0.
  template <class Enum>
  Enum constant(Enum last, const char* what) {
    const std::int64_t value = integer();
    if (value < 0 || value > static_cast<std::int64_t>(last)) {
      throw ArgumentError(std::string("there is no ") + what + ' ' + std::to_string(value) +
                          "; use classes and library of one build");
    }
    return static_cast<Enum>(value);
  }

  std::string text() { return std::string(take(length(1))); }

  std::vector<std::int64_t> integers() { return numbers<std::int64_t>(); }
  std::vector<double> reals() { return numbers<double>(); }

  /// A list of what `read` reads.
  template <class Read>
  auto list(Read&& read) {
    // No element is shorter than a number, so that a wrong length asks for no more memory than the bytes account for.
    const std::size_t size = length(sizeof(std::int64_t));
    std::vector<decltype(read(*this))> values;
    values.reserve(size);
    for (std::size_t i = 0; i < size; ++i) {
      values.push_back(read(*this));
    }
    return values;
  }

 private:
  template <class Number>
  Number number() {
    Number value;
    const std::string_view bytes = take(sizeof value);
    std::memcpy(&value, bytes.data(), bytes.size());
    return value;
  }

  template <class Number>
  std::vector<Number> numbers() {
    std::vector<Number> values(length(sizeof(Number)));
    const std::string_view bytes = take(values.size() * sizeof(Number));
    if (!values.empty()) {
      std::memcpy(values.data(), bytes.data(), bytes.size());
    }
    return values;
  }

  std::size_t length(std::size_t element_size) {
    const std::int64_t size = integer();
    if (size < 0 || static_cast<std::uint64_t>(size) > rest_.size() / element_size) {
      refuse();
    }
    return static_cast<std::size_t>(size);
  }

  std::string_view take(std::size_t size) {
    if (size > rest_.size()) {
      refuse();
    }
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  [[noreturn]] static void refuse() {
    throw InternalError("the packed options are cut off or garbled; use classes and library of one build");
  }

  std::string_view rest_;
};

}  // namespace pregrad::jni
