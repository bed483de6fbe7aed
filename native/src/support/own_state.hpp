#pragma once

#include <array>

#include <ATen/core/Tensor.h>
#include <c10/core/DeviceType.h>
#include <c10/core/InferenceMode.h>
#include <c10/core/ScalarType.h>

#include "pregrad/inputs.hpp"

namespace pregrad::support {

/// The state in which a call of PreGrad computes, whatever its caller has set for this thread: gradients are recorded,
/// inference mode and autocast are off, numbers without a type are float32. The caller's state is back when it ends.
class OwnState {
 public:
  /// @throws StateError in a process that was forked after a call of PreGrad: the threads of LibTorch stayed behind in
  /// the parent, and a call that waits for them would hang
  OwnState();
  ~OwnState();
  OwnState(const OwnState&) = delete;
  OwnState& operator=(const OwnState&) = delete;
  OwnState(OwnState&&) = delete;
  OwnState& operator=(OwnState&&) = delete;

 private:
  struct Autocast {
    c10::DeviceType device = c10::DeviceType::CPU;
    bool is_enabled = false;
    c10::ScalarType type = c10::ScalarType::Undefined;
  };

  /// Inference mode carries the gradient mode, and whether autograd is passed by, with it.
  c10::InferenceMode no_inference_mode_{false};
  std::array<Autocast, 2> autocast_;
  bool holds_default_type_ = false;
};

/// A tensor that autograd can keep: one that was made in inference mode is copied, any other is given back.
at::Tensor without_inference(const at::Tensor& tensor);
Inputs without_inference(const Inputs& inputs);

}  // namespace pregrad::support
