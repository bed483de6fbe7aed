// Mutated archives of torch.export end in a score or a typed error: no crash, no hang, no file touched, no foreign
// memory read.

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "archive_mutator.hpp"
#include "fixtures.hpp"
#include "mutations.hpp"

namespace pregrad::test::archive_mutations_test {

namespace {

/// Small ones of every kind of argument, graphs in graphs among them.
const std::vector<std::string> originals = {"act-relu",  "reused", "residual",     "functional",   "cond",
                                            "map",       "scan",   "tied-weights", "views",        "embedding",
                                            "lstm-cell", "conv1d", "fire",         "in-place-view"};

TEST(ArchiveMutations, NoneEndsTheProcess) {
  std::map<std::string, ExportedArchive> archives;
  try_seeds(2000, 0.05, [&](std::uint64_t seed, const std::filesystem::path& folder) {
    const std::string& original = originals[seed % originals.size()];
    const auto found = archives.find(original);
    const ExportedArchive& archive =
        found != archives.end()
            ? found->second
            : archives.emplace(original, ExportedArchive(fixture_path(original + ".exported.pt2"))).first->second;
    const std::filesystem::path file = folder / "mutated.pt2";
    std::ofstream(file, std::ios::binary) << mutated_archive(archive, seed);
    return score_file(file, fixture_path(original + ".npz"));
  });
}

}  // namespace

}  // namespace pregrad::test::archive_mutations_test
