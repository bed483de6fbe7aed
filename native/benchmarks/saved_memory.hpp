#pragma once

#include <cstdint>
#include <functional>

namespace pregrad::benchmarks {

/// Bytes that `work` allocated and still holds when its first backward starts: what autograd saved, and the output.
std::int64_t bytes_held_for_backward(const std::function<void()>& work);

}  // namespace pregrad::benchmarks
