#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

namespace pregrad::support {

/// What ends the calls of one model: their time limit, and whoever cancels them.
class CallLimits {
 public:
  /// @param time_limit of each call; 0 for none
  explicit CallLimits(std::chrono::milliseconds time_limit = std::chrono::milliseconds(0)) : time_limit_(time_limit) {}

  /// Ends the calls that run now, in whatever thread.
  void cancel() { cancellations_.fetch_add(1, std::memory_order_relaxed); }

  std::chrono::milliseconds time_limit() const { return time_limit_; }
  std::uint64_t cancellations() const { return cancellations_.load(std::memory_order_relaxed); }

 private:
  std::chrono::milliseconds time_limit_;
  std::atomic<std::uint64_t> cancellations_ = 0;
};

/// Whether the caller's thread was asked to stop; asked in that thread alone.
struct InterruptQuestion {
  bool (*is_interrupted)(void*) = nullptr;
  void* data = nullptr;
};

/// Lets the calls of this thread ask, as long as it lives, now and then whether they were interrupted.
class InterruptibleThread {
 public:
  explicit InterruptibleThread(InterruptQuestion question) noexcept;
  ~InterruptibleThread();
  InterruptibleThread(const InterruptibleThread&) = delete;
  InterruptibleThread& operator=(const InterruptibleThread&) = delete;
  InterruptibleThread(InterruptibleThread&&) = delete;
  InterruptibleThread& operator=(InterruptibleThread&&) = delete;

 private:
  InterruptQuestion before_;
};

/// A call of a model, from its entry to its end. It ends early, by CancelledError, where `go_on` is asked after its
/// time is up, it was cancelled, or its thread was interrupted; a call that begins inside another one ends with it.
class RunningCall {
 public:
  explicit RunningCall(const CallLimits& limits);
  ~RunningCall();
  RunningCall(const RunningCall&) = delete;
  RunningCall& operator=(const RunningCall&) = delete;
  RunningCall(RunningCall&&) = delete;
  RunningCall& operator=(RunningCall&&) = delete;

  /// The outermost call of this thread; null where none runs.
  static RunningCall* current() { return current_; }
  /// @throws CancelledError if this thread's call is to end
  static void go_on() {
    if (current_ != nullptr) {
      current_->look();
    }
  }
  /// The same where something failed that may have failed because the call was to end: LibTorch's interpreter keeps of
  /// an exception nothing but its text.
  static void rethrow_if_ended() {
    if (current_ != nullptr && current_->end_ != End::none) {
      current_->fail();
    }
  }

  /// Asks whether the caller's thread was interrupted; for that thread, while another works for its call.
  void ask_thread();
  /// How long that thread waits until it asks again.
  static constexpr std::chrono::milliseconds between_questions{10};

  /// Makes a call that runs elsewhere the call of this thread, as long as it lives.
  class InThisThread {
   public:
    explicit InThisThread(RunningCall* call) : before_(current_) { current_ = call; }
    ~InThisThread() { current_ = before_; }
    InThisThread(const InThisThread&) = delete;
    InThisThread& operator=(const InThisThread&) = delete;
    InThisThread(InThisThread&&) = delete;
    InThisThread& operator=(InThisThread&&) = delete;

   private:
    RunningCall* before_;
  };

 private:
  using Clock = std::chrono::steady_clock;
  enum class End { none, cancelled, timed_out, interrupted };

  void look() {
    if (end_ == End::none && limits_.cancellations() == cancellations_ &&
        !is_interrupted_.load(std::memory_order_relaxed) &&
        (next_look_ == Clock::time_point::max() || Clock::now() < next_look_)) {
      return;
    }
    look_closely();
  }
  void look_closely();
  void plan_next_look(Clock::time_point now);
  [[noreturn]] void fail() const;

  // constinit lets other files read it without asking whether it was initialised.
  static inline constinit thread_local RunningCall* current_ = nullptr;

  const CallLimits& limits_;
  RunningCall* outer_;
  std::uint64_t cancellations_;  ///< before it began
  InterruptQuestion question_;
  std::thread::id thread_;
  Clock::time_point next_look_ = Clock::time_point::max();  ///< at the clock; the last one for never
  Clock::time_point deadline_ = Clock::time_point::max();
  End end_ = End::none;
  std::atomic<bool> is_interrupted_ = false;
};

}  // namespace pregrad::support
