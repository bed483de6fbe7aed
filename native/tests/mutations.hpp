#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <iterator>
#include <random>
#include <string>

namespace pregrad::test {

/// Draws that are the same with every standard library.
class Draws {
 public:
  explicit Draws(std::uint64_t seed) : engine_(seed) {}

  /// Below `count`, which is not 0.
  std::size_t below(std::size_t count) { return static_cast<std::size_t>(engine_() % count); }
  bool one_in(std::size_t count) { return below(count) == 0; }
  char byte() { return static_cast<char>(engine_() & 0xffU); }
  /// One of those at which an implementation may go wrong: ends of types, powers of two, small ones.
  std::int64_t integer();
  /// Likewise, NaN and the infinities among them.
  double real();
  template <typename List>
  auto of(const List& list) {
    return *std::next(std::begin(list), static_cast<std::ptrdiff_t>(below(std::size(list))));
  }

 private:
  std::mt19937_64 engine_;
};

/// Another byte in the place of one.
void flip(std::string& bytes, Draws& draws);
/// A part of the bytes is taken out, doubled, or exchanged for another.
void shuffle(std::string& bytes, Draws& draws);
/// A letter of another case, a name that leads out of the archive, one that is long, empty, or somebody else's.
std::string damaged_name(const std::string& name, Draws& draws);
/// Damages a zip archive from outside: it is cut, or bytes of its directory, its headers or elsewhere are changed.
void damage_zip(std::string& bytes, Draws& draws);

/// Whether the file is scored, without a failure. It is scored twice, with what is fresh from the heap filled in two
/// ways: scores that differ come out of memory that is not the file's.
/// @param samples of the data that fit the undamaged model
bool score_file(const std::filesystem::path& file, const std::filesystem::path& data, std::int64_t samples = 4);

/// A process that ends so was ended by something outside of PreGrad that is known to do so; its seed counts as refused.
/// It may happen to one seed in 50.
inline constexpr int known_end = 77;

/// Tries seeds in child processes of 200 each, which run in an empty folder that must stay empty; one that ends its
/// process or takes more than 60 s is told. The seeds are 1 to `count`, or those of the variable PREGRAD_MUTATIONS,
/// `FIRST:COUNT`. To be called by a test that does nothing else.
/// @param attempt what to do with a seed, in a folder for its files; it returns whether anything was computed
/// @param least_share of the seeds of which something must be computed: were all refused, the damages would not be
/// where it matters
/// @param environment variables for the child processes, as a shell takes them
void try_seeds(std::uint64_t count, double least_share,
               const std::function<bool(std::uint64_t seed, const std::filesystem::path& folder)>& attempt,
               const std::string& environment = "");

}  // namespace pregrad::test
