// One bug on purpose in how PreGrad is used, which the sanitizer of its name must report from inside of PreGrad's own
// code: else it would not look there, or what keeps it quiet about LibTorch would hide ours too.

#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "attribution/option_texts.hpp"
#include "pregrad/options.hpp"
#include "statistics/state.hpp"

namespace {

/// Reads one byte more than there are.
std::size_t heap() {
  constexpr std::size_t size = 4096;
  const std::unique_ptr<char[]> bytes(new char[size]());
  return pregrad::statistics::digest(std::string_view(bytes.get(), size + 1)).size();
}

/// Reads a bool that is neither true nor false.
std::size_t undefined() {
  pregrad::Reading reading;
  const unsigned char two = 2;
  std::memcpy(&reading.multi_label, &two, sizeof two);
  return pregrad::attribution::option_texts(pregrad::Target::label(), pregrad::Output::logit, reading).size();
}

/// Reads what another thread writes.
std::size_t race() {
  std::string bytes(1 << 20, 'a');
  std::string sum;
  std::thread reader([&] { sum = pregrad::statistics::digest(bytes); });
  for (char& byte : bytes) {
    byte = 'b';
  }
  reader.join();
  return sum.size();
}

}  // namespace

int main() { return PREGRAD_SEEDED_BUG() == 0 ? 1 : 0; }
