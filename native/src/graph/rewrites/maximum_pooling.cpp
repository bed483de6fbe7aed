#include "graph/rewrites/rewrites.hpp"

#include <utility>
#include <vector>

#include <ATen/Functions.h>
#include <ATen/core/grad_mode.h>
#include <ATen/core/jit_type.h>
#include <c10/core/InferenceMode.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/csrc/jit/runtime/operator.h>

#include "support/threads.hpp"

namespace pregrad::rewrites {

namespace {

using torch::jit::Block;
using torch::jit::Node;
using torch::jit::Stack;

/// Below these a change of layout costs more than it gains.
constexpr std::int64_t fewest_channels = 16;
constexpr std::int64_t fewest_values = 1 << 18;

bool gains_from_channels_last(const at::Tensor& images) {
  constexpr std::int64_t rank = 4;
  return images.is_cpu() && images.dim() == rank && images.size(1) >= fewest_channels &&
         images.numel() >= fewest_values && images.is_contiguous();
}

struct Pooling {
  std::vector<std::int64_t> window;
  std::vector<std::int64_t> stride;
  std::vector<std::int64_t> padding;
  std::vector<std::int64_t> dilation;
  bool rounds_up = false;
};

/// Copies image by image, as matrices of channels by positions: those LibTorch transposes in blocks, a whole batch
/// value by value.
at::Tensor in_layout(const at::Tensor& images, at::MemoryFormat layout) {
  // The threads below know nothing of the caller's autograd mode, unless they are told.
  const at::Tensor from = images.detach();
  const bool is_inference = c10::InferenceMode::is_enabled();
  at::Tensor copy = at::empty(from.sizes(), from.options().memory_format(layout));
  const bool is_last = layout == at::MemoryFormat::ChannelsLast;
  support::parallel_for(from.size(0), 1, [&](std::int64_t begin, std::int64_t end) {
    const c10::InferenceMode mode(is_inference);
    for (std::int64_t i = begin; i < end; ++i) {
      const at::Tensor source = from[i].view({from.size(1), -1});
      const at::Tensor target = copy[i].view({from.size(1), -1});
      is_last ? target.t().copy_(source.t()) : target.copy_(source);
    }
  });
  return copy;
}

at::Tensor channels_last(const at::Tensor& images) { return in_layout(images, at::MemoryFormat::ChannelsLast); }

at::Tensor channels_first(const at::Tensor& images) { return in_layout(images, at::MemoryFormat::Contiguous); }

/// Only the maxima are taken channels last: autograd would hand the gradient on in that layout, and what comes before
/// would be slower for it.
class PoolingWithGradient : public torch::autograd::Function<PoolingWithGradient> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& images,
                            const Pooling& pooling) {
    auto [maxima, indices] = at::max_pool2d_with_indices(channels_last(images), pooling.window, pooling.stride,
                                                         pooling.padding, pooling.dilation, pooling.rounds_up);
    context->save_for_backward({images, channels_first(indices)});
    for (const auto& [name, list] : {std::pair{"window", &pooling.window},
                                     {"stride", &pooling.stride},
                                     {"padding", &pooling.padding},
                                     {"dilation", &pooling.dilation}}) {
      context->saved_data[name] = *list;
    }
    context->saved_data["rounds_up"] = pooling.rounds_up;
    return channels_first(maxima);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const torch::autograd::variable_list saved = context->get_saved_variables();
    const auto list = [&](const char* name) { return context->saved_data[name].toIntVector(); };
    return {at::max_pool2d_with_indices_backward(gradients[0].contiguous(), saved[0], list("window"), list("stride"),
                                                 list("padding"), list("dilation"),
                                                 context->saved_data["rounds_up"].toBool(), saved[1]),
            at::Tensor()};
  }
};

at::Tensor maxima_of(const at::Tensor& images, const Pooling& pooling) {
  const auto maxima = [&](const at::Tensor& of) {
    return at::max_pool2d(of, pooling.window, pooling.stride, pooling.padding, pooling.dilation, pooling.rounds_up);
  };
  if (!gains_from_channels_last(images)) {
    return maxima(images);
  }
  const bool has_history = at::GradMode::is_enabled() && images.requires_grad();
  return has_history ? PoolingWithGradient::apply(images, pooling) : channels_first(maxima(channels_last(images)));
}

void pool(Stack& stack) {
  Pooling pooling;
  pooling.rounds_up = torch::jit::pop(stack).toBool();
  pooling.dilation = torch::jit::pop(stack).toIntVector();
  pooling.padding = torch::jit::pop(stack).toIntVector();
  pooling.stride = torch::jit::pop(stack).toIntVector();
  pooling.window = torch::jit::pop(stack).toIntVector();
  const at::Tensor images = torch::jit::pop(stack).toTensor();
  torch::jit::push(stack, maxima_of(images, pooling));
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

}  // namespace pregrad::rewrites
