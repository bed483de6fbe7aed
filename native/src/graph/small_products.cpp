#include "graph/small_products.hpp"

#include <algorithm>
#include <string_view>
#include <unordered_set>

#include <torch/csrc/jit/ir/constants.h>

#include "graph/activation_catalog.hpp"
#include "graph/graph_checks.hpp"
#include "graph/tap_insertion.hpp"

// MKL's own; 0 stands for what holds for all threads. Not there in a LibTorch without MKL.
// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" __attribute__((weak)) int MKL_Set_Num_Threads_Local(int threads);

namespace pregrad::graph {

namespace {

using torch::jit::Node;
using torch::jit::Value;

/// About 20 us of one processor. With the layers of an MLP, 64-128-64-10, two processors are slower than one up to
/// here.
constexpr std::int64_t most_multiply_adds = 1 << 19;

/// What rows go through one by one. Flattening joins rows at most.
bool keeps_rows(Node* node) {
  static const std::unordered_set<std::string_view> kinds = {
      "aten::add", "aten::add_",       "aten::sub",           "aten::mul",    "aten::mul_",
      "aten::div", "aten::batch_norm", "aten::layer_norm",    "aten::detach", "aten::flatten",
      "aten::to",  "aten::contiguous", "prim::Constant",      "prim::Return", "prim::ListConstruct",
      "aten::neg", "aten::clone",      "prim::TupleConstruct"};
  const TapOperators& taps = tap_operators();
  return kinds.count(node->kind().toQualString()) != 0 || node->kind() == taps.take_z || node->kind() == taps.enter ||
         node->kind() == taps.take_a || rewrites::is_inactive_dropout(node) || as_activation(node).has_value();
}

std::optional<at::Tensor> tensor_constant(const Value* value) {
  const auto constant = torch::jit::toIValue(value);
  return constant && constant->isTensor() ? std::optional(constant->toTensor()) : std::nullopt;
}

/// A constant that adding might repeat each row for.
bool has_rows(const Value* value) {
  const auto constant = tensor_constant(value);
  return constant && constant->dim() > 1;
}

}  // namespace

std::optional<std::int64_t> multiply_adds_per_row(torch::jit::Graph& graph) {
  std::int64_t most = 0;
  for (Node* node : graph.nodes()) {
    if (node->kind() == c10::Symbol::fromQualString("aten::linear")) {
      const auto weight = tensor_constant(node->input(1));
      if (!weight) {
        return std::nullopt;
      }
      most = std::max(most, weight->numel());
    } else if (!keeps_rows(node) || std::any_of(node->inputs().begin(), node->inputs().end(), has_rows)) {
      return std::nullopt;
    }
  }
  return most;
}

bool are_small_products(std::optional<std::int64_t> multiply_adds_per_row, const at::Tensor& inputs) {
  if (!multiply_adds_per_row || inputs.dim() < 2 || inputs.size(-1) == 0) {
    return false;
  }
  const std::int64_t rows = inputs.numel() / inputs.size(-1);
  return rows <= most_multiply_adds / std::max<std::int64_t>(1, *multiply_adds_per_row);
}

ProductsInThisThread::ProductsInThisThread(bool enabled) {
  if (enabled && MKL_Set_Num_Threads_Local != nullptr) {
    before_ = MKL_Set_Num_Threads_Local(1);
  }
}

ProductsInThisThread::~ProductsInThisThread() {
  if (before_) {
    MKL_Set_Num_Threads_Local(*before_);
  }
}

}  // namespace pregrad::graph
