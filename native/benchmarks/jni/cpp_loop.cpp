// Native methods of org.pregrad.benchmarks.CppLoop: the C++ interface, timed beside Java's in one JVM.

#include <cstring>
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

#include <ATen/ops/empty_like.h>
#include <jni.h>

#include "../cases.hpp"
#include "../open.hpp"

namespace {

namespace benchmarks = pregrad::benchmarks;

struct Loop {
  benchmarks::Case one;
  at::Tensor copied;
  pregrad::Attribution attribution;
};

std::string text(JNIEnv* env, jstring string) {
  const char* const characters = env->GetStringUTFChars(string, nullptr);
  if (characters == nullptr) {
    throw std::runtime_error("the JVM gives no text");
  }
  std::string copy = characters;
  env->ReleaseStringUTFChars(string, characters);
  return copy;
}

Loop* open(const std::string& list, const std::string& folder, const std::string& name) {
  const std::vector<benchmarks::Case> cases = benchmarks::read_cases(list, folder, c10::kCPU);
  const benchmarks::Case& one = benchmarks::find(cases, name);
  return new Loop{one, at::empty_like(one.inputs), benchmarks::open(one)};
}

void throw_java(JNIEnv* env, const std::exception& error) {
  if (env->ExceptionCheck() == JNI_FALSE) {
    env->ThrowNew(env->FindClass("java/lang/IllegalStateException"), error.what());
  }
}

template <class Add>
void repeat(JNIEnv* env, jlong handle, jint times, Add add) {
  try {
    for (jint i = 0; i < times; ++i) {
      add(*reinterpret_cast<Loop*>(handle));
    }
  } catch (const std::exception& error) {
    throw_java(env, error);
  }
}

}  // namespace

extern "C" {

JNIEXPORT jlong JNICALL Java_org_pregrad_benchmarks_CppLoop_open(JNIEnv* env, jclass /*unused*/, jstring list,
                                                                 jstring folder, jstring name) {
  try {
    return reinterpret_cast<jlong>(open(text(env, list), text(env, folder), text(env, name)));
  } catch (const std::exception& error) {
    throw_java(env, error);
    return 0;
  }
}

JNIEXPORT void JNICALL Java_org_pregrad_benchmarks_CppLoop_add(JNIEnv* env, jclass /*unused*/, jlong handle,
                                                               jint times) {
  repeat(env, handle, times,
         [](Loop& loop) { loop.attribution.add(loop.one.inputs, loop.one.labels, loop.one.clusters); });
}

JNIEXPORT void JNICALL Java_org_pregrad_benchmarks_CppLoop_copyAndAdd(JNIEnv* env, jclass /*unused*/, jlong handle,
                                                                      jint times) {
  repeat(env, handle, times, [](Loop& loop) {
    std::memcpy(loop.copied.mutable_data_ptr(), loop.one.inputs.const_data_ptr(), loop.copied.nbytes());
    loop.attribution.add(loop.copied, loop.one.labels, loop.one.clusters);
  });
}

JNIEXPORT void JNICALL Java_org_pregrad_benchmarks_CppLoop_jniCopyAndAdd(JNIEnv* env, jclass /*unused*/, jlong handle,
                                                                         jfloatArray inputs, jint times) {
  repeat(env, handle, times, [env, inputs](Loop& loop) {
    env->GetFloatArrayRegion(inputs, 0, static_cast<jsize>(loop.copied.numel()),
                             static_cast<jfloat*>(loop.copied.mutable_data_ptr()));
    if (env->ExceptionCheck() == JNI_TRUE) {
      throw std::runtime_error("the array does not hold the case's inputs");
    }
    loop.attribution.add(loop.copied, loop.one.labels, loop.one.clusters);
  });
}

JNIEXPORT void JNICALL Java_org_pregrad_benchmarks_CppLoop_close(JNIEnv* /*unused*/, jclass /*unused*/, jlong handle) {
  delete reinterpret_cast<Loop*>(handle);
}

}  // extern "C"
