#include "statistics/random_values.hpp"

#include <random>

namespace pregrad::statistics {

std::vector<double> random_values(const std::string& layer, std::int64_t call, std::int64_t cluster,
                                  std::int64_t neurons, std::int64_t repeat, std::uint64_t seed) {
  std::vector<std::uint32_t> words;
  const auto add = [&](std::uint64_t value) {
    words.push_back(static_cast<std::uint32_t>(value));
    words.push_back(static_cast<std::uint32_t>(value >> 32U));
  };
  add(seed);
  add(static_cast<std::uint64_t>(repeat));
  add(static_cast<std::uint64_t>(call));
  add(static_cast<std::uint64_t>(cluster));
  for (const char letter : layer) {
    words.push_back(static_cast<unsigned char>(letter));
  }
  // Sequence and engine are fixed by the standard; its distributions are not.
  std::seed_seq sequence(words.begin(), words.end());
  std::mt19937_64 engine(sequence);
  std::vector<double> values;
  values.reserve(static_cast<std::size_t>(neurons));
  for (std::int64_t i = 0; i < neurons; ++i) {
    values.push_back(static_cast<double>(engine() >> 11U) * 0x1.0p-53);
  }
  return values;
}

}  // namespace pregrad::statistics
