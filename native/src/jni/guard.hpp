#pragma once

#include <exception>
#include <new>
#include <type_traits>
#include <utility>

#include <jni.h>

#include <pregrad/error.hpp>

#include "exit.hpp"
#include "java_exception.hpp"

/// Begins an entry point of org.pregrad.internal.Native. Its body is one call of `guarded`.
#define PREGRAD_JNI(type, name) extern "C" JNIEXPORT type JNICALL Java_org_pregrad_internal_Native_##name

namespace pregrad::jni {

/// Runs the body of an entry point; a C++ exception becomes a Java one, and the result then is 0 or null.
template <class Body>
std::invoke_result_t<Body> guarded(JNIEnv* env, Body&& body) noexcept {
  const RunningCall running;
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
