#pragma once

#include <cstdint>

#include <optional>
#include <type_traits>

#include <c10/core/Device.h>
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

/// How much stack there is for what recurses as deep as a model does; memory is taken only as far as it is used.
inline constexpr std::size_t deep_stack_bytes = std::size_t{1} << 30;

/// Calls `body` in a thread with a stack of deep_stack_bytes, in this thread's state of LibTorch and on its streams of
/// `device`; what it throws is thrown here. Where this is such a thread already, it just calls it.
/// LibTorch reads, rewrites, compiles and destroys models by functions that call themselves, and a thread of a JVM has
/// no more than 0.25 to 1 MB.
/// @throws InternalError if there is no such thread to be had
void run_on_deep_stack(c10::Device device, c10::function_ref<void()> body);

/// The same for a body that returns something.
template <typename Body>
auto on_deep_stack(c10::Device device, const Body& body) {
  using Result = std::invoke_result_t<const Body&>;
  if constexpr (std::is_void_v<Result>) {
    run_on_deep_stack(device, body);
  } else {
    std::optional<Result> result;
    run_on_deep_stack(device, [&] { result.emplace(body()); });
    return *std::move(result);
  }
}

/// Lets go of what may be a large graph: what holds a model's parts may hold them one in the other.
template <typename Type>
struct DeepDeleter {
  c10::Device device;
  void operator()(Type* object) const noexcept {
    try {
      run_on_deep_stack(device, [&] { delete object; });
    } catch (...) {
      delete object;  // there is no other thread
    }
  }
};

}  // namespace pregrad::support
