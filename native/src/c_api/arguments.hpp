#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include <pregrad/error.hpp>

namespace pregrad::c_api {

/// A pointer that the caller must give.
template <class T>
T& required(T* pointer, const char* what) {
  if (pointer == nullptr) {
    throw ArgumentError(std::string(what) + " is NULL; pass a valid pointer");
  }
  return *pointer;
}

inline void check_struct_size(std::size_t given, std::size_t least, const char* type) {
  if (given < least) {
    throw ArgumentError(std::string("struct_size of ") + type + " is " + std::to_string(given) + "; set it to sizeof(" +
                        type + "), which is at least " + std::to_string(least));
  }
}

/// Reads a struct that begins with `struct_size`, which may be longer if the caller's header is newer.
template <class T>
T read_struct(const T* given, const char* type) {
  const T& source = required(given, type);
  check_struct_size(source.struct_size, sizeof(T), type);
  // A newer caller asks for more than this library knows as soon as one of the fields unknown here is set.
  const auto* bytes = reinterpret_cast<const unsigned char*>(given);
  if (std::any_of(bytes + sizeof(T), bytes + source.struct_size, [](unsigned char byte) { return byte != 0; })) {
    throw ArgumentError(std::string(type) + " has fields that this library does not know; use a newer library");
  }
  return source;
}

/// Writes all fields but `struct_size` to the caller's struct, which may be longer if its header is newer.
template <class T>
void write_struct(T value, T* out, const char* type) {
  T& target = required(out, type);
  check_struct_size(target.struct_size, sizeof(T), type);
  value.struct_size = target.struct_size;
  target = value;
}

/// Element `index` of a list.
template <class T>
const T& element(const std::vector<T>& list, std::size_t index, const char* what) {
  if (index >= list.size()) {
    throw ArgumentError(std::string("there is no ") + what + ' ' + std::to_string(index) + "; there are " +
                        std::to_string(list.size()) + ", counted from 0");
  }
  return list[index];
}

inline void check_reserved(std::int32_t reserved, const char* type) {
  if (reserved != 0) {
    throw ArgumentError(std::string("reserved of ") + type + " is " + std::to_string(reserved) + "; set it to 0");
  }
}

}  // namespace pregrad::c_api
