#include "support/threads.hpp"

#include <algorithm>
#include <atomic>
#include <exception>

#include <ATen/Parallel.h>
#include <c10/util/ParallelGuard.h>
#include <dlfcn.h>

namespace pregrad::support {

namespace {

template <class Function>
void find(void* scope, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(scope, name));
}

}  // namespace

LibTorchsOpenMp::LibTorchsOpenMp() {
  // Never unloaded: it is there already. What is asked of it is asked of all that it needs.
  void* const library = dlopen("libtorch_cpu.so", RTLD_LAZY | RTLD_NOLOAD);
  void* const scope = library == nullptr ? RTLD_DEFAULT : library;
  find(scope, "GOMP_parallel", parallel_);
  find(scope, "omp_get_num_threads", threads_);
  find(scope, "omp_get_thread_num", thread_);
  find(scope, "omp_in_parallel", inside_);
}

const LibTorchsOpenMp& open_mp() {
  static const LibTorchsOpenMp found;
  return found;
}

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
