#include "support/threads.hpp"

#include <atomic>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include <ATen/Parallel.h>
#include <gmock/gmock.h>

namespace pregrad::support {
namespace {

// ThreadSanitizer's build has one thread alone.
#if defined(__SANITIZE_THREAD__)
constexpr bool has_threads = false;
#else
constexpr bool has_threads = true;
#endif

/// As many LibTorch threads as asked for, until the end of a test.
class ThreadCount {
 public:
  explicit ThreadCount(int count) : before_(at::get_num_threads()) { at::set_num_threads(count); }
  ~ThreadCount() { at::set_num_threads(before_); }
  ThreadCount(const ThreadCount&) = delete;
  ThreadCount& operator=(const ThreadCount&) = delete;
  ThreadCount(ThreadCount&&) = delete;
  ThreadCount& operator=(ThreadCount&&) = delete;

 private:
  int before_;
};

/// The threads that the parts of `count` ran in.
std::set<std::thread::id> threads_of(std::int64_t count, std::int64_t grain) {
  std::mutex mutex;
  std::set<std::thread::id> threads;
  parallel_for(count, grain, [&](std::int64_t, std::int64_t) {
    const std::lock_guard lock(mutex);
    threads.insert(std::this_thread::get_id());
  });
  return threads;
}

TEST(ParallelFor, RunsInSeveralThreads) {
  const ThreadCount two(2);
  EXPECT_EQ(threads_of(2, 1).size(), has_threads ? 2U : 1U);
}

TEST(ParallelFor, CoversEachIndexOnce) {
  const ThreadCount three(3);
  for (const std::int64_t count : {0, 1, 2, 3, 4, 7, 1000}) {
    for (const std::int64_t grain : {0, 1, 2, 5, 400, 5000}) {
      std::vector<std::atomic<int>> times(static_cast<std::size_t>(count));
      parallel_for(count, grain, [&](std::int64_t begin, std::int64_t end) {
        ASSERT_LT(begin, end);
        for (std::int64_t i = begin; i < end; ++i) {
          ++times[static_cast<std::size_t>(i)];
        }
      });
      EXPECT_THAT(times, ::testing::Each(::testing::Eq(1))) << count << " by " << grain;
    }
  }
}

TEST(ParallelFor, StaysInTheCallersThreadWhereThereIsTooLittleOrNoOther) {
  const std::set<std::thread::id> mine = {std::this_thread::get_id()};
  const ThreadCount two(2);
  EXPECT_EQ(threads_of(100, 100), mine);
  at::set_num_threads(1);
  EXPECT_EQ(threads_of(100, 1), mine);
}

TEST(ParallelFor, DoesNotShareOutWhatIsAPartAlready) {
  const ThreadCount two(2);
  parallel_for(2, 1, [](std::int64_t, std::int64_t) {
    const std::set<std::thread::id> mine = {std::this_thread::get_id()};
    EXPECT_EQ(threads_of(100, 1), mine);
  });
}

TEST(ParallelFor, ThrowsWhatAPartThrewOnceAllAreDone) {
  const ThreadCount two(2);
  for (const std::int64_t bad : {0, 99}) {
    std::atomic<std::int64_t> done = 0;
    EXPECT_THROW(parallel_for(100, 1,
                              [&](std::int64_t begin, std::int64_t end) {
                                if (begin <= bad && bad < end) {
                                  throw std::runtime_error("a part");
                                }
                                done += end - begin;
                              }),
                 std::runtime_error);
    EXPECT_EQ(done, has_threads ? 50 : 0);
  }
}

}  // namespace
}  // namespace pregrad::support
