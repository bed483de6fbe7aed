#include "graph/libtorch_error.hpp"

#include <sstream>

namespace pregrad::graph {

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

std::string without_class_prefix(std::string line) {
  for (const char* prefix : {"RuntimeError: ", "IndexError: ", "ValueError: ", "NotImplementedError: "}) {
    if (line.rfind(prefix, 0) == 0) {
      return line.substr(std::string(prefix).size());
    }
  }
  return line;
}

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
  return last.empty() ? first : last;
}

std::string first_sentence(const c10::Error& error) {
  return first_sentence(std::string(error.what_without_backtrace()));
}

}  // namespace pregrad::graph
