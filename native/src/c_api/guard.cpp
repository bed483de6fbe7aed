#include "c_api/guard.hpp"

#include <string>

#include "support/failures.hpp"

namespace pregrad::c_api {
namespace {

static_assert(static_cast<int>(ErrorKind::internal) == PREGRAD_ERROR_INTERNAL);
static_assert(static_cast<int>(ErrorKind::argument) == PREGRAD_ERROR_ARGUMENT);
static_assert(static_cast<int>(ErrorKind::model) == PREGRAD_ERROR_MODEL);
static_assert(static_cast<int>(ErrorKind::unsupported) == PREGRAD_ERROR_UNSUPPORTED);
static_assert(static_cast<int>(ErrorKind::layer) == PREGRAD_ERROR_LAYER);
static_assert(static_cast<int>(ErrorKind::input) == PREGRAD_ERROR_INPUT);
static_assert(static_cast<int>(ErrorKind::state) == PREGRAD_ERROR_STATE);
static_assert(static_cast<int>(ErrorKind::device) == PREGRAD_ERROR_DEVICE);
static_assert(static_cast<int>(ErrorKind::cancelled) == PREGRAD_ERROR_CANCELLED);

std::string& stored_message() {
  thread_local std::string message;
  return message;
}

// Set when there was no memory to store a message.
thread_local bool message_lost = false;

}  // namespace

pregrad_status fail(ErrorKind kind, const char* message) noexcept {
  try {
    stored_message() = message;
    message_lost = false;
  } catch (...) {
    message_lost = true;
  }
  return static_cast<pregrad_status>(kind);
}

const char* last_error() noexcept { return message_lost ? out_of_memory : stored_message().c_str(); }

pregrad_status fail_foreign(const std::exception& error) noexcept {
  try {
    if (support::device_failure(error) != support::DeviceFailure::none) {
      return fail(ErrorKind::device, support::device_error_text(error).c_str());
    }
    const std::string sentence = support::first_sentence(error);
    return fail(ErrorKind::internal, sentence.empty() ? "LibTorch failed without a message" : sentence.c_str());
  } catch (...) {
    return fail(ErrorKind::internal, out_of_memory);
  }
}

}  // namespace pregrad::c_api
