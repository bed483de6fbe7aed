#include "graph/tap_operators.hpp"

#include <algorithm>

#include <ATen/core/jit_type.h>
#include <torch/csrc/jit/runtime/operator.h>

#include "graph/capture.hpp"

namespace pregrad::graph {

namespace {

using torch::jit::Stack;

CaptureRecord& record_of(const c10::IValue& value) {
  // The interpreter's stack keeps the record alive; the graph passes nothing else here.
  return static_cast<CaptureRecord&>(*value.toCapsule());
}

at::Tensor capture_for(CaptureRecord& record, const at::Tensor& tensor, Stage stage, CaptureNeeds needs,
                       LaterWrites writes, Captured& captured) {
  try {
    return capture(tensor, stage, needs, writes, captured);
  } catch (...) {
    record.error = std::current_exception();
    throw;
  }
}

at::Tensor edited(CaptureRecord& record, std::size_t site, bool edits, const at::Tensor& tensor,
                  std::int64_t occurrence, LaterWrites writes) {
  if (!edits || record.editor == nullptr) {
    return tensor;
  }
  try {
    const at::Tensor replacement = (*record.editor)(site, occurrence, tensor);
    return replacement.defined() ? replaced(tensor, replacement, writes) : tensor;
  } catch (...) {
    record.error = std::current_exception();
    throw;
  }
}

void take_z(Stack& stack) {
  const auto site = static_cast<std::size_t>(torch::jit::pop(stack).toInt());
  at::Tensor z = torch::jit::pop(stack).toTensor();
  const c10::IValue handle = torch::jit::pop(stack);
  CaptureRecord& record = record_of(handle);
  const CaptureRecord::Site& wanted = record.sites[site];
  z = edited(record, site, wanted.edits_z, z, record.z_taken[site]++, wanted.z_writes);
  Captured captured;
  z = capture_for(record, z, Stage::pre_activation, wanted.z, wanted.z_writes, captured);
  record.latest[site] = std::move(captured);
  torch::jit::push(stack, std::move(z));
}

void enter(Stack& stack) {
  const auto site = static_cast<std::size_t>(torch::jit::pop(stack).toInt());
  const c10::IValue handle = torch::jit::pop(stack);
  CaptureRecord& record = record_of(handle);
  Execution execution;
  execution.site = site;
  execution.call = record.calls[record.sites[site].name]++;
  execution.z_occurrence = record.z_taken[site] - 1;
  ++record.entered[site];
  execution.z = record.latest[site];
  record.executions.push_back(std::move(execution));
}

void take_a(Stack& stack) {
  const auto site = static_cast<std::size_t>(torch::jit::pop(stack).toInt());
  at::Tensor a = torch::jit::pop(stack).toTensor();
  const c10::IValue handle = torch::jit::pop(stack);
  CaptureRecord& record = record_of(handle);
  const CaptureRecord::Site& wanted = record.sites[site];
  const auto entered = std::find_if(record.executions.rbegin(), record.executions.rend(),
                                    [&](const Execution& execution) { return execution.site == site; });
  a = edited(record, site, wanted.edits_a, a, record.entered[site] - 1, wanted.a_writes);
  a = capture_for(record, a, Stage::activation, wanted.a, wanted.a_writes, entered->a);
  torch::jit::push(stack, std::move(a));
}

c10::Symbol register_operator(const char* name, bool takes_tensor, void (*operation)(Stack&)) {
  std::vector<c10::Argument> arguments = {c10::Argument("record", c10::CapsuleType::get())};
  std::vector<c10::Argument> returns;
  if (takes_tensor) {
    arguments.emplace_back("value", c10::TensorType::get());
    returns.emplace_back("", c10::TensorType::get());
  }
  arguments.emplace_back("site", c10::IntType::get());
  torch::jit::registerOperator(torch::jit::Operator(name, "", std::move(arguments), std::move(returns),
                                                    torch::jit::Operation(operation),
                                                    c10::AliasAnalysisKind::CONSERVATIVE));
  return c10::Symbol::fromQualString(name);
}

}  // namespace

const TapOperators& tap_operators() {
  static const TapOperators operators = {register_operator("pregrad::take_z", true, take_z),
                                         register_operator("pregrad::enter", false, enter),
                                         register_operator("pregrad::take_a", true, take_a)};
  return operators;
}

}  // namespace pregrad::graph
