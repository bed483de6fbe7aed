#include "saved_memory.hpp"

#include <atomic>
#include <memory>
#include <mutex>
#include <unordered_map>

#include <ATen/record_function.h>
#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>

namespace pregrad::benchmarks {

namespace {

std::atomic<std::int64_t> live{0};
std::atomic<std::int64_t> held{-1};

/// The CPU allocator of LibTorch, with its live bytes counted.
class CountingAllocator final : public c10::Allocator {
 public:
  explicit CountingAllocator(c10::Allocator* allocator) : allocator_(allocator) {}

  c10::DataPtr allocate(std::size_t size) override {
    c10::DataPtr data = allocator_->allocate(size);
    void* const pointer = data.get();
    if (pointer == nullptr || data.get_context() != pointer) {
      return data;
    }
    {
      const std::lock_guard<std::mutex> lock(mutex());
      sizes()[pointer] = {size, data.get_deleter()};
    }
    live += static_cast<std::int64_t>(size);
    data.release_context();
    return {pointer, pointer, &free, c10::Device(c10::kCPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &free; }
  void copy_data(void* target, const void* source, std::size_t size) const override {
    allocator_->copy_data(target, source, size);
  }

 private:
  struct Block {
    std::size_t size;
    c10::DeleterFnPtr deleter;
  };
  // Both outlive every tensor.
  static std::mutex& mutex() {
    static auto* const mutex = new std::mutex;
    return *mutex;
  }
  static std::unordered_map<void*, Block>& sizes() {
    static auto* const sizes = new std::unordered_map<void*, Block>;
    return *sizes;
  }
  static void free(void* pointer) {
    if (pointer == nullptr) {
      return;
    }
    Block block;
    {
      const std::lock_guard<std::mutex> lock(mutex());
      const auto found = sizes().find(pointer);
      block = found->second;
      sizes().erase(found);
    }
    live -= static_cast<std::int64_t>(block.size);
    block.deleter(pointer);
  }

  c10::Allocator* allocator_;
};

std::unique_ptr<at::ObserverContext> note_first(const at::RecordFunction& /*function*/) {
  std::int64_t none = -1;
  held.compare_exchange_strong(none, live);
  return nullptr;
}

}  // namespace

std::int64_t bytes_held_for_backward(const std::function<void()>& work) {
  c10::Allocator* const before = c10::GetCPUAllocator();
  // Tensors made meanwhile may be freed by it at any later time.
  c10::SetCPUAllocator(new CountingAllocator(before), 100);
  live = 0;
  held = -1;
  const at::CallbackHandle handle =
      at::addGlobalCallback(at::RecordFunctionCallback(&note_first).scopes({at::RecordScope::BACKWARD_FUNCTION}));
  work();
  at::removeCallback(handle);
  c10::SetCPUAllocator(before, 100);
  return held;
}

}  // namespace pregrad::benchmarks
