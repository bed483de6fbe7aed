#pragma once

#include <functional>
#include <map>
#include <string>

#include <ATen/record_function.h>

namespace pregrad::test {

/// How often each operator or backward function ran, by name.
using OperatorCounts = std::map<std::string, int>;

/// What `body` runs on this thread.
/// @param scope FUNCTION for operators, BACKWARD_FUNCTION for those of autograd
OperatorCounts operator_counts(at::RecordScope scope, const std::function<void()>& body);

}  // namespace pregrad::test
