#include "statistics/state.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>

namespace pregrad::statistics {

namespace {

/// FNV-1a, 64 bit: against damage, not against forgery.
std::uint64_t sum_of(std::string_view bytes) {
  constexpr std::uint64_t prime = 1099511628211U;
  std::uint64_t sum = 14695981039346656037U;
  for (const char byte : bytes) {
    sum = (sum ^ static_cast<unsigned char>(byte)) * prime;
  }
  return sum;
}

}  // namespace

std::string StateWriter::finish() {
  const std::uint64_t sum = sum_of(bytes_);
  add(sum);
  return std::move(bytes_);
}

std::string digest(std::string_view bytes) {
  std::array<char, 17> text{};
  std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(sum_of(bytes)));
  return text.data();
}

StateReader::StateReader(std::string_view bytes, std::string_view kind) : rest_(bytes) {
  std::uint64_t sum = 0;
  if (bytes.size() < sizeof sum) {
    refuse();
  }
  rest_.remove_suffix(sizeof sum);
  std::memcpy(&sum, bytes.data() + rest_.size(), sizeof sum);
  if (sum != sum_of(rest_) || text() != kind) {
    refuse();
  }
}

std::string StateReader::text() {
  std::string value(length(1), '\0');
  take(value.data(), value.size());
  return value;
}

std::vector<std::string> StateReader::texts() {
  // No text is shorter than its length, so that a wrong count asks for no more memory than the bytes account for.
  std::vector<std::string> texts(length(sizeof(std::uint64_t)));
  std::generate(texts.begin(), texts.end(), [this] { return text(); });
  return texts;
}

void StateReader::require(std::string_view what, const std::vector<std::string>& here) {
  const std::vector<std::string> saved = texts();
  const auto [theirs, ours] = std::mismatch(saved.begin(), saved.end(), here.begin(), here.end());
  if (theirs == saved.end() && ours == here.end()) {
    return;
  }
  const auto named = [&](bool has_one, const auto& text) {
    return has_one ? "the " + std::string(what) + " '" + *text + "'" : "no more " + std::string(what) + "s";
  };
  throw ArgumentError("the saved state has " + named(theirs != saved.end(), theirs) + " where " +
                      named(ours != here.end(), ours) + (ours != here.end() ? " is" : " are") +
                      " expected: take one that was saved with the same layers, methods and options");
}

void StateReader::take(void* to, std::size_t size) {
  if (size > rest_.size()) {
    refuse();
  }
  if (size > 0) {
    std::memcpy(to, rest_.data(), size);
  }
  rest_.remove_prefix(size);
}

std::size_t StateReader::length(std::size_t element_size) {
  const auto count = get<std::uint64_t>();
  if (count > rest_.size() / element_size) {
    refuse();
  }
  return static_cast<std::size_t>(count);
}

void StateReader::refuse() {
  throw ArgumentError(
      "the saved state is damaged, or none of this kind: take what save gave, unchanged, or go on without it");
}

}  // namespace pregrad::statistics
