#pragma once

#include <exception>
#include <string>

namespace pregrad::support {

/// The sentence of a LibTorch error that says what is wrong: no C++ stack, no TorchScript traceback, one line.
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
};
RunFailure run_failure(const std::exception& error);

}  // namespace pregrad::support
