#include "operator_counts.hpp"

#include <memory>
#include <numeric>
#include <string_view>

namespace pregrad::test {

namespace {

/// Where the callback below counts; it takes no argument of its own.
OperatorCounts* counts = nullptr;

std::unique_ptr<at::ObserverContext> count(const at::RecordFunction& function) {
  ++(*counts)[function.name()];
  return nullptr;
}

/// Likewise.
std::int64_t multiply_adds = 0;

/// How many products each number of an operator's output is the sum of.
struct SumLength : at::ObserverContext {
  explicit SumLength(std::int64_t count) : terms(count) {}
  std::int64_t terms;
};

std::unique_ptr<at::ObserverContext> sum_length(const at::RecordFunction& function) {
  const std::string_view name = function.name();
  if (name == "aten::convolution") {
    const at::Tensor& kernel = function.inputs()[1].toTensor();
    return std::make_unique<SumLength>(kernel.numel() / kernel.size(0));
  }
  if (name == "aten::addmm" || name == "aten::mm") {
    return std::make_unique<SumLength>(function.inputs()[name == "aten::addmm" ? 1 : 0].toTensor().size(1));
  }
  return nullptr;
}

void add_multiply_adds(const at::RecordFunction& function, at::ObserverContext* length) {
  if (length != nullptr) {
    multiply_adds += function.outputs()[0].toTensor().numel() * static_cast<SumLength*>(length)->terms;
  }
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

int total(const OperatorCounts& counts) {
  return std::accumulate(counts.begin(), counts.end(), 0, [](int sum, const auto& each) { return sum + each.second; });
}

std::int64_t multiply_adds_of(const std::function<void()>& body) {
  multiply_adds = 0;
  const at::CallbackHandle handle =
      at::addThreadLocalCallback(at::RecordFunctionCallback(&sum_length, &add_multiply_adds)
                                     .needsInputs(true)
                                     .needsOutputs(true)
                                     .scopes({at::RecordScope::FUNCTION}));
  body();
  at::removeCallback(handle);
  return multiply_adds;
}

}  // namespace pregrad::test
