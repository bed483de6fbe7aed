#pragma once

#include <stdexcept>
#include <string>

#include <pregrad/export.hpp>

namespace pregrad {

/// What went wrong, in the same words for C++, C (`pregrad_status`) and Java (exception classes).
enum class ErrorKind : int {
  internal = 1,     ///< a failure of PreGrad or LibTorch itself
  argument = 2,     ///< an option is wrong: a method, a target, the name of a device
  model = 3,        ///< the file cannot be read, or is no model
  unsupported = 4,  ///< the model is readable but cannot be attributed
  layer = 5,        ///< a layer name fits nothing, or more than one thing
  input = 6,        ///< inputs, labels or clusters do not fit the model or each other
  state = 7,        ///< an object is used after it was closed
  device = 8,       ///< a device is not there, has no driver or too little memory, or broke
  cancelled = 9,    ///< a call was cancelled, or took longer than the model's time limit
};

/// Base of all exceptions that PreGrad throws. `what()` is one line: what is wrong, with the value, and how to mend it.
/// It may quote a file, so control and format characters are in it as escapes such as `\x1b` or `\u202e`, and what is
/// very long is cut.
class PREGRAD_API Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message);
  ~Error() override;
  ErrorKind kind() const noexcept { return kind_; }

 private:
  ErrorKind kind_;
};

/// A failure of PreGrad or LibTorch that no change of the input is known to mend.
class PREGRAD_API InternalError : public Error {
 public:
  explicit InternalError(const std::string& message) : Error(ErrorKind::internal, message) {}
  ~InternalError() override;
};

/// An option is wrong: an unknown method, a target outside the outputs, a device of no known kind.
class PREGRAD_API ArgumentError : public Error {
 public:
  explicit ArgumentError(const std::string& message) : Error(ErrorKind::argument, message) {}
  ~ArgumentError() override;
};

/// The file cannot be read, or holds no model.
class PREGRAD_API ModelError : public Error {
 public:
  explicit ModelError(const std::string& message) : Error(ErrorKind::model, message) {}
  ~ModelError() override;
};

/// The model can be read but not attributed: two inputs, samples that interact, a state that it changes.
class PREGRAD_API UnsupportedModelError : public Error {
 public:
  explicit UnsupportedModelError(const std::string& message) : Error(ErrorKind::unsupported, message) {}
  ~UnsupportedModelError() override;
};

/// A layer name fits nothing or more than one thing; the message lists the candidates.
class PREGRAD_API LayerError : public Error {
 public:
  explicit LayerError(const std::string& message) : Error(ErrorKind::layer, message) {}
  ~LayerError() override;
};

/// Inputs, labels or clusters do not fit the model or each other.
class PREGRAD_API InputError : public Error {
 public:
  explicit InputError(const std::string& message) : Error(ErrorKind::input, message) {}
  ~InputError() override;
};

/// An object is used after it was closed or in the wrong order.
class PREGRAD_API StateError : public Error {
 public:
  explicit StateError(const std::string& message) : Error(ErrorKind::state, message) {}
  ~StateError() override;
};

/// A device is not there, has no driver, has too little memory even for one sample, or broke. After a sticky CUDA
/// error the device is not used any more in this process: whatever would use it throws this at once.
class PREGRAD_API DeviceError : public Error {
 public:
  explicit DeviceError(const std::string& message) : Error(ErrorKind::device, message) {}
  ~DeviceError() override;
};

/// A call was cancelled, or took longer than the time limit of its model. What it had not finished counts nowhere; the
/// model and all that was computed before serve on.
class PREGRAD_API CancelledError : public Error {
 public:
  explicit CancelledError(const std::string& message) : Error(ErrorKind::cancelled, message) {}
  ~CancelledError() override;
};

}  // namespace pregrad
