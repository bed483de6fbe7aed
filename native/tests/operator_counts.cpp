#include "operator_counts.hpp"

#include <memory>

namespace pregrad::test {

namespace {

/// Where the callback below counts; it takes no argument of its own.
OperatorCounts* counts = nullptr;

std::unique_ptr<at::ObserverContext> count(const at::RecordFunction& function) {
  ++(*counts)[function.name()];
  return nullptr;
}

}  // namespace

OperatorCounts operator_counts(at::RecordScope scope, const std::function<void()>& body) {
  OperatorCounts seen;
  counts = &seen;
  const at::CallbackHandle handle =
      at::addThreadLocalCallback(at::RecordFunctionCallback(&count).needsInputs(false).scopes({scope}));
  body();
  at::removeCallback(handle);
  return seen;
}

}  // namespace pregrad::test
