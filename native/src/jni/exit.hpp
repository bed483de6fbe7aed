#pragma once

#include <atomic>

namespace pregrad::jni {

/// Counts, while it lives, as a call of Java that runs.
class RunningCall {
 public:
  RunningCall() { count_.fetch_add(1, std::memory_order_relaxed); }
  RunningCall(const RunningCall&) = delete;
  RunningCall& operator=(const RunningCall&) = delete;
  ~RunningCall() { count_.fetch_sub(1, std::memory_order_release); }

  static bool any() { return count_.load(std::memory_order_acquire) > 0; }

 private:
  static inline std::atomic<int> count_ = 0;
};

/// From now on the process ends without destroying static objects if calls still run then. A JVM that exits waits 0.3 s
/// for threads in native code and then has the C library destroy what LibTorch still uses: a longer call would crash
/// it. To be called as late as can be: the C library runs last what was registered first, and LibTorch makes static
/// objects as it goes.
void leave_running_calls_at_exit();

}  // namespace pregrad::jni
