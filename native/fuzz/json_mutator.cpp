// Changes JSON as JSON: flipped bytes would nearly always end in the parser.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include <nlohmann/json.hpp>

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

namespace {

using nlohmann::json;

void collect(json& value, std::vector<json*>& found) {
  found.push_back(&value);
  if (value.is_structured()) {
    for (json& element : value) {
      collect(element, found);
    }
  }
}

json changed_number(const json& value, std::mt19937& random) {
  const std::int64_t numbers[] = {0, 1, -1, 2, 7, 64, 1 << 20, INT32_MAX, INT64_MAX, INT64_MIN};
  const std::int64_t number = numbers[random() % std::size(numbers)];
  return value.is_number_integer() && random() % 2 == 0 ? json(value.get<std::int64_t>() ^ (number & 0xff))
                                                        : json(number);
}

void change(json& document, std::mt19937& random) {
  std::vector<json*> values;
  collect(document, values);
  json& value = *values[random() % values.size()];
  const json other = *values[random() % values.size()];
  switch (random() % 6) {
    case 0:
      value = other;
      break;
    case 1:
      value = changed_number(value, random);
      break;
    case 2:
      if (value.is_array() && !value.empty()) {
        value.erase(value.begin() + static_cast<std::ptrdiff_t>(random() % value.size()));
      } else if (value.is_object() && !value.empty()) {
        value.erase(std::next(value.begin(), static_cast<std::ptrdiff_t>(random() % value.size())));
      }
      break;
    case 3:
      if (value.is_array()) {
        value.insert(value.begin() + static_cast<std::ptrdiff_t>(random() % (value.size() + 1)), other);
      }
      break;
    case 4:
      if (value.is_array()) {
        std::shuffle(value.begin(), value.end(), random);
      }
      break;
    default:
      // Texts of the same document are names that mean something.
      for (std::size_t tries = 0; tries < 20 && value.is_string(); ++tries) {
        const json& text = *values[random() % values.size()];
        if (text.is_string()) {
          value = json(text);
          break;
        }
      }
      break;
  }
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most,
                                               unsigned int seed) {
  std::mt19937 random(seed);
  if (size > 1 && data[0] != 'a' && random() % 4 != 0) {
    json document = json::parse(data + 1, data + size, nullptr, /*allow_exceptions=*/false);
    if (!document.is_discarded()) {
      for (std::size_t changes = 1 + random() % 3; changes > 0; --changes) {
        change(document, random);
      }
      const std::string text = document.dump(-1, ' ', false, json::error_handler_t::replace);
      if (text.size() < most) {
        std::memcpy(data + 1, text.data(), text.size());
        return text.size() + 1;
      }
    }
  }
  return LLVMFuzzerMutate(data, size, most);
}
