#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include <ATen/core/TensorBody.h>
#include <pregrad/pregrad.h>
#include <pregrad/ablation.hpp>
#include <pregrad/attribution.hpp>
#include <pregrad/certainty.hpp>
#include <pregrad/check.hpp>
#include <pregrad/error.hpp>
#include <pregrad/model.hpp>
#include <pregrad/probe.hpp>
#include <pregrad/scores.hpp>

#include "arguments.hpp"

namespace pregrad::c_api {

inline constexpr const char* out_of_memory = "out of memory; use smaller batches or a machine with more of it";

/// Keeps the message for this thread's pregrad_last_error() and gives back the status of its kind.
pregrad_status fail(ErrorKind kind, const char* message) noexcept;

/// This thread's last message.
const char* last_error() noexcept;

/// The same for an exception that is none of PreGrad's: its message is cut to the sentence that says what is wrong.
pregrad_status fail_foreign(const std::exception& error) noexcept;

/// Runs the body of an entry point; no exception leaves it.
template <class Body>
pregrad_status guarded(Body&& body) noexcept {
  try {
    body();
    return PREGRAD_OK;
  } catch (const Error& error) {
    return fail(error.kind(), error.what());
  } catch (const std::bad_alloc&) {
    return fail(ErrorKind::internal, out_of_memory);
  } catch (const std::exception& error) {
    return fail_foreign(error);
  } catch (...) {
    return fail(ErrorKind::internal, "a failure of unknown type; please report it");
  }
}

/// Marks the memory of a live handle of one type, so that most handles of another type or already freed are noticed.
template <std::uint64_t value>
class Tag {
 public:
  Tag() = default;
  Tag(const Tag&) = delete;
  Tag& operator=(const Tag&) = delete;
  ~Tag() { value_ = 0; }
  bool intact() const { return value_ == value; }

 private:
  // volatile: the compiler would drop the destructor's write to an object that ends.
  volatile std::uint64_t value_ = value;
};

/// Scores, and what C sees of them as arrays but C++ reckons when asked.
struct Snapshot {
  explicit Snapshot(Scores given);
  Scores scores;
  std::vector<std::vector<double>> cancellations;        ///< one per entry of the scores, as all below
  std::vector<std::vector<double>> standard_errors;      ///< of the mean
  std::vector<std::vector<double>> standard_errors_abs;  ///< of the mean_abs
};

}  // namespace pregrad::c_api

struct pregrad_model {
  static constexpr const char* name = "pregrad_model";
  pregrad::c_api::Tag<0x7072656772616401> tag;
  pregrad::Model value;
};

struct pregrad_layers {
  static constexpr const char* name = "pregrad_layers";
  pregrad::c_api::Tag<0x7072656772616402> tag;
  std::vector<pregrad::Layer> value;
};

struct pregrad_result {
  static constexpr const char* name = "pregrad_result";
  pregrad::c_api::Tag<0x7072656772616403> tag;
  at::Tensor value;
};

struct pregrad_attribution {
  static constexpr const char* name = "pregrad_attribution";
  pregrad::c_api::Tag<0x7072656772616404> tag;
  pregrad::Attribution value;
};

struct pregrad_scores {
  static constexpr const char* name = "pregrad_scores";
  pregrad::c_api::Tag<0x7072656772616405> tag;
  pregrad::c_api::Snapshot value;
};

struct pregrad_state {
  static constexpr const char* name = "pregrad_state";
  pregrad::c_api::Tag<0x7072656772616406> tag;
  std::string value;
};

struct pregrad_orders {
  static constexpr const char* name = "pregrad_orders";
  pregrad::c_api::Tag<0x7072656772616407> tag;
  std::vector<pregrad::RemovalOrder> value;
};

struct pregrad_ablation {
  static constexpr const char* name = "pregrad_ablation";
  pregrad::c_api::Tag<0x7072656772616408> tag;
  pregrad::Ablation value;
};

struct pregrad_curves {
  static constexpr const char* name = "pregrad_curves";
  pregrad::c_api::Tag<0x7072656772616409> tag;
  std::vector<pregrad::RemovalCurve> value;
};

struct pregrad_check {
  static constexpr const char* name = "pregrad_check";
  pregrad::c_api::Tag<0x707265677261640a> tag;
  pregrad::Check value;
};

struct pregrad_layer_checks {
  static constexpr const char* name = "pregrad_layer_checks";
  pregrad::c_api::Tag<0x707265677261640b> tag;
  std::vector<pregrad::LayerCheck> value;
};

struct pregrad_probe {
  static constexpr const char* name = "pregrad_probe";
  pregrad::c_api::Tag<0x707265677261640c> tag;
  pregrad::Probe value;
};

struct pregrad_differences {
  static constexpr const char* name = "pregrad_differences";
  pregrad::c_api::Tag<0x7072656772616412> tag;
  std::vector<pregrad::Difference> value;
};

struct pregrad_model_inputs {
  static constexpr const char* name = "pregrad_model_inputs";
  pregrad::c_api::Tag<0x707265677261640d> tag;
  std::vector<pregrad::ModelInput> value;
};

struct pregrad_outputs {
  static constexpr const char* name = "pregrad_outputs";
  pregrad::c_api::Tag<0x707265677261640e> tag;
  std::vector<pregrad::NamedTensor> value;
};

struct pregrad_explanations {
  static constexpr const char* name = "pregrad_explanations";
  pregrad::c_api::Tag<0x707265677261640f> tag;
  std::vector<pregrad::Explanation> value;
};

struct pregrad_examples {
  static constexpr const char* name = "pregrad_examples";
  pregrad::c_api::Tag<0x7072656772616410> tag;
  std::vector<pregrad::Example> value;
};

namespace pregrad::c_api {

/// What a handle holds.
template <class Handle>
auto& open(Handle* handle) {
  required(handle, Handle::name);
  if (!handle->tag.intact()) {
    throw StateError(std::string("the handle is no live ") + Handle::name + "; do not use a handle after it was freed");
  }
  return handle->value;
}

/// Makes a handle from what `make` returns. The out parameter is looked at first, so that no work is done in vain.
template <class Handle, class Make>
void hand_out(Handle** out, Make&& make) {
  Handle*& target = required(out, "the out parameter");
  target = new Handle{{}, std::forward<Make>(make)()};
}

template <class Handle>
void release(Handle* handle) noexcept {
  if (handle == nullptr || !handle->tag.intact()) {
    return;
  }
  delete handle;
}

}  // namespace pregrad::c_api
