#include "npz.hpp"

#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <regex>
#include <sstream>
#include <stdexcept>
#include <vector>

#include <ATen/Functions.h>

namespace pregrad::test {

namespace {

template <typename T>
T read_at(const std::string& bytes, std::size_t offset) {
  T value{};
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

at::ScalarType type_of(const std::string& header) {
  const std::map<std::string, at::ScalarType> types = {{"<f4", at::kFloat}, {"<f8", at::kDouble}, {"<i8", at::kLong}};
  std::smatch match;
  std::regex_search(header, match, std::regex("'descr': '([^']+)'"));
  return types.at(match[1]);
}

std::vector<std::int64_t> shape_of(const std::string& header) {
  std::smatch match;
  std::regex_search(header, match, std::regex("'shape': \\(([^)]*)\\)"));
  std::vector<std::int64_t> shape;
  std::istringstream numbers(match[1]);
  for (std::string number; std::getline(numbers, number, ',');) {
    if (number.find_first_of("0123456789") != std::string::npos) {
      shape.push_back(std::stoll(number));
    }
  }
  return shape;
}

at::Tensor read_npy(const std::string& npy) {
  const auto header_length = read_at<std::uint16_t>(npy, 8);
  const std::string header = npy.substr(10, header_length);
  const at::Tensor tensor = at::empty(shape_of(header), type_of(header));
  std::memcpy(tensor.data_ptr(), npy.data() + 10 + header_length, tensor.nbytes());
  return tensor;
}

}  // namespace

std::map<std::string, at::Tensor> read_npz(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
  std::size_t end = bytes.rfind(std::string("PK\5\6", 4));
  if (end == std::string::npos) {
    throw std::runtime_error("no zip archive: " + file.string());
  }
  std::map<std::string, at::Tensor> arrays;
  std::size_t entry = read_at<std::uint32_t>(bytes, end + 16);
  const auto count = read_at<std::uint16_t>(bytes, end + 10);
  for (int i = 0; i < count; ++i) {
    const auto size = read_at<std::uint32_t>(bytes, entry + 24);
    const auto name_length = read_at<std::uint16_t>(bytes, entry + 28);
    const auto extra_length = read_at<std::uint16_t>(bytes, entry + 30);
    const std::size_t local = read_at<std::uint32_t>(bytes, entry + 42);
    const std::string name = bytes.substr(entry + 46, name_length);
    const std::size_t data =
        local + 30 + read_at<std::uint16_t>(bytes, local + 26) + read_at<std::uint16_t>(bytes, local + 28);
    arrays[name.substr(0, name.rfind(".npy"))] = read_npy(bytes.substr(data, size));
    entry += 46U + name_length + extra_length;
  }
  return arrays;
}

}  // namespace pregrad::test
