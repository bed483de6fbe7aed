// Mutated TorchScript files end in a score or a typed error: no crash, no hang, no file touched, no foreign memory
// read.

#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "fixtures.hpp"
#include "mutations.hpp"
#include "script_mutator.hpp"

namespace pregrad::test::script_mutations_test {

namespace {

/// Small, and without loops: a mutated bound would have them run for ever.
const std::vector<std::string> originals = {
    "act-relu.scripted",     "act-hardswish.traced", "act-softplus.traced",
    "in-place-view.traced",  "residual.scripted",    "tied-weights.scripted",
    "module-lists.scripted", "functional.scripted",  "composite-functions.traced"};

TEST(ScriptMutations, NoneEndsTheProcess) {
  try_seeds(2000, 0.01, [](std::uint64_t seed, const std::filesystem::path& folder) {
    const std::string& original = originals[seed % originals.size()];
    const std::filesystem::path file = folder / "mutated.pt";
    write_mutation(fixture_path(original + ".pt"), seed, file);
    return score_file(file, fixture_path(original.substr(0, original.find('.')) + ".npz"));
  });
}

}  // namespace

}  // namespace pregrad::test::script_mutations_test
