#include "support/parallel_for.hpp"

#include <algorithm>
#include <atomic>
#include <exception>

#include <ATen/Parallel.h>
#include <c10/util/ParallelGuard.h>

#include "support/open_mp.hpp"

namespace pregrad::support {

namespace {

using Body = c10::function_ref<void(std::int64_t, std::int64_t)>;

bool has_threads() {
#if defined(__SANITIZE_THREAD__)
  return false;  // ThreadSanitizer does not know OpenMP's barriers
#else
  return open_mp().is_there();
#endif
}

struct Job {
  std::int64_t count;
  std::int64_t grain;
  Body body;
  std::atomic_flag failed = ATOMIC_FLAG_INIT;
  std::exception_ptr failure;
};

/// What each thread of a team does.
void run_part(void* data) {
  Job& job = *static_cast<Job*>(data);
  const std::int64_t thread = open_mp().thread();
  const std::int64_t parts = std::min(open_mp().threads(), at::divup(job.count, job.grain));
  const std::int64_t size = at::divup(job.count, parts);
  const std::int64_t begin = thread * size;
  if (begin >= job.count) {
    return;
  }
  try {
    const at::internal::ThreadIdGuard thread_number(static_cast<int>(thread));
    const c10::ParallelGuard in_parallel(true);
    job.body(begin, std::min(job.count, begin + size));
  } catch (...) {
    if (!job.failed.test_and_set()) {
      job.failure = std::current_exception();
    }
  }
}

}  // namespace

void parallel_for(std::int64_t count, std::int64_t grain, Body body) {
  if (count <= 0) {
    return;
  }
  const std::int64_t least = std::max<std::int64_t>(1, grain);
  if (count <= least || at::in_parallel_region() || at::get_num_threads() == 1 || !has_threads()) {
    body(0, count);
    return;
  }
  Job job{count, least, body, ATOMIC_FLAG_INIT, nullptr};
  open_mp().parallel(run_part, &job);
  if (job.failure) {
    std::rethrow_exception(job.failure);
  }
}

}  // namespace pregrad::support
