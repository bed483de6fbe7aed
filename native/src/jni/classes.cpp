#include "classes.hpp"

#include <cstddef>

namespace pregrad::jni {
namespace {

constexpr std::array<const char*, 9> exception_names = {
    "java/lang/OutOfMemoryError", "org/pregrad/PreGradException",          "org/pregrad/ArgumentException",
    "org/pregrad/ModelException", "org/pregrad/UnsupportedModelException", "org/pregrad/LayerException",
    "org/pregrad/InputException", "java/lang/IllegalStateException",       "org/pregrad/DeviceException",
};

Classes loaded;

template <class Reference>
Reference global(JNIEnv* env, Reference local) {
  if (local == nullptr) {
    return nullptr;
  }
  auto reference = static_cast<Reference>(env->NewGlobalRef(local));
  env->DeleteLocalRef(local);
  return reference;
}

bool load(JNIEnv* env, const char* name, jclass& type) {
  type = global(env, env->FindClass(name));
  return type != nullptr;
}

bool load(JNIEnv* env, jclass type, const char* signature, jmethodID& constructor) {
  constructor = env->GetMethodID(type, "<init>", signature);
  return constructor != nullptr;
}

}  // namespace

const Classes& classes() { return loaded; }

bool load_classes(JNIEnv* env) {
  for (std::size_t i = 0; i < exception_names.size(); ++i) {
    ExceptionClass& exception = loaded.exceptions.at(i);
    if (!load(env, exception_names.at(i), exception.type) ||
        !load(env, exception.type, "(Ljava/lang/String;)V", exception.constructor)) {
      return false;
    }
  }
  if (!load(env, "java/lang/Object", loaded.object) || !load(env, "java/lang/String", loaded.string) ||
      !load(env, loaded.string, "([BLjava/lang/String;)V", loaded.string_of_bytes)) {
    return false;
  }
  loaded.utf8 = global(env, env->NewStringUTF("UTF-8"));
  return loaded.utf8 != nullptr;
}

void unload_classes(JNIEnv* env) {
  for (const ExceptionClass& exception : loaded.exceptions) {
    env->DeleteGlobalRef(exception.type);
  }
  env->DeleteGlobalRef(loaded.object);
  env->DeleteGlobalRef(loaded.string);
  env->DeleteGlobalRef(loaded.utf8);
  loaded = {};
}

}  // namespace pregrad::jni
