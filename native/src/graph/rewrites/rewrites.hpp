#pragma once

#include <memory>
#include <optional>
#include <unordered_set>

#include <torch/csrc/jit/ir/ir.h>

namespace pregrad::rewrites {

/// A model's graph in which batch normalisations are part of the convolutions before them.
struct FoldedGraph {
  std::shared_ptr<torch::jit::Graph> graph;
  /// Of the convolutions whose own output is no longer computed.
  std::unordered_set<const torch::jit::Scope*> without_output;
};

/// A copy of `graph` in which each convolution that only a batch normalisation reads gives the normalised values at
/// once, under the scope of the normalisation: W′ = W·γ/√(σ² + ε), b′ = (b − μ)·γ/√(σ² + ε) + β, worked out in float64.
/// Empty where there is nothing to fold. Weights of less than float32 are left alone, because the product would be
/// rounded to their few digits.
///
/// LibTorch's FoldFrozenConvBatchnorm is not used: the values it folds away are those of the normalisation's scope, by
/// which layers are tapped; it leaves alone what scripted models have, a convolution whose shape is read too; and it
/// works in the weights' own type.
std::optional<FoldedGraph> fold_batch_norms(torch::jit::Graph& graph);

/// Lets a graph take the maxima of large batches of images channels last. On CPUs LibTorch computes them several times
/// faster so, even with both changes of layout; maxima and gradients are the same bits.
void speed_up_maximum_pooling(torch::jit::Graph& graph);

}  // namespace pregrad::rewrites
