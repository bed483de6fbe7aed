#pragma once

#include <cstdint>

#include <c10/util/FunctionRef.h>

namespace pregrad::support {

/// Calls `body(begin, end)` for parts of [0, count), each of at least `grain`, on LibTorch's own threads; in the
/// calling thread alone where there are no others, or it is one of them already. What a part throws is thrown here once
/// all are done.
///
/// at::parallel_for is that only in a library that is linked with OpenMP, and that need not be LibTorch's.
void parallel_for(std::int64_t count, std::int64_t grain, c10::function_ref<void(std::int64_t, std::int64_t)> body);

}  // namespace pregrad::support
