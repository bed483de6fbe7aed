#pragma once

#include <cstdint>
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

/// How many operators run, however often each.
int total(const OperatorCounts& counts);

/// The multiply-adds of the convolutions and matrix products that `body` runs on this thread.
std::int64_t multiply_adds_of(const std::function<void()>& body);

}  // namespace pregrad::test
