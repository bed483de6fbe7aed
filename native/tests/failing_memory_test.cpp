// Each allocation of loading and scoring a model may fail: the call ends in a typed error, and what was there before is
// as it was.

#include <array>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <map>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include <dlfcn.h>
#include <execinfo.h>

#include <gtest/gtest.h>

#include "fixtures.hpp"
#include "mutations.hpp"
#include "pregrad/pregrad.hpp"

namespace pregrad::test::failing_memory_test {

namespace {

template <typename Function>
Function* of_preloaded(const char* name) {
  auto* const found = reinterpret_cast<Function*>(dlsym(RTLD_DEFAULT, name));
  if (found == nullptr) {
    throw std::runtime_error(std::string("nothing is preloaded that has ") + name);
  }
  return found;
}

void fail(long allocation) {  // NOLINT(google-runtime-int): as in C
  static auto* const set = of_preloaded<void(long)>("pregrad_fail_allocation");
  set(allocation);
}

std::uint64_t allocations() {
  static auto* const count = of_preloaded<long()>("pregrad_allocations");
  return static_cast<std::uint64_t>(count());
}

/// The library whose function lets no exception out, and met one: the first behind the run-time libraries that end the
/// process.
std::string unyielding_library() {
  std::array<void*, 64> frames{};
  const int count = backtrace(frames.data(), static_cast<int>(frames.size()));
  bool is_behind = false;
  for (int i = 0; i < count; ++i) {
    Dl_info info{};
    if (dladdr(frames.at(static_cast<std::size_t>(i)), &info) != 0 && info.dli_fname != nullptr) {
      const std::string file = std::filesystem::path(info.dli_fname).filename();
      if (file.starts_with("libstdc++") || file.starts_with("libgcc_s") || file.starts_with("libc.")) {
        is_behind = true;
      } else if (is_behind) {
        return file;
      }
    }
  }
  return "";
}

/// Some of LibTorch's functions are noexcept and allocate all the same; there is no way to survive these but a process
/// of one's own (Model.Options.isolated).
void end_known() {
  fail(0);
  const std::string library = unyielding_library();
  if (library.starts_with("libtorch") || library.starts_with("libc10")) {
    std::_Exit(known_end);
  }
  std::_Exit(1);
}

/// The C library and the unwinder of exceptions abort by themselves where they get no memory.
void end_aborted(int /*signal*/) { std::_Exit(known_end); }

/// A model of which everything, or only an attribution that is there, meets a failing allocation.
class Subject {
 public:
  Subject(const std::string& file, const std::string& data)
      : file_(fixture_path(file)),
        data_(first_of(read_data(fixture_path(data)), 4)),
        model_(Model::load(file_)),
        kept_(opened(model_)) {
    // Before it counts: what LibTorch makes once per process is there then.
    whole();
    fail(0);
    expected_ = whole().entries();
    all_ = allocations();
    add_to(kept_);
    before_ = kept_.save();
    fail(0);
    add_to(kept_);
    after_ = kept_.scores().entries();
    kept_.save();
    some_ = allocations();
  }

  /// Has the n-th allocation fail, n following from the seed: of consecutive seeds each is another one, until there are
  /// no more.
  /// @returns whether the work was done all the same
  bool attempt(std::uint64_t seed) {
    constexpr std::uint64_t prime = 1'000'003;
    const bool is_whole = seed % 2 == 0;
    const std::uint64_t n = (seed / 2 * prime) % (is_whole ? all_ : some_) + 1;
    SCOPED_TRACE("allocation " + std::to_string(n) + " of " + std::to_string(is_whole ? all_ : some_) +
                 (is_whole ? " of the whole" : " of a batch"));
    if (is_whole) {
      const bool is_done = goes_well(n, [&] { expect_near(whole(), expected_); });
      expect_near(whole(), expected_);
      return is_done;
    }
    kept_.restore(before_);
    bool is_added = false;
    const bool is_done = goes_well(n, [&] {
      add_to(kept_);
      is_added = true;
      kept_.scores();
      kept_.save();
    });
    if (!is_added) {
      EXPECT_EQ(kept_.save(), before_) << "a batch that throws adds nothing";
      add_to(kept_);
    }
    expect_near(kept_.scores(), after_);
    return is_done;
  }

 private:
  template <typename Function>
  static bool goes_well(std::uint64_t failing, const Function& function) {
    try {
      fail(static_cast<long>(failing));  // NOLINT(google-runtime-int)
      function();
      fail(0);
      return true;
    } catch (const std::bad_alloc&) {
      fail(0);  // what C and Java have words of their own for
      return false;
    } catch (const Error& error) {
      fail(0);
      const std::string what = error.what();
      EXPECT_FALSE(what.empty());
      EXPECT_EQ(what.find('\n'), std::string::npos) << what;
      return false;
    } catch (...) {
      fail(0);
      throw;
    }
  }

  static Attribution opened(const Model& model) {
    AttributionOptions options;
    options.layers = {"all"};
    options.methods = {Method::gradient, Method::gradient_x_activation, Method::integrated_gradients, Method::ablation};
    options.steps = 2;
    return model.attribution(options);
  }

  void add_to(Attribution& attribution) const { attribution.add(data_.x, data_.y, data_.cluster); }

  Scores whole() const {
    const Model model = Model::load(file_);
    Attribution attribution = opened(model);
    add_to(attribution);
    return attribution.scores();
  }

  /// A batch that found no memory was added in halves, so its sums were rounded elsewhere.
  static void expect_near(const Scores& scores, const std::vector<Score>& expected) {
    constexpr double rounding = 1e-5;
    ASSERT_EQ(scores.entries().size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const Score& seen = scores.entries()[i];
      EXPECT_EQ(seen.layer, expected[i].layer);
      EXPECT_EQ(seen.statistics.count, expected[i].statistics.count);
      EXPECT_LT(relative_error(seen.statistics.mean, expected[i].statistics.mean), rounding) << seen.layer;
      EXPECT_LT(relative_error(seen.statistics.rms, expected[i].statistics.rms), rounding) << seen.layer;
    }
  }

  std::filesystem::path file_;
  Data data_;
  Model model_;
  Attribution kept_;
  std::vector<Score> expected_;  ///< of loading and one batch
  std::string before_;           ///< the state of the attribution that is there, after one batch
  std::vector<Score> after_;     ///< its scores after two
  std::uint64_t all_ = 0;        ///< allocations of loading and one batch
  std::uint64_t some_ = 0;       ///< of one batch
};

TEST(FailingMemory, EndsInTypedErrors) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer has its own malloc";
#else
  std::map<std::uint64_t, Subject> subjects;
  try_seeds(
      600, 0.001,
      [&](std::uint64_t seed, const std::filesystem::path&) {
        std::set_terminate(end_known);
        std::signal(SIGABRT, end_aborted);  // NOLINT(cert-err33-c)
        const std::uint64_t kind = seed / 2 % 2;
        auto found = subjects.find(kind);
        if (found == subjects.end()) {
          found = kind == 0 ? subjects.try_emplace(kind, "act-relu.scripted.pt", "act-relu.npz").first
                            : subjects.try_emplace(kind, "act-relu.exported.pt2", "act-relu.npz").first;
        }
        return found->second.attempt(seed);
      },
      "LD_PRELOAD='" PREGRAD_FAILING_MALLOC "'");
#endif
}

}  // namespace

}  // namespace pregrad::test::failing_memory_test
