#include "support/threads.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cfenv>
#include <condition_variable>
#include <cstring>
#include <exception>
#include <mutex>
#include <optional>
#include <string>

#include <ATen/Parallel.h>
#include <ATen/ThreadLocalState.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <c10/util/ParallelGuard.h>
#include <dlfcn.h>
#include <pthread.h>

#include "pregrad/error.hpp"
#include "support/running_call.hpp"

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

namespace {

constexpr std::size_t least_deep_stack_bytes = std::size_t{128} << 20U;

constinit thread_local bool has_deep_stack = false;

/// What a thread with a deep stack has to do, and what of its caller it needs for that.
class DeepCall {
 public:
  DeepCall(c10::Device device, c10::function_ref<void()> body) : body_(body), call_(RunningCall::current()) {
    std::fegetenv(&rounding_);
    if (device.is_cuda()) {
      const c10::impl::VirtualGuardImpl cuda(device.type());
      const c10::Device current = cuda.getDevice();
      stream_ = cuda.getStream(device.has_index() ? device : current);
      device_ = current;
    }
  }

  void run() noexcept {
    has_deep_stack = true;
    try {
      std::fesetenv(&rounding_);
      const at::ThreadLocalStateGuard state(libtorchs_);
      const c10::OptionalStreamGuard stream(stream_);
      if (device_) {
        c10::impl::VirtualGuardImpl(device_->type()).setDevice(*device_);
      }
      const RunningCall::InThisThread call(call_);
      body_();
    } catch (...) {
      failure_ = std::current_exception();
    }
    const std::lock_guard lock(mutex_);
    is_done_ = true;
    done_.notify_one();
  }

  /// Meanwhile the caller's thread, which alone can tell, looks whether it was interrupted.
  void wait() {
    std::unique_lock lock(mutex_);
    while (!is_done_) {
      if (call_ == nullptr) {
        done_.wait(lock);
      } else if (done_.wait_for(lock, RunningCall::between_questions) == std::cv_status::timeout) {
        lock.unlock();
        call_->ask_thread();
        lock.lock();
      }
    }
  }

  void rethrow() const {
    if (failure_) {
      std::rethrow_exception(failure_);
    }
  }

 private:
  c10::function_ref<void()> body_;
  RunningCall* call_;
  std::fenv_t rounding_{};
  at::ThreadLocalState libtorchs_;
  std::optional<c10::Stream> stream_;
  std::optional<c10::Device> device_;
  std::exception_ptr failure_;
  std::mutex mutex_;
  std::condition_variable done_;
  bool is_done_ = false;
};

void* run_deep_call(void* call) {
  static_cast<DeepCall*>(call)->run();
  return nullptr;
}

}  // namespace

void run_on_deep_stack(c10::Device device, c10::function_ref<void()> body) {
  if (has_deep_stack) {
    body();
    return;
  }
  DeepCall call(device, body);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_t thread{};
  int error = EAGAIN;
  // Only what is used of a stack takes memory, yet a limit on address space or data may leave no room for all of it.
  for (std::size_t bytes = deep_stack_bytes; error == EAGAIN && bytes >= least_deep_stack_bytes; bytes /= 2) {
    pthread_attr_setstacksize(&attributes, bytes);
    error = pthread_create(&thread, &attributes, run_deep_call, &call);
  }
  pthread_attr_destroy(&attributes);
  if (error != 0) {
    throw InternalError("cannot start a thread with a stack of " + std::to_string(least_deep_stack_bytes >> 20) +
                        " MiB, which models are read and compiled on (" + std::strerror(error) +
                        "): raise the limits on threads and on memory (ulimit -u, ulimit -v, ulimit -d)");
  }
  call.wait();
  pthread_join(thread, nullptr);
  call.rethrow();
}

}  // namespace pregrad::support
