// What concerns the library itself: loading, versions, threads, handles.

#include <stdlib.h>
#include <unistd.h>

#include <string>

#include <ATen/Parallel.h>
#include <ATen/Version.h>

#include <pregrad/version.hpp>

#include "guard.hpp"
#include "java.hpp"
#include "openblas_threads.hpp"
#include "registry.hpp"

namespace jni = pregrad::jni;

namespace pregrad::jni {

Registry& registry() {
  static auto& only = *new Registry();
  return only;
}

namespace {

// LibTorch has no other way to ask which one it is than the flags that it was built with.
std::string libtorch_version() {
  const std::string flag = "TORCH_VERSION=";
  const std::string flags = at::show_config();
  const auto begin = flags.find(flag);
  if (begin == std::string::npos) {
    return "unknown";
  }
  return flags.substr(begin + flag.size(), flags.find_first_of(", \n", begin) - begin - flag.size());
}

void leave(int status, void* /*unused*/) {
  if (RunningCall::any()) {
    _exit(status);
  }
}

/// From now on the process ends without destroying static objects if calls still run then. A JVM that exits waits 0.3 s
/// for threads in native code and then has the C library destroy what LibTorch still uses: a longer call would crash
/// it. To be called as late as can be: the C library runs last what was registered first, and LibTorch makes static
/// objects as it goes.
void leave_running_calls_at_exit() {
  // Unlike atexit it tells the status that the process is to end with.
  on_exit(leave, nullptr);
}

}  // namespace
}  // namespace pregrad::jni

// Called by libpregrad_boot.so for each class loader, since no class loader has this library.
extern "C" JNIEXPORT jint JNICALL JNI_OnLoad(JavaVM* machine, void* /*unused*/) {
  void* environment = nullptr;
  if (machine->GetEnv(&environment, JNI_VERSION_10) != JNI_OK) {
    return JNI_ERR;
  }
  return jni::load_classes(static_cast<JNIEnv*>(environment)) ? JNI_VERSION_10 : JNI_ERR;
}

PREGRAD_JNI(jbyteArray, version)(JNIEnv* env, jclass /*unused*/) {
  return jni::guarded(env, [&] { return jni::java_bytes(env, PREGRAD_VERSION_STRING); });
}

PREGRAD_JNI(jbyteArray, libtorchVersion)(JNIEnv* env, jclass /*unused*/) {
  return jni::guarded(env, [&] { return jni::java_bytes(env, jni::libtorch_version()); });
}

PREGRAD_JNI(void, setThreads)(JNIEnv* env, jclass /*unused*/, jint threads) {
  jni::guarded(env, [&] {
    at::set_num_threads(threads);
    jni::set_openblas_threads(threads);
  });
}

PREGRAD_JNI(jboolean, joinOpenBlasThreads)(JNIEnv* env, jclass /*unused*/) {
  return jni::guarded(env, [] { return static_cast<jboolean>(jni::join_openblas_threads() ? JNI_TRUE : JNI_FALSE); });
}

PREGRAD_JNI(void, leaveRunningCallsAtExit)(JNIEnv* env, jclass /*unused*/) {
  jni::guarded(env, [] { jni::leave_running_calls_at_exit(); });
}

PREGRAD_JNI(jlong, liveHandles)(JNIEnv* env, jclass /*unused*/) {
  return jni::guarded(env, [] { return jni::registry().size(); });
}

PREGRAD_JNI(jboolean, release)(JNIEnv* env, jclass /*unused*/, jlong handle) {
  return jni::guarded(env,
                      [&] { return static_cast<jboolean>(jni::registry().release(handle) ? JNI_TRUE : JNI_FALSE); });
}
