#include "support/libtorch_error.hpp"

#include <sstream>

#include <c10/util/Exception.h>
#include <torch/csrc/jit/runtime/jit_exception.h>

namespace pregrad::support {

namespace {

bool is_traceback(const std::string& line) {
  for (const char* mark :
       {"The following operation failed", "Traceback of TorchScript", "  File \"", "Exception raised from"}) {
    if (line.rfind(mark, 0) == 0) {
      return true;
    }
  }
  return line.find("<--- HERE") != std::string::npos || line.find("~~~") != std::string::npos;
}

/// The class name that Python puts before a message, e.g. `builtins.ValueError: `.
std::string without_class_prefix(const std::string& line) {
  const std::size_t colon = line.find(": ");
  const std::string name = line.substr(0, colon);
  const bool is_class = colon != std::string::npos && name.find(' ') == std::string::npos && name.size() > 5 &&
                        (name.ends_with("Error") || name.ends_with("Exception"));
  return is_class ? line.substr(colon + 2) : line;
}

/// Autograd's advice for people who debug training is none for who reads this message.
std::string without_hint(const std::string& line) { return line.substr(0, line.find(" Hint: ")); }

}  // namespace

std::string first_sentence(const std::string& message) {
  // A TorchScript error puts its source listing first and what went wrong last, after a class name.
  std::istringstream lines(message);
  std::string line;
  std::string first;
  std::string last;
  while (std::getline(lines, line)) {
    if (line.empty() || line.rfind("frame #", 0) == 0) {
      continue;
    }
    const bool indented = line.front() == ' ';
    const bool named = without_class_prefix(line) != line;
    if (named) {
      last = without_class_prefix(line);
    } else if (first.empty() && !indented && !is_traceback(line)) {
      first = line;
    }
  }
  return without_hint(last.empty() ? first : last);
}

std::string first_sentence(const std::exception& error) { return first_sentence(message_of(error)); }

RunFailure run_failure(const std::exception& error) {
  if (dynamic_cast<const torch::jit::JITException*>(&error) != nullptr) {
    return RunFailure::raised;
  }
  const std::string message = message_of(error);
  const auto has = [&](const char* part) { return message.find(part) != std::string::npos; };
  // The interpreter keeps the type of none but its own exceptions and this one.
  if (dynamic_cast<const c10::NotImplementedError*>(&error) != nullptr || has("not implemented for '")) {
    return RunFailure::not_implemented;
  }
  if (has("saved for backward") || has("modified inplace") || has("modified by an inplace operation") ||
      has("Variable that requires grad")) {
    return RunFailure::not_recorded;
  }
  return RunFailure::operators;
}

std::string message_of(const std::exception& error) {
  const auto* libtorch = dynamic_cast<const c10::Error*>(&error);
  return libtorch != nullptr ? libtorch->what_without_backtrace() : error.what();
}

}  // namespace pregrad::support
