#pragma once

#include <atomic>
#include <exception>
#include <new>
#include <type_traits>
#include <utility>

#include <jni.h>
#include <pregrad/error.hpp>

#include "java.hpp"
#include "support/running_call.hpp"

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

}  // namespace pregrad::jni

/// Begins an entry point of org.pregrad.internal.Native. Its body is one call of `guarded`.
#define PREGRAD_JNI(type, name) extern "C" JNIEXPORT type JNICALL Java_org_pregrad_internal_Native_##name

namespace pregrad::jni {

/// Runs the body of an entry point; a C++ exception becomes a Java one, and the result then is 0 or null.
template <class Body>
std::invoke_result_t<Body> guarded(JNIEnv* env, Body&& body) noexcept {
  const RunningCall running;
  // The core asks only in calls that last, and in this thread, which Java knows.
  const support::InterruptibleThread interruptible(
      {[](void* java) { return is_interrupted(static_cast<JNIEnv*>(java)); }, env});
  try {
    return std::forward<Body>(body)();
  } catch (const PendingJavaException&) {
    // Java has its exception already.
  } catch (const Error& error) {
    throw_java(env, error.kind(), error.what());
  } catch (const std::bad_alloc&) {
    throw_out_of_memory(env);
  } catch (const std::exception& error) {
    throw_foreign(env, error);
  } catch (...) {
    throw_java(env, ErrorKind::internal, "a failure of unknown type; please report it");
  }
  if constexpr (!std::is_void_v<std::invoke_result_t<Body>>) {
    return {};
  }
}

}  // namespace pregrad::jni
