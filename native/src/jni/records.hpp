#pragma once

#include <concepts>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include <pregrad/error.hpp>

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

/// Reads what org.pregrad.internal.RecordWriter packed: 64-bit numbers, and text and lists with their length before
/// them.
class RecordReader {
 public:
  /// @param bytes must outlive the reader, and the texts it gives
  explicit RecordReader(std::string_view bytes) : rest_(bytes) {}

  bool at_end() const { return rest_.empty(); }
  std::int64_t integer() {
    std::int64_t value = 0;
    const std::string_view bytes = take(sizeof value);
    std::memcpy(&value, bytes.data(), bytes.size());
    return value;
  }
  std::string_view text() { return take(length(1)); }

  template <class Number>
  std::vector<Number> numbers() {
    std::vector<Number> values(length(sizeof(Number)));
    const std::string_view bytes = take(values.size() * sizeof(Number));
    if (!values.empty()) {
      std::memcpy(values.data(), bytes.data(), bytes.size());
    }
    return values;
  }

  std::vector<std::string_view> texts() {
    // No text is shorter than its length, so that a wrong count asks for no more memory than the bytes account for.
    std::vector<std::string_view> values(length(sizeof(std::int64_t)));
    for (std::string_view& value : values) {
      value = text();
    }
    return values;
  }

  [[noreturn]] static void refuse() {
    throw InternalError("the packed options are cut off or garbled; use classes and library of one build");
  }

 private:
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

  std::string_view rest_;
};

}  // namespace pregrad::jni
