#include "graph/rewrites/rewrites.hpp"

#include <algorithm>
#include <string_view>
#include <unordered_set>
#include <vector>

#include <ATen/Functions.h>
#include <torch/csrc/jit/ir/constants.h>

namespace pregrad::rewrites {

namespace {

using torch::jit::Block;
using torch::jit::Node;
using torch::jit::toIValue;
using torch::jit::Value;

constexpr std::size_t weight_input = 1;
constexpr std::size_t bias_input = 2;

/// What a normalisation does to channel c: x·scale[c] + shift[c], in float64.
struct ChannelMap {
  at::Tensor scale;
  at::Tensor shift;
};

/// A constant tensor of float32 or float64 on a device that can compute in float64; undefined otherwise.
at::Tensor constant_tensor(const Value* value) {
  const auto constant = toIValue(value);
  if (!constant || !constant->isTensor()) {
    return {};
  }
  const at::Tensor& tensor = constant->toTensor();
  const bool is_wide = tensor.scalar_type() == at::kFloat || tensor.scalar_type() == at::kDouble;
  return is_wide && (tensor.is_cpu() || tensor.is_cuda()) ? tensor : at::Tensor();
}

bool is_none(const Value* value) {
  const auto constant = toIValue(value);
  return constant && constant->isNone();
}

bool is_false(const Value* value) {
  const auto constant = toIValue(value);
  return constant && constant->isBool() && !constant->toBool();
}

bool is_plain_convolution(const Node* node) {
  static const std::unordered_set<std::string_view> plain = {"aten::conv1d", "aten::conv2d", "aten::conv3d"};
  static const std::unordered_set<std::string_view> general = {"aten::_convolution", "aten::convolution"};
  constexpr std::size_t transposed_input = 6;
  const std::string_view kind = node->kind().toQualString();
  return plain.count(kind) != 0 || (general.count(kind) != 0 && is_false(node->input(transposed_input)));
}

/// Empty unless `node` is a normalisation by constants with one result in use.
std::optional<ChannelMap> channel_map(const Node* node) {
  const std::string_view kind = node->kind().toQualString();
  const bool is_general = kind == "aten::batch_norm" && is_false(node->input(5));
  const bool is_evaluation = kind == "aten::_native_batch_norm_legit_no_training" && !node->outputs()[1]->hasUses() &&
                             !node->outputs()[2]->hasUses();
  if (!is_general && !is_evaluation) {
    return std::nullopt;
  }
  const at::Tensor mean = constant_tensor(node->input(3));
  const at::Tensor variance = constant_tensor(node->input(4));
  const auto epsilon = toIValue(node->input(is_general ? 7 : 6));
  if (!mean.defined() || !variance.defined() || !epsilon || !epsilon->isDouble()) {
    return std::nullopt;
  }
  ChannelMap map;
  map.scale = variance.to(at::kDouble).add(epsilon->toDouble()).rsqrt();
  if (!is_none(node->input(1))) {
    const at::Tensor factor = constant_tensor(node->input(1));
    if (!factor.defined()) {
      return std::nullopt;
    }
    map.scale = map.scale * factor;
  }
  map.shift = -map.scale * mean;
  if (!is_none(node->input(2))) {
    const at::Tensor offset = constant_tensor(node->input(2));
    if (!offset.defined()) {
      return std::nullopt;
    }
    map.shift = map.shift + offset;
  }
  return map;
}

/// Whether a use reads the shape alone, which the normalisation leaves as it is.
bool reads_shape(const torch::jit::Use& use) {
  return use.user->kind() == c10::aten::dim || use.user->kind() == c10::aten::size;
}

/// The convolution whose values nothing but `normalisation` reads; null where there is none.
Node* foldable_convolution(const Node* normalisation) {
  Value* const output = normalisation->input(0);
  Node* const node = output->node();
  if (!is_plain_convolution(node) || node->owningBlock() != normalisation->owningBlock()) {
    return nullptr;
  }
  const bool is_only_reader =
      std::all_of(output->uses().begin(), output->uses().end(),
                  [&](const torch::jit::Use& use) { return use.user == normalisation || reads_shape(use); });
  return is_only_reader ? node : nullptr;
}

Value* insert_constant(Node* before, const at::Tensor& tensor) {
  const torch::jit::WithInsertPoint guard(before);
  return before->owningGraph()->insertConstant(tensor);
}

class Folding {
 public:
  explicit Folding(FoldedGraph& folded) : folded_(folded) {}

  void visit(Block* block) {
    for (auto it = block->nodes().begin(); it != block->nodes().end();) {
      Node* const node = *it;
      ++it;
      for (Block* inner : node->blocks()) {
        visit(inner);
      }
      fold(node);
    }
  }

 private:
  void fold(Node* normalisation) {
    const std::optional<ChannelMap> map = channel_map(normalisation);
    Node* const convolution = map ? foldable_convolution(normalisation) : nullptr;
    if (convolution == nullptr) {
      return;
    }
    const at::Tensor weight = constant_tensor(convolution->input(weight_input));
    const bool has_bias = !is_none(convolution->input(bias_input));
    const at::Tensor bias = constant_tensor(convolution->input(bias_input));
    if (!weight.defined() || weight.size(0) != map->scale.numel() || (has_bias && !bias.defined())) {
      return;
    }
    std::vector<std::int64_t> per_channel(static_cast<std::size_t>(weight.dim()), 1);
    per_channel[0] = -1;
    const at::Tensor new_weight = (weight * map->scale.reshape(per_channel)).to(weight.scalar_type());
    const at::Tensor new_bias = (has_bias ? bias * map->scale + map->shift : map->shift).to(weight.scalar_type());

    // The node keeps its place, since the model may write into the convolution's input before it normalises.
    convolution->replaceInput(weight_input, insert_constant(convolution, new_weight));
    convolution->replaceInput(bias_input, insert_constant(convolution, new_bias));
    folded_.without_output.insert(convolution->scope().get());
    convolution->copyMetadata(normalisation);
    normalisation->output(0)->replaceAllUsesWith(convolution->output());
    normalisation->destroy();
  }

  FoldedGraph& folded_;
};

}  // namespace

std::optional<FoldedGraph> fold_batch_norms(torch::jit::Graph& graph) {
  FoldedGraph folded{graph.copy(), {}};
  Folding(folded).visit(folded.graph->block());
  if (folded.without_output.empty()) {
    return std::nullopt;
  }
  return folded;
}

}  // namespace pregrad::rewrites
