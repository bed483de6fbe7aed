// The first library the JVM loads. OpenBLAS reads its environment when it is loaded, the JVM cannot change its own, and
// libpregrad.so itself pulls OpenBLAS in through LibTorch: so this one needs nothing but the C library. It also is the
// only one that belongs to a class loader, since the JVM gives a file to one class loader only, and LibTorch can be in
// a process only once: each class loader has a copy of this one, and all share what it opens.
#include <cstdio>
#include <cstdlib>

#include <dlfcn.h>
#include <jni.h>

namespace {

// A string of the JVM as C sees it; null after a Java exception.
class Utf8 {
 public:
  Utf8(JNIEnv* env, jstring string)
      : env_(env), string_(string), text_(string == nullptr ? nullptr : env->GetStringUTFChars(string, nullptr)) {}
  Utf8(const Utf8&) = delete;
  Utf8& operator=(const Utf8&) = delete;
  ~Utf8() {
    if (text_ != nullptr) {
      env_->ReleaseStringUTFChars(string_, text_);
    }
  }
  const char* get() const { return text_; }

 private:
  JNIEnv* env_;
  jstring string_;
  const char* text_;
};

// A file's name as the operating system knows it; null after a Java exception.
class Path {
 public:
  Path(JNIEnv* env, jbyteArray terminated)
      : env_(env), bytes_(terminated), text_(env->GetByteArrayElements(terminated, nullptr)) {}
  Path(const Path&) = delete;
  Path& operator=(const Path&) = delete;
  ~Path() {
    if (text_ != nullptr) {
      env_->ReleaseByteArrayElements(bytes_, text_, JNI_ABORT);
    }
  }
  const char* get() const { return reinterpret_cast<const char*>(text_); }

 private:
  JNIEnv* env_;
  jbyteArray bytes_;
  jbyte* text_;
};

constexpr int longest_symbol = 256;

// The function of a library that a native method of org.pregrad.internal.Native is; null if it has none.
void* function(void* library, const char* method) {
  char symbol[longest_symbol];
  std::snprintf(symbol, sizeof(symbol), "Java_org_pregrad_internal_Native_%s", method);
  return dlsym(library, symbol);
}

bool bind(JNIEnv* env, void* library, jclass type, jstring name, jstring descriptor) {
  const Utf8 name_text(env, name);
  const Utf8 descriptor_text(env, descriptor);
  if (name_text.get() == nullptr || descriptor_text.get() == nullptr) {
    return false;
  }
  const JNINativeMethod method = {const_cast<char*>(name_text.get()), const_cast<char*>(descriptor_text.get()),
                                  function(library, name_text.get())};
  return method.fnPtr != nullptr && env->RegisterNatives(type, &method, 1) == JNI_OK;
}

}  // namespace

extern "C" JNIEXPORT jbyteArray JNICALL Java_org_pregrad_internal_Boot_open(JNIEnv* env, jclass /*unused*/,
                                                                            jbyteArray file) {
  const Path path(env, file);
  if (path.get() == nullptr || dlopen(path.get(), RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE) != nullptr) {
    return nullptr;
  }
  const char* reason = dlerror();
  jsize size = 0;
  while (reason[size] != '\0') {
    ++size;
  }
  jbyteArray bytes = env->NewByteArray(size);
  if (bytes != nullptr) {
    env->SetByteArrayRegion(bytes, 0, size, reinterpret_cast<const jbyte*>(reason));
  }
  return bytes;
}

extern "C" JNIEXPORT jstring JNICALL Java_org_pregrad_internal_Boot_bind(JNIEnv* env, jclass /*unused*/,
                                                                         jbyteArray file, jclass type,
                                                                         jobjectArray names, jobjectArray descriptors) {
  const Path path(env, file);
  void* library = path.get() == nullptr ? nullptr : dlopen(path.get(), RTLD_LAZY | RTLD_NOLOAD);
  using OnLoad = jint (*)(JavaVM*, void*);
  auto prepare = library == nullptr ? nullptr : reinterpret_cast<OnLoad>(dlsym(library, "JNI_OnLoad"));
  JavaVM* machine = nullptr;
  if (prepare == nullptr || env->GetJavaVM(&machine) != JNI_OK || prepare(machine, nullptr) == JNI_ERR) {
    return env->ExceptionCheck() == JNI_TRUE ? nullptr : env->NewStringUTF("JNI_OnLoad");
  }
  const jsize count = env->GetArrayLength(names);
  for (jsize i = 0; i < count; ++i) {
    auto* name = static_cast<jstring>(env->GetObjectArrayElement(names, i));
    auto* descriptor = static_cast<jstring>(env->GetObjectArrayElement(descriptors, i));
    if (!bind(env, library, type, name, descriptor)) {
      return env->ExceptionCheck() == JNI_TRUE ? nullptr : name;
    }
    env->DeleteLocalRef(name);
    env->DeleteLocalRef(descriptor);
  }
  return nullptr;
}

extern "C" JNIEXPORT jint JNICALL Java_org_pregrad_internal_Boot_setEnvironment(JNIEnv* env, jclass /*unused*/,
                                                                                jstring name, jstring value,
                                                                                jboolean overwrite) {
  const Utf8 name_text(env, name);
  if (name_text.get() == nullptr) {
    return -1;
  }
  const Utf8 value_text(env, value);
  if (value_text.get() == nullptr) {
    return -1;
  }
  return setenv(name_text.get(), value_text.get(), overwrite == JNI_TRUE ? 1 : 0);
}

extern "C" JNIEXPORT jstring JNICALL Java_org_pregrad_internal_Boot_environment(JNIEnv* env, jclass /*unused*/,
                                                                                jstring name) {
  const Utf8 name_text(env, name);
  if (name_text.get() == nullptr) {
    return nullptr;
  }
  const char* value = std::getenv(name_text.get());
  return value == nullptr ? nullptr : env->NewStringUTF(value);
}
