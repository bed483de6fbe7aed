#pragma once

#include <string>

#include <c10/util/Exception.h>

namespace pregrad::graph {

/// The sentence of a LibTorch error that says what is wrong: no C++ stack, no TorchScript traceback, one line.
std::string first_sentence(const std::string& message);
std::string first_sentence(const c10::Error& error);

}  // namespace pregrad::graph
