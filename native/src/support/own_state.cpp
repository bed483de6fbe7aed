#include "support/own_state.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <utility>

#include <ATen/autocast_mode.h>
#include <c10/core/DefaultDtype.h>
#include <c10/util/typeid.h>
#include <pthread.h>
#include <unistd.h>

#include "pregrad/error.hpp"

namespace pregrad::support {

namespace {

constexpr std::array<std::pair<c10::DeviceType, c10::ScalarType>, 2> autocast_types = {
    {{c10::DeviceType::CPU, c10::ScalarType::BFloat16}, {c10::DeviceType::CUDA, c10::ScalarType::Half}}};

/// LibTorch has one default type for the whole process. While calls run, it is float32; the last one to end puts the
/// caller's back.
class DefaultType {
 public:
  void hold() {
    const std::lock_guard lock(mutex_);
    if (holders_.load(std::memory_order_relaxed) == 0) {
      callers_ = c10::get_default_dtype();
    }
    // Who finds nobody holding it must find the caller's type.
    holders_.fetch_add(1);
    c10::set_default_dtype(caffe2::TypeMeta::Make<float>());
  }

  void release() {
    const std::lock_guard lock(mutex_);
    if (holders_.load(std::memory_order_relaxed) == 1) {
      c10::set_default_dtype(callers_);
    }
    holders_.fetch_sub(1);
  }

  /// Whether it may be anything but float32 before the end of a call that begins now.
  bool is_in_question() const {
    return holders_.load() > 0 || c10::get_default_dtype_as_scalartype() != c10::ScalarType::Float;
  }

 private:
  std::mutex mutex_;
  std::atomic<std::int64_t> holders_ = 0;
  caffe2::TypeMeta callers_;
};

DefaultType& default_type() {
  // Never destroyed: threads may outlive static objects.
  static auto& only = *new DefaultType();
  return only;
}

std::atomic<bool> has_computed = false;
/// Whether this process was forked from one that had computed.
std::atomic<bool> is_orphan = false;

// The C library asks at each fork, so that a call only reads a flag.
[[maybe_unused]] const int watches_forks = pthread_atfork(nullptr, nullptr, [] { is_orphan = has_computed.load(); });

void require_threads() {
  if (is_orphan.load(std::memory_order_relaxed)) {
    throw StateError("process " + std::to_string(getpid()) +
                     " was forked after PreGrad had computed, and the threads that compute stayed in its parent: fork "
                     "before the first model is loaded, or start the child by exec");
  }
  if (!has_computed.load(std::memory_order_relaxed)) {
    has_computed.store(true);
  }
}

}  // namespace

OwnState::OwnState() {
  require_threads();
  for (std::size_t i = 0; i < autocast_.size(); ++i) {
    const auto [device, type] = autocast_types.at(i);
    autocast_.at(i) = {device, at::autocast::is_autocast_enabled(device), at::autocast::get_autocast_dtype(device)};
    if (autocast_.at(i).is_enabled) {
      at::autocast::set_autocast_enabled(device, false);
    }
    if (autocast_.at(i).type != type) {
      at::autocast::set_autocast_dtype(device, type);
    }
  }
  if (default_type().is_in_question()) {
    default_type().hold();
    holds_default_type_ = true;
  }
}

OwnState::~OwnState() {
  if (holds_default_type_) {
    default_type().release();
  }
  for (std::size_t i = 0; i < autocast_.size(); ++i) {
    const Autocast& before = autocast_.at(i);
    // The model may have changed what it found.
    if (at::autocast::is_autocast_enabled(before.device) != before.is_enabled) {
      at::autocast::set_autocast_enabled(before.device, before.is_enabled);
    }
    if (at::autocast::get_autocast_dtype(before.device) != before.type) {
      at::autocast::set_autocast_dtype(before.device, before.type);
    }
  }
}

at::Tensor without_inference(const at::Tensor& tensor) {
  return tensor.defined() && tensor.is_inference() ? tensor.clone() : tensor;
}

Inputs without_inference(const Inputs& inputs) {
  const bool is_free = std::none_of(inputs.begin(), inputs.end(), [](const NamedTensor& each) {
    return each.tensor.defined() && each.tensor.is_inference();
  });
  return is_free ? inputs : inputs.mapped([](const at::Tensor& tensor) { return without_inference(tensor); });
}

}  // namespace pregrad::support
