#pragma once

#include <exception>
#include <string>

namespace pregrad::graph {

/// The sentence of a LibTorch error that says what is wrong: no C++ stack, no TorchScript traceback, one line.
std::string first_sentence(const std::string& message);
std::string first_sentence(const std::exception& error);

/// What an exception says, without the C++ stack that LibTorch's own carry.
std::string message_of(const std::exception& error);

}  // namespace pregrad::graph
