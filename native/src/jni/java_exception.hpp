#pragma once

#include <exception>

#include <jni.h>

#include <pregrad/error.hpp>

namespace pregrad::jni {

/// Thrown where a JNI call left a Java exception behind; the guard then lets that one through.
struct PendingJavaException {};

/// Makes the Java exception of that kind pending.
void throw_java(JNIEnv* env, ErrorKind kind, const char* message) noexcept;
/// Makes an OutOfMemoryError pending.
void throw_out_of_memory(JNIEnv* env) noexcept;
/// For an exception that is none of PreGrad's: its message is cut to the sentence that says what is wrong. A device
/// whose memory ran out gives a DeviceException, since that is no reason for the JVM to give up.
void throw_foreign(JNIEnv* env, const std::exception& error) noexcept;

/// To be called after every JNI call that can fail: no other may be made while an exception is pending.
inline void check(JNIEnv* env) {
  if (env->ExceptionCheck() == JNI_TRUE) {
    throw PendingJavaException();
  }
}

}  // namespace pregrad::jni
