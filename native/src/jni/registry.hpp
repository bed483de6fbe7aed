#pragma once

#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>

#include <jni.h>

#include <pregrad/ablation.hpp>
#include <pregrad/attribution.hpp>
#include <pregrad/check.hpp>
#include <pregrad/error.hpp>
#include <pregrad/model.hpp>
#include <pregrad/probe.hpp>
#include <pregrad/pruning.hpp>
#include <pregrad/scores.hpp>

namespace pregrad::jni {

inline const char* name(const Model* /*unused*/) { return "Model"; }
inline const char* name(const Attribution* /*unused*/) { return "Attribution"; }
inline const char* name(const Ablation* /*unused*/) { return "Ablation"; }
inline const char* name(const Check* /*unused*/) { return "Check"; }
inline const char* name(const Pruning* /*unused*/) { return "Pruning"; }
inline const char* name(const Probe* /*unused*/) { return "Probe"; }
inline const char* name(const Scores* /*unused*/) { return "snapshot of scores"; }

/// What Java holds, by numbers that are never used twice: a wrong or released one is an error, never a wild pointer.
/// Who looks an object up shares it, so that a release meanwhile does not pull it away.
class Registry {
 public:
  template <class T>
  jlong add(T object) {
    auto shared = std::make_shared<T>(std::move(object));
    const std::unique_lock lock(mutex_);
    const jlong number = ++last_;
    objects_.emplace(number, std::move(shared));
    return number;
  }

  template <class T>
  std::shared_ptr<T> get(jlong number) const {
    const std::shared_lock lock(mutex_);
    const auto found = objects_.find(number);
    const auto* object = found == objects_.end() ? nullptr : std::get_if<std::shared_ptr<T>>(&found->second);
    if (object == nullptr) {
      throw StateError("handle " + std::to_string(number) + " is no open " + name(static_cast<const T*>(nullptr)) +
                       "; do not use it after it was closed");
    }
    return *object;
  }

  bool release(jlong number) {
    Object last;  // destroyed after the lock is given back
    const std::unique_lock lock(mutex_);
    const auto found = objects_.find(number);
    if (found == objects_.end()) {
      return false;
    }
    last = std::move(found->second);
    objects_.erase(found);
    return true;
  }

  jlong size() const {
    const std::shared_lock lock(mutex_);
    return static_cast<jlong>(objects_.size());
  }

 private:
  using Object =
      std::variant<std::shared_ptr<Model>, std::shared_ptr<Attribution>, std::shared_ptr<Ablation>,
                   std::shared_ptr<Check>, std::shared_ptr<Probe>, std::shared_ptr<Scores>, std::shared_ptr<Pruning>>;
  mutable std::shared_mutex mutex_;
  std::unordered_map<jlong, Object> objects_;
  jlong last_ = 0;
};

/// The only one; it is never destroyed, because threads of the JVM may outlive static objects.
Registry& registry();

}  // namespace pregrad::jni
