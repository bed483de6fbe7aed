#include "mutations.hpp"

#include <array>
#include <cctype>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <limits>
#include <optional>
#include <sstream>

#include <malloc.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "fixtures.hpp"
#include "pregrad/pregrad.hpp"
#include "script_archive.hpp"

namespace pregrad::test {

namespace {

constexpr std::uint64_t seeds_of_a_child = 200;
constexpr unsigned patience_s = 60;
/// More than any of the small models needs; a size that nobody meant ends here rather than in all of the machine.
constexpr rlim_t most_memory = rlim_t{16} << 30U;

const char* environment(const char* name) { return std::getenv(name); }  // NOLINT(concurrency-mt-unsafe)

struct Range {
  std::uint64_t first = 1;
  std::uint64_t count = 0;
};

Range range_of(const std::string& text) {
  const std::size_t colon = text.find(':');
  return {std::stoull(text.substr(0, colon)), std::stoull(text.substr(colon + 1))};
}

/// What the scores of a file are, to the last bit; empty where it is refused.
std::optional<std::string> scores_of(const std::filesystem::path& file, const Data& data) {
  try {
    const Model model = Model::load(file);
    AttributionOptions options;
    options.layers = {"all"};
    options.methods = {Method::gradient, Method::ablation};
    Attribution attribution = model.attribution(options);
    attribution.add(data.x, data.y, data.cluster);
    return attribution.scores().entries().empty() ? std::nullopt : std::optional(attribution.save());
  } catch (const InternalError&) {
    throw;
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
    return std::nullopt;
  }
}

/// The same with fresh memory full of one byte, and freed memory of its complement.
std::optional<std::string> scores_of(const std::filesystem::path& file, const Data& data, int heap) {
  mallopt(M_PERTURB, heap);
  auto scores = scores_of(file, data);
  mallopt(M_PERTURB, 0);
  return scores;
}

void limit_memory() {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  const rlimit limit{most_memory, most_memory};
  ASSERT_EQ(setrlimit(RLIMIT_AS, &limit), 0);
#endif
}

}  // namespace

std::int64_t Draws::integer() {
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  constexpr std::array<std::int64_t, 18> edges = {0,
                                                  1,
                                                  2,
                                                  3,
                                                  -1,
                                                  -2,
                                                  -100,
                                                  127,
                                                  255,
                                                  65536,
                                                  std::numeric_limits<std::int32_t>::max(),
                                                  std::numeric_limits<std::int32_t>::min(),
                                                  std::int64_t{1} << 32,
                                                  std::int64_t{1} << 40,
                                                  most / 2 + 1,
                                                  most - 1,
                                                  most,
                                                  std::numeric_limits<std::int64_t>::min()};
  return one_in(3) ? static_cast<std::int64_t>(below(20)) : of(edges);
}

double Draws::real() {
  constexpr std::array<double, 9> edges = {0,
                                           -0.0,
                                           0.5,
                                           -1,
                                           1e308,
                                           std::numeric_limits<double>::denorm_min(),
                                           std::numeric_limits<double>::infinity(),
                                           -std::numeric_limits<double>::infinity(),
                                           std::numeric_limits<double>::quiet_NaN()};
  return of(edges);
}

void flip(std::string& bytes, Draws& draws) {
  if (!bytes.empty()) {
    bytes[draws.below(bytes.size())] = draws.byte();
  }
}

void shuffle(std::string& bytes, Draws& draws) {
  if (bytes.size() < 4) {
    return flip(bytes, draws);
  }
  const std::size_t begin = draws.below(bytes.size() - 2);
  const std::size_t length = 1 + draws.below(std::min<std::size_t>(bytes.size() - begin, 40));
  const std::string part = bytes.substr(begin, length);
  switch (draws.below(3)) {
    case 0:
      bytes.erase(begin, length);
      return;
    case 1:
      bytes.insert(draws.below(bytes.size()), part);
      return;
    default:
      bytes.replace(begin, length, bytes.substr(draws.below(bytes.size()), length));
  }
}

std::string damaged_name(const std::string& name, Draws& draws) {
  switch (draws.below(6)) {
    case 0:
      return "";
    case 1:
      return "../" + name;
    case 2:
      return name + std::string(std::size_t{1} << draws.below(15), 'n');
    case 3: {
      std::string changed = name;
      flip(changed, draws);
      return changed;
    }
    default: {
      // Some zip readers take names that differ in case for one, others for two.
      std::string changed = name;
      for (char& letter : changed) {
        const auto byte = static_cast<unsigned char>(letter);
        if (std::isalpha(byte) != 0 && draws.one_in(3)) {
          letter = static_cast<char>(std::islower(byte) != 0 ? std::toupper(byte) : std::tolower(byte));
        }
      }
      return changed;
    }
  }
}

void damage_zip(std::string& bytes, Draws& draws) {
  const std::size_t directory = std::min(bytes.find("PK\x01\x02"), bytes.size() - 1);
  switch (draws.below(6)) {
    case 0:
      bytes.resize(draws.below(bytes.size()));
      return;
    case 1:
      return flip(bytes, draws);
    case 2:
      // Sizes, offsets and methods stand in the directory at the end.
      bytes[directory + draws.below(bytes.size() - directory)] = draws.byte();
      return;
    case 3: {
      // One of the fields of an entry of the directory: method, checksum, sizes, lengths of name and extra, offset.
      constexpr std::array<std::size_t, 10> fields = {8, 10, 16, 20, 24, 28, 30, 32, 42, 46};
      std::size_t entry = directory;
      for (std::size_t steps = draws.below(20); steps > 0; --steps) {
        const std::size_t next = bytes.find("PK\x01\x02", entry + 4);
        entry = next == std::string::npos ? entry : next;
      }
      const std::size_t field = entry + draws.of(fields);
      const auto value = static_cast<std::uint64_t>(draws.integer());
      for (std::size_t i = 0; i < 4 && field + i < bytes.size(); ++i) {
        bytes[field + i] = static_cast<char>((value >> (8 * i)) & 0xffU);
      }
      return;
    }
    case 4: {
      // The same of a local header, which a reader may believe rather than the directory.
      const std::size_t begin = bytes.find("PK\x03\x04", draws.below(directory + 1));
      if (begin != std::string::npos) {
        bytes[std::min(begin + 4 + draws.below(26), bytes.size() - 1)] = draws.byte();
      }
      return;
    }
    default:
      return shuffle(bytes, draws);
  }
}

bool score_file(const std::filesystem::path& file, const std::filesystem::path& data, std::int64_t samples) {
  const Data some = first_of(read_data(data), samples);
  const auto scores = scores_of(file, some, 0x11);
  const auto again = scores_of(file, some, 0x6e);
  if (scores != again) {
    // A model that draws numbers has others each time, whatever the heap holds.
    EXPECT_NE(again, scores_of(file, some, 0x6e)) << "the scores depend on what lies in foreign memory";
  }
  return scores.has_value();
}

void try_seeds(std::uint64_t count, double least_share,
               const std::function<bool(std::uint64_t, const std::filesystem::path&)>& attempt,
               const std::string& variables) {
  if (const char* child = environment("PREGRAD_MUTATIONS_CHILD"); child != nullptr) {
    limit_memory();
    const std::filesystem::path progress = environment("PREGRAD_MUTATIONS_PROGRESS");
    const Range seeds = range_of(child);
    std::uint64_t computed = 0;
    for (std::uint64_t seed = seeds.first; seed < seeds.first + seeds.count; ++seed) {
      SCOPED_TRACE("seed " + std::to_string(seed));
      std::ofstream(progress, std::ios::trunc) << seed << std::flush;
      alarm(patience_s);
      try {
        computed += attempt(seed, progress.parent_path()) ? 1 : 0;
      } catch (const std::exception& error) {
        ADD_FAILURE() << error.what();
      }
      alarm(0);
    }
    std::ofstream(progress, std::ios::trunc) << "done " << computed << std::flush;
    return;
  }
  const char* given = environment("PREGRAD_MUTATIONS");
  const Range all = given != nullptr ? range_of(given) : Range{1, count};
  const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
  const TemporaryFolder folder;
  const std::filesystem::path work = folder.path() / "work";
  std::filesystem::create_directory(work);
  const std::filesystem::path progress = folder.path() / "progress";
  std::uint64_t computed = 0;
  std::uint64_t known = 0;
  for (std::uint64_t next = all.first; next < all.first + all.count;) {
    const std::uint64_t seeds = std::min(seeds_of_a_child, all.first + all.count - next);
    const std::string command = "cd '" + work.string() + "' && PREGRAD_MUTATIONS_CHILD=" + std::to_string(next) + ":" +
                                std::to_string(seeds) + " PREGRAD_MUTATIONS_PROGRESS='" + progress.string() +
                                "' OMP_NUM_THREADS=1 " + variables + " '" +
                                std::filesystem::read_symlink("/proc/self/exe").string() +
                                "' --gtest_brief=1 --gtest_filter=" + test->test_suite_name() + "." + test->name() +
                                " >'" + (folder.path() / "output").string() + "' 2>&1";
    std::filesystem::remove(progress);
    const int status = std::system(command.c_str());  // NOLINT(cert-env33-c,concurrency-mt-unsafe)
    std::string reached;
    std::getline(std::ifstream(progress), reached);
    std::ostringstream said;
    said << std::ifstream(folder.path() / "output").rdbuf();
    if (reached.starts_with("done ")) {
      EXPECT_EQ(status, 0) << said.str();
      computed += std::stoull(reached.substr(5));
      next += seeds;
    } else if (WIFEXITED(status) && WEXITSTATUS(status) == known_end) {
      ++known;
      next = std::stoull(reached) + 1;
    } else {
      ADD_FAILURE() << "seed " << reached << " ended its process (status " << status << "): " << said.str();
      ASSERT_FALSE(reached.empty());
      next = std::stoull(reached) + 1;
    }
    EXPECT_TRUE(std::filesystem::is_empty(work)) << "one of the seeds before " << next << " left a file";
  }
  std::cout << computed << " of " << all.count << " seeds from " << all.first << " computed something, " << known
            << " met what is known\n";
  EXPECT_LE(known * 50, all.count);
  EXPECT_GE(static_cast<double>(computed), least_share * static_cast<double>(all.count));
}

}  // namespace pregrad::test
