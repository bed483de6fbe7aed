#pragma once

#include <array>

#include <jni.h>

namespace pregrad::jni {

/// An exception class and its constructor from a message.
struct ExceptionClass {
  jclass type = nullptr;
  jmethodID constructor = nullptr;
};

/// What is looked up once, when the library is loaded; global references.
struct Classes {
  /// In the order of ErrorKind, which counts from 1; at 0 stands OutOfMemoryError, which is no error of PreGrad's.
  std::array<ExceptionClass, 9> exceptions;
  jclass object = nullptr;
  jclass string = nullptr;
  jmethodID string_of_bytes = nullptr;
  jstring utf8 = nullptr;
};

const Classes& classes();

/// False, with a Java exception pending, if one is missing.
bool load_classes(JNIEnv* env);
void unload_classes(JNIEnv* env);

}  // namespace pregrad::jni
