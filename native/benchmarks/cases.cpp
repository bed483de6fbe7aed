#include "cases.hpp"

#include <fstream>
#include <sstream>
#include <stdexcept>

#include <ATen/Functions.h>

namespace pregrad::benchmarks {

namespace {

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> words;
  std::istringstream stream(text);
  for (std::string word; std::getline(stream, word, separator);) {
    words.push_back(word);
  }
  return words;
}

at::Tensor read_numbers(const std::filesystem::path& file, const std::vector<std::int64_t>& shape,
                        at::ScalarType type) {
  at::Tensor numbers = at::empty(shape, type);
  std::ifstream stream(file, std::ios::binary);
  if (!stream.read(static_cast<char*>(numbers.data_ptr()), static_cast<std::streamsize>(numbers.nbytes()))) {
    throw std::runtime_error("'" + file.string() + "' is missing or too short: run tests/benchmark/models.py");
  }
  return numbers;
}

}  // namespace

std::vector<Case> read_cases(const std::filesystem::path& list, const std::filesystem::path& folder,
                             c10::Device device) {
  std::ifstream stream(list);
  if (!stream) {
    throw std::runtime_error("cannot read '" + list.string() + "'");
  }
  std::vector<Case> cases;
  std::string line;
  std::getline(stream, line);  // the titles
  while (std::getline(stream, line)) {
    const std::vector<std::string> words = split(line, '\t');
    Case one{words.at(0), folder / words.at(1), words.at(2), {}, {}, {}, {}, {}, device};
    std::vector<std::int64_t> shape = {std::stoll(words.at(3))};
    for (const std::string& size : split(words.at(4), ',')) {
      shape.push_back(std::stoll(size));
    }
    if (words.at(7) != "*") {
      one.layers = split(words.at(7), ',');
      for (const std::string& tap : split(words.at(8), ',')) {
        one.taps.push_back(std::stoul(tap));
      }
    }
    one.inputs = read_numbers(folder / (one.name + ".x"), shape, at::kFloat).to(device);
    const std::int64_t targets = std::stoll(words.at(5));
    one.labels = read_numbers(folder / (one.name + ".y"), {shape[0], targets}, at::kLong);
    one.clusters = at::remainder(one.labels, 10);
    if (targets == 1) {
      one.labels = one.labels.squeeze(1);
      one.clusters = one.clusters.squeeze(1);
    }
    cases.push_back(std::move(one));
  }
  return cases;
}

const Case& find(const std::vector<Case>& cases, const std::string& name) {
  for (const Case& one : cases) {
    if (one.name == name) {
      return one;
    }
  }
  throw std::runtime_error("there is no case '" + name + "'");
}

}  // namespace pregrad::benchmarks
