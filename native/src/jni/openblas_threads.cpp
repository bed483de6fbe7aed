#include "openblas_threads.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <dlfcn.h>

#include "support/threads.hpp"

namespace pregrad::jni {
namespace {

// What OpenBLAS exports, asked for by name: another LibTorch may do without it.
using Job = void (*)(int thread, void* data, int extra);
using Callback = void (*)(int sync, Job job, int count, std::size_t size, void* data, int extra);

template <class Function>
bool find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  return function != nullptr;
}

struct OpenBlas {
  void (*set_num_threads)(int) = nullptr;
  int (*get_num_threads)() = nullptr;
  int (*get_parallel)() = nullptr;
  const char* (*get_config)() = nullptr;
  void (*set_callback)(Callback) = nullptr;

  bool load() {
    // Never unloaded: the callback below stays in use until the process ends.
    void* library = dlopen("libopenblas.so.0", RTLD_LAZY | RTLD_NOLOAD);
    return library != nullptr && find(library, "openblas_set_num_threads", set_num_threads) &&
           find(library, "openblas_get_num_threads", get_num_threads) &&
           find(library, "openblas_get_parallel", get_parallel) && find(library, "openblas_get_config", get_config) &&
           find(library, "openblas_set_threads_callback_function", set_callback);
  }

  // OpenBLAS has memory for so many threads.
  int capacity() const {
    const std::string config = get_config();
    const std::string name = "MAX_THREADS=";
    const auto begin = config.find(name);
    int threads = 0;
    if (begin != std::string::npos) {
      std::from_chars(config.data() + begin + name.size(), config.data() + config.size(), threads);
    }
    return threads;
  }
};

constexpr int openblas_on_pthreads = 1;

OpenBlas openblas;
int capacity = 0;    // 0: OpenBLAS has its own threads
std::mutex running;  // one product at a time: the jobs of two would share the memory of a thread

struct Jobs {
  Job job;
  int count;
  std::size_t size;
  char* data;
  int extra;
  bool done = false;

  void run(int i) const {
    // The thread's number chooses its memory. OpenBLAS's own threads, which some of LAPACK still wakes, have the first.
    job(capacity - count + i, data + static_cast<std::size_t>(i) * size, extra);
  }

  static void run_in_team(void* self) {
    auto& jobs = *static_cast<Jobs*>(self);
    const auto thread = static_cast<int>(support::open_mp().thread());
    // The jobs wait for each other, so that a team too small would wait forever.
    if (support::open_mp().threads() == jobs.count) {
      jobs.run(thread);
      if (thread == 0) {
        jobs.done = true;
      }
    }
  }
};

void run_jobs(int /*sync*/, Job job, int count, std::size_t size, void* data, int extra) noexcept {
  const std::lock_guard lock(running);
  Jobs jobs = {job, count, size, static_cast<char*>(data), extra};
  if (count == 1) {
    jobs.run(0);
    return;
  }
  if (!support::open_mp().is_inside()) {
    support::open_mp().parallel(Jobs::run_in_team, &jobs, static_cast<unsigned>(count));
    if (jobs.done) {
      return;
    }
  }
  std::vector<std::thread> others;
  for (int i = 1; i < count; ++i) {
    others.emplace_back([&jobs, i] { jobs.run(i); });
  }
  jobs.run(0);
  for (std::thread& thread : others) {
    thread.join();
  }
}

}  // namespace

bool join_openblas_threads() {
  const std::lock_guard lock(running);
  if (capacity > 0) {
    return true;
  }
  if (!openblas.load() || !support::open_mp().is_there() || openblas.get_parallel() != openblas_on_pthreads) {
    return false;
  }
  const int found = openblas.capacity();
  if (found < 2) {
    return false;
  }
  if (openblas.get_num_threads() > found / 2) {
    openblas.set_num_threads(found / 2);
  }
  capacity = found;
  openblas.set_callback(run_jobs);
  return true;
}

void set_openblas_threads(int threads) {
  const std::lock_guard lock(running);
  if (capacity > 0) {
    openblas.set_num_threads(std::min(threads, capacity / 2));
    return;
  }
  OpenBlas alone;
  if (alone.load()) {
    alone.set_num_threads(threads);
  }
}

}  // namespace pregrad::jni
