#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <pregrad/error.hpp>

#include "records.hpp"

namespace pregrad::jni {

/// What org.pregrad.internal.OptionsWriter packed: values by name. What is not there keeps its default, and what nobody
/// reads is refused by its name, so that classes and library may each know options that the other does not.
class OptionsReader {
 public:
  /// @param bytes must outlive the reader
  /// @throws InternalError if they are cut off or garbled
  explicit OptionsReader(std::string_view bytes) {
    RecordReader records(bytes);
    for (std::int64_t fields = records.integer(); fields > 0; --fields) {
      const std::string_view name = records.text();
      if (!values_.emplace(name, value(records)).second) {
        RecordReader::refuse();
      }
    }
    if (!records.at_end()) {
      RecordReader::refuse();
    }
  }

  void read(std::string_view name, std::int64_t& into) { take(name, into); }
  void read(std::string_view name, std::vector<std::int64_t>& into) { take(name, into); }
  void read(std::string_view name, std::vector<double>& into) { take(name, into); }
  void read(std::string_view name, std::uint64_t& into) {
    auto value = static_cast<std::int64_t>(into);
    take(name, value);
    into = static_cast<std::uint64_t>(value);
  }
  void read(std::string_view name, bool& into) {
    std::int64_t value = into ? 1 : 0;
    take(name, value);
    into = value != 0;
  }
  void read(std::string_view name, double& into) {
    std::vector<double> values = {into};
    take(name, values);
    if (values.size() != 1) {
      RecordReader::refuse();
    }
    into = values.front();
  }
  void read(std::string_view name, std::string& into) {
    std::string_view value = into;
    if (take(name, value)) {
      into = value;
    }
  }

  /// A text that `parse` makes something of.
  template <class T, class Parse>
  void read(std::string_view name, T& into, Parse&& parse) {
    std::string_view value;
    if (take(name, value)) {
      into = parse(value);
    }
  }
  /// A list of such texts.
  template <class T, class Parse>
  void read_each(std::string_view name, std::vector<T>& into, Parse&& parse) {
    Texts values;
    if (take(name, values)) {
      into.clear();
      for (const std::string_view value : values.list) {
        into.push_back(parse(value));
      }
    }
  }
  /// A list of options of their own, of each of which `make` makes something.
  template <class T, class Make>
  void read_all(std::string_view name, std::vector<T>& into, Make&& make) {
    Nested values;
    if (take(name, values)) {
      into.clear();
      for (const std::string_view value : values.list) {
        OptionsReader options(value);
        into.push_back(make(options));
        options.finish();
      }
    }
  }

  /// @throws ArgumentError if an option was not read
  void finish() const {
    if (!values_.empty()) {
      throw ArgumentError("this library knows no option '" + values_.begin()->first +
                          "'; leave it out, or use classes and library of one build");
    }
  }

 private:
  struct Texts {
    std::vector<std::string_view> list;
  };
  struct Nested {
    std::vector<std::string_view> list;
  };
  /// In the order of the types in OptionsWriter.
  using Value =
      std::variant<std::int64_t, std::string_view, std::vector<std::int64_t>, std::vector<double>, Texts, Nested>;

  static Value value(RecordReader& records) {
    switch (records.integer()) {
      case 0:
        return records.integer();
      case 1:
        return records.text();
      case 2:
        return records.numbers<std::int64_t>();
      case 3:
        return records.numbers<double>();
      case 4:
        return Texts{records.texts()};
      case 5:
        return Nested{records.texts()};
      default:
        RecordReader::refuse();
    }
  }

  template <class T>
  bool take(std::string_view name, T& into) {
    const auto found = values_.find(name);
    if (found == values_.end()) {
      return false;
    }
    T* const value = std::get_if<T>(&found->second);
    if (value == nullptr) {
      throw ArgumentError("the option '" + std::string(name) +
                          "' is of another type than this library expects; use classes and library of one build");
    }
    into = std::move(*value);
    values_.erase(found);
    return true;
  }

  std::map<std::string, Value, std::less<>> values_;
};

}  // namespace pregrad::jni
