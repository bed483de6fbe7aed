// Mutated TorchScript files end in a score or a typed error: no crash, no hang, no file touched.

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "fixtures.hpp"
#include "pregrad/pregrad.hpp"
#include "script_archive.hpp"
#include "script_mutator.hpp"

namespace pregrad::test::script_mutations_test {

namespace {

/// Small, and without loops: a mutated bound would have them run for ever.
const std::vector<std::string> originals = {
    "act-relu.scripted",     "act-hardswish.traced", "act-softplus.traced",
    "in-place-view.traced",  "residual.scripted",    "tied-weights.scripted",
    "module-lists.scripted", "functional.scripted",  "composite-functions.traced"};

const char* environment(const char* name) { return std::getenv(name); }  // NOLINT(concurrency-mt-unsafe)

struct Range {
  std::uint64_t first = 1;
  std::uint64_t count = 2000;
};

Range range_of(const std::string& text) {
  const std::size_t colon = text.find(':');
  return {std::stoull(text.substr(0, colon)), std::stoull(text.substr(colon + 1))};
}

/// @returns whether the file was scored
bool score(const std::filesystem::path& file, const Data& data) {
  try {
    const Model model = Model::load(file);
    AttributionOptions options;
    options.layers = {"all"};
    options.methods = {Method::gradient, Method::ablation};
    Attribution attribution = model.attribution(options);
    attribution.add(data.x, data.y, data.cluster);
    return !attribution.scores().entries().empty();
  } catch (const InternalError&) {
    throw;
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
    return false;
  }
}

/// What the child process does: files of these seeds, one by one, the seed in `progress` first.
void run(const Range& range, const std::filesystem::path& progress) {
  const std::filesystem::path file = progress.parent_path() / "mutated.pt";
  std::size_t scored = 0;
  for (std::uint64_t seed = range.first; seed < range.first + range.count; ++seed) {
    std::ofstream(progress, std::ios::trunc) << seed << std::flush;
    const std::string& original = originals[seed % originals.size()];
    write_mutation(fixture_path(original + ".pt"), seed, file);
    alarm(60);
    try {
      scored +=
          score(file, first_of(read_data(fixture_path(original.substr(0, original.find('.')) + ".npz")), 4)) ? 1 : 0;
    } catch (const std::exception& error) {
      ADD_FAILURE() << "seed " << seed << ": " << error.what();
    }
    alarm(0);
  }
  std::ofstream(progress, std::ios::trunc) << "done " << scored << std::flush;
}

TEST(ScriptMutations, NoneEndsTheProcess) {
  if (const char* child = environment("PREGRAD_MUTATIONS_CHILD"); child != nullptr) {
    run(range_of(child), environment("PREGRAD_MUTATIONS_PROGRESS"));
    return;
  }
  const char* given = environment("PREGRAD_MUTATIONS");
  const Range all = given != nullptr ? range_of(given) : Range();
  const TemporaryFolder folder;
  const std::filesystem::path work = folder.path() / "work";
  std::filesystem::create_directory(work);
  const std::filesystem::path progress = folder.path() / "progress";
  constexpr std::uint64_t chunk = 200;
  std::uint64_t scored = 0;
  for (std::uint64_t next = all.first; next < all.first + all.count;) {
    const std::uint64_t count = std::min(chunk, all.first + all.count - next);
    const std::string command = "cd '" + work.string() + "' && PREGRAD_MUTATIONS_CHILD=" + std::to_string(next) + ":" +
                                std::to_string(count) + " PREGRAD_MUTATIONS_PROGRESS='" + progress.string() +
                                "' OMP_NUM_THREADS=1 '" + std::filesystem::read_symlink("/proc/self/exe").string() +
                                "' --gtest_filter=ScriptMutations.NoneEndsTheProcess >'" +
                                (folder.path() / "output").string() + "' 2>&1";
    const int status = std::system(command.c_str());  // NOLINT(cert-env33-c,concurrency-mt-unsafe)
    std::string reached;
    std::getline(std::ifstream(progress), reached);
    if (reached.starts_with("done ")) {
      EXPECT_EQ(status, 0) << std::ifstream(folder.path() / "output").rdbuf();
      scored += std::stoull(reached.substr(5));
      next += count;
    } else {
      ADD_FAILURE() << "seed " << reached << " ended its process (status " << status << ")";
      next = std::stoull(reached) + 1;
    }
    EXPECT_TRUE(std::filesystem::is_empty(work)) << "a file of the seeds from " << next << " on wrote one";
  }
  // Most damages are found; were all, the files would not be damaged where it matters.
  EXPECT_GT(scored, all.count / 100);
}

}  // namespace

}  // namespace pregrad::test::script_mutations_test
