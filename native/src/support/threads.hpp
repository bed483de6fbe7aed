#pragma once

#include <cstdint>

#include <c10/util/FunctionRef.h>

namespace pregrad::support {

/// The OpenMP that LibTorch was built with, whatever its file is called; its functions are asked for by name. One that
/// PreGrad brought would have threads of its own, which get in the way of LibTorch's.
class LibTorchsOpenMp {
 public:
  /// Call nothing else unless it is there: another LibTorch may do without.
  bool is_there() const {
    return parallel_ != nullptr && threads_ != nullptr && thread_ != nullptr && inside_ != nullptr;
  }

  /// Calls `function` in so many threads at once, this one among them; 0 for as many as this thread is set to use.
  void parallel(void (*function)(void*), void* data, unsigned threads = 0) const {
    parallel_(function, data, threads, 0);
  }
  /// How many threads call the function that this is called in.
  std::int64_t threads() const { return threads_(); }
  /// Which of them this is, from 0.
  std::int64_t thread() const { return thread_(); }
  /// Whether this is called in such a function.
  bool is_inside() const { return inside_() != 0; }

 private:
  friend const LibTorchsOpenMp& open_mp();
  LibTorchsOpenMp();

  void (*parallel_)(void (*)(void*), void*, unsigned, unsigned) = nullptr;
  int (*threads_)() = nullptr;
  int (*thread_)() = nullptr;
  int (*inside_)() = nullptr;
};

const LibTorchsOpenMp& open_mp();

/// Calls `body(begin, end)` for parts of [0, count), each of at least `grain`, on LibTorch's own threads; in the
/// calling thread alone where there are no others, or it is one of them already. What a part throws is thrown here once
/// all are done.
///
/// at::parallel_for is that only in a library that is linked with OpenMP, and that need not be LibTorch's.
void parallel_for(std::int64_t count, std::int64_t grain, c10::function_ref<void(std::int64_t, std::int64_t)> body);

}  // namespace pregrad::support
