#pragma once

#include <new>

#include <c10/util/Exception.h>

#include <pregrad/pregrad.h>
#include <pregrad/error.hpp>

namespace pregrad::c_api {

inline constexpr const char* out_of_memory = "out of memory; use smaller batches or a machine with more of it";

/// Keeps the message for this thread's pregrad_last_error() and gives back the status of its kind.
pregrad_status fail(ErrorKind kind, const char* message) noexcept;

/// This thread's last message.
const char* last_error() noexcept;

/// The same for an exception that is none of PreGrad's: its message is cut to the sentence that says what is wrong.
pregrad_status fail_internally(const char* message) noexcept;

/// The same for a device whose memory ran out.
pregrad_status fail_on_device(const char* message) noexcept;

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
  } catch (const c10::OutOfMemoryError& error) {
    return fail_on_device(error.what_without_backtrace());
  } catch (const c10::Error& error) {
    return fail_internally(error.what_without_backtrace());
  } catch (const std::exception& error) {
    return fail_internally(error.what());
  } catch (...) {
    return fail(ErrorKind::internal, "a failure of unknown type; please report it");
  }
}

}  // namespace pregrad::c_api
