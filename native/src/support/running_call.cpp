#include "support/running_call.hpp"

#include <algorithm>
#include <string>

#include "pregrad/error.hpp"

namespace pregrad::support {

namespace {

constinit thread_local InterruptQuestion question_of_thread;

}  // namespace

InterruptibleThread::InterruptibleThread(InterruptQuestion question) noexcept : before_(question_of_thread) {
  question_of_thread = question;
}

InterruptibleThread::~InterruptibleThread() { question_of_thread = before_; }

RunningCall::RunningCall(const CallLimits& limits)
    : limits_(limits),
      outer_(current_),
      cancellations_(limits.cancellations()),
      question_(question_of_thread),
      thread_(std::this_thread::get_id()) {
  if (outer_ != nullptr) {
    return;
  }
  current_ = this;
  const bool has_limit = limits.time_limit().count() > 0;
  if (has_limit || question_.is_interrupted != nullptr) {
    const Clock::time_point now = Clock::now();
    // A limit of centuries is none.
    if (has_limit && limits.time_limit() < std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - now)) {
      deadline_ = now + limits.time_limit();
    }
    plan_next_look(now);
  }
}

RunningCall::~RunningCall() {
  if (outer_ == nullptr) {
    current_ = nullptr;
  }
}

void RunningCall::ask_thread() {
  if (question_.is_interrupted != nullptr && question_.is_interrupted(question_.data)) {
    is_interrupted_.store(true, std::memory_order_relaxed);
  }
}

void RunningCall::plan_next_look(Clock::time_point now) {
  next_look_ = question_.is_interrupted == nullptr ? deadline_ : std::min(deadline_, now + between_questions);
}

void RunningCall::look_closely() {
  if (end_ == End::none) {
    const Clock::time_point now = Clock::now();
    if (limits_.cancellations() != cancellations_) {
      end_ = End::cancelled;
    } else if (now >= deadline_) {
      end_ = End::timed_out;
    } else {
      if (std::this_thread::get_id() == thread_) {
        ask_thread();
      }
      if (!is_interrupted_.load(std::memory_order_relaxed)) {
        plan_next_look(now);
        return;
      }
      end_ = End::interrupted;
    }
  }
  fail();
}

void RunningCall::fail() const {
  switch (end_) {
    case End::timed_out:
      throw CancelledError(
          "the call took longer than the model's time limit of " + std::to_string(limits_.time_limit().count()) +
          " ms: load it with a longer one, give smaller batches, or look for a loop without end in it");
    case End::interrupted:
      throw CancelledError("the call was cancelled, because its thread was interrupted: call again for a result");
    default:
      throw CancelledError("the call was cancelled: call again for a result");
  }
}

}  // namespace pregrad::support
