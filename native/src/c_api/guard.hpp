#pragma once

#include <exception>
#include <new>

#include <pregrad/pregrad.h>
#include <pregrad/error.hpp>

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

}  // namespace pregrad::c_api
