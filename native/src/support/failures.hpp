#pragma once

#include <exception>
#include <string>
#include <string_view>

#include <c10/core/Device.h>

namespace pregrad::support {

/// A message, which may quote anything, as it may stand in a line of a terminal or a log: control characters, format
/// characters such as those that turn the direction of writing, separators of lines and bytes that are no UTF-8 become
/// `\xHH`, `\uHHHH` or `\UHHHHHHHH`. Words and messages that are very long lose their middle. Printable text stays as
/// it is.
std::string printable(std::string_view message);

/// The sentence of a LibTorch error that says what is wrong, printable: no C++ stack, no TorchScript traceback, no
/// folders of those who built LibTorch, no request to report a bug to them. A failed assertion of LibTorch's keeps its
/// condition and place, for those who get it reported.
std::string first_sentence(const std::string& message);
std::string first_sentence(const std::exception& error);

/// What an exception says, without the C++ stack that LibTorch's own carry.
std::string message_of(const std::exception& error);

/// Why a run of a model failed, as far as LibTorch tells.
enum class RunFailure {
  operators,        ///< an operator does not take what it gets
  raised,           ///< the model's own code raised an exception, or an assertion of it failed
  not_implemented,  ///< an operator has no implementation for the device or the type
  not_recorded,     ///< autograd cannot record what the model does
  divided,          ///< integers were divided that have no quotient; the message says all
};
/// What messages of such divisions begin with.
inline constexpr std::string_view division_words = "the model divides ";
RunFailure run_failure(const std::exception& error);

/// What a failure of LibTorch says of the device that it happened on.
enum class DeviceFailure {
  none,           ///< it has nothing to do with the device
  out_of_memory,  ///< less work at once may fit
  failed,         ///< this call failed; the device can still be used
  lost,           ///< a sticky error: every later call of this process on that device fails too
};

/// By type where LibTorch keeps it; the TorchScript interpreter hands on nothing but the text.
DeviceFailure device_failure(const std::exception& error);
inline bool is_out_of_memory(const std::exception& error) {
  return device_failure(error) == DeviceFailure::out_of_memory;
}
DeviceFailure device_failure(const std::string& message);

/// @throws DeviceError if the device was lost in this process; asks nothing of the device itself
void require_not_lost(c10::Device device);

/// Where the error is a failure of the device, the DeviceError that says so is thrown; a lost device is remembered.
/// Otherwise nothing happens. The processor is never lost: what a model does elsewhere is none of its failures.
void throw_if_device_failure(c10::Device device, const std::exception& error);

/// The device by its number, which `cuda` alone does not tell.
/// @throws ArgumentError if PreGrad knows no such kind of device, DeviceError if it is not there, has no driver, or was
/// lost
c10::Device usable_device(c10::Device device);

/// Calls `body`, which uses the device; failures of the device become a DeviceError.
template <typename Body>
auto on_device(c10::Device device, const Body& body) {
  require_not_lost(device);
  try {
    return body();
  } catch (const std::exception& error) {
    throw_if_device_failure(device, error);
    throw;
  }
}

/// LibTorch's words for a failure of a device, in one line, without its advice for people who use Python.
std::string device_words(const std::exception& error);

/// One line for a failure that reached a border where nobody knows which device it was.
std::string device_error_text(const std::exception& error);

}  // namespace pregrad::support
