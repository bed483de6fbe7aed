// The first library the JVM loads. OpenBLAS reads its environment when it is loaded, the JVM cannot change its own, and
// libpregrad.so itself pulls OpenBLAS in through LibTorch: so this one needs nothing but the C library.
#include <cstdlib>

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

}  // namespace

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
