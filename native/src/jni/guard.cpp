#include "jni/guard.hpp"

#include <stdlib.h>
#include <unistd.h>

namespace pregrad::jni {

namespace {

void leave(int status, void* /*unused*/) {
  if (RunningCall::any()) {
    _exit(status);
  }
}

}  // namespace

void leave_running_calls_at_exit() {
  // Unlike atexit it tells the status that the process is to end with.
  on_exit(leave, nullptr);
}

}  // namespace pregrad::jni
