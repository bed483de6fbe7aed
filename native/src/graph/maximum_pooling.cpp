#include "graph/maximum_pooling.hpp"

#include <utility>
#include <vector>

#include <ATen/Functions.h>
#include <ATen/core/grad_mode.h>
#include <ATen/core/jit_type.h>
#include <torch/csrc/jit/runtime/operator.h>

namespace pregrad::graph {

namespace {

using torch::jit::Block;
using torch::jit::Node;
using torch::jit::Stack;

/// Below these a change of layout costs more than it gains.
constexpr std::int64_t fewest_channels = 16;
constexpr std::int64_t fewest_values = 1 << 18;

bool gains_from_channels_last(const at::Tensor& images) {
  constexpr std::int64_t rank = 4;
  const bool has_history = at::GradMode::is_enabled() && images.requires_grad();
  return !has_history && images.is_cpu() && images.dim() == rank && images.size(1) >= fewest_channels &&
         images.numel() >= fewest_values && images.is_contiguous();
}

void pool(Stack& stack) {
  const bool rounds_up = torch::jit::pop(stack).toBool();
  const std::vector<std::int64_t> dilation = torch::jit::pop(stack).toIntVector();
  const std::vector<std::int64_t> padding = torch::jit::pop(stack).toIntVector();
  const std::vector<std::int64_t> stride = torch::jit::pop(stack).toIntVector();
  const std::vector<std::int64_t> window = torch::jit::pop(stack).toIntVector();
  const at::Tensor images = torch::jit::pop(stack).toTensor();
  const auto maxima = [&](const at::Tensor& of) {
    return at::max_pool2d(of, window, stride, padding, dilation, rounds_up);
  };
  torch::jit::push(stack, gains_from_channels_last(images)
                              ? maxima(images.contiguous(at::MemoryFormat::ChannelsLast)).contiguous()
                              : maxima(images));
}

/// The operator that takes the arguments of aten::max_pool2d; registered with LibTorch at the first call.
c10::Symbol pooling_operator() {
  static const c10::Symbol symbol = [] {
    const char* const name = "pregrad::max_pool2d";
    std::vector<c10::Argument> arguments = {c10::Argument("images", c10::TensorType::get())};
    for (const char* list : {"window", "stride", "padding", "dilation"}) {
      arguments.emplace_back(list, c10::ListType::ofInts());
    }
    arguments.emplace_back("rounds_up", c10::BoolType::get());
    torch::jit::registerOperator(
        torch::jit::Operator(name, "", std::move(arguments), {c10::Argument("", c10::TensorType::get())},
                             torch::jit::Operation(pool), c10::AliasAnalysisKind::PURE_FUNCTION));
    return c10::Symbol::fromQualString(name);
  }();
  return symbol;
}

void replace_in(Block* block) {
  for (auto it = block->nodes().begin(); it != block->nodes().end();) {
    Node* const node = *it;
    ++it;
    for (Block* inner : node->blocks()) {
      replace_in(inner);
    }
    if (node->kind() == c10::aten::max_pool2d) {
      Node* const faster = node->owningGraph()->create(pooling_operator(), node->inputs());
      faster->insertBefore(node);
      faster->copyMetadata(node);
      faster->output()->copyMetadata(node->output());
      node->output()->replaceAllUsesWith(faster->output());
      node->destroy();
    }
  }
}

}  // namespace

void speed_up_maximum_pooling(torch::jit::Graph& graph) { replace_in(graph.block()); }

}  // namespace pregrad::graph
