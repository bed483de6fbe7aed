#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include <ATen/core/TensorBody.h>

#include <pregrad/export.hpp>
#include <pregrad/layer.hpp>
#include <pregrad/options.hpp>
#include <pregrad/scores.hpp>

namespace pregrad {

/// Scores for a model that is not a file: a `torch::nn` module, or any function of tensors.
///
/// In the forward, pass each pre-activation through `z = probe.tap("fc1", z)` and go on with what it returns; after the
/// forward, `probe.add(logits, labels, clusters)` runs one backward and accumulates. A program that runs its own
/// backward, such as a training loop, calls `probe.collect(clusters, scale)` after it instead. Taps and add or collect
/// of one forward belong to the thread that runs it, so any number of threads may share a probe.
class PREGRAD_API Probe {
 public:
  /// `options.layers` empty takes every tapped layer.
  explicit Probe(const AttributionOptions& options);

  /// @param z            [N, ...], the pre-activation
  /// @param neuron_axis  axis of z that counts neurons; by default 1 for rank 2, 4 and 5, the last for rank 3
  /// @returns the tensor to use instead of z: equal to it, and safe to be changed in place; often z itself
  /// @throws InputError if z has no batch axis or is not floating point, StateError if gradients are switched off
  at::Tensor tap(std::string_view layer, const at::Tensor& z, std::optional<std::int64_t> neuron_axis = {});

  /// Names the activation that belongs to the last `tap` of that layer, for methods that need a.
  /// @returns the tensor to use instead of a
  at::Tensor activation(std::string_view layer, const at::Tensor& a);

  /// Ends the forward of this thread: one backward from `logits` [N, outputs], statistics of every tapped layer.
  /// @throws InputError, StateError if nothing was tapped, ArgumentError if a method needs an activation not named
  void add(const at::Tensor& logits, const at::Tensor& labels = {}, const at::Tensor& clusters = {});

  /// Ends the forward of this thread after the program's own backward, which left ∂loss/∂z at the taps (LibTorch's
  /// `retain_grad`, before any change in place): adds that to the scores, in the place of ∂y/∂z, and runs no backward.
  /// `zero_grad` and the optimizer's step change nothing of it; options.target and options.output have no part in it.
  ///
  /// A batch whose samples interact, as by batch statistics, is allowed: the row of a sample is then what its z does to
  /// the loss of all. Where gradients are accumulated, collect after each backward or once after the last: a tap after
  /// a backward begins another forward, and `clusters` are those of all forwards, one after the other. Every backward
  /// since the forward counts, those of `torch::autograd::grad` too.
  /// @param clusters [N]; all 0 if undefined
  /// @param scale    what the gradients are multiplied with: N undoes a loss that is the mean of N samples, 1/S a loss
  ///                 scaler's S
  /// @throws StateError if nothing was tapped or no backward ran, LayerError if the loss does not depend on a layer,
  /// InputError if a gradient is NaN or infinite or the clusters do not fit, ArgumentError as add or if the scale is 0
  /// or not finite. Nothing is added then; what was tapped is forgotten, but for a wrong scale.
  void collect(const at::Tensor& clusters = {}, double scale = 1);

  /// Forgets what this thread tapped since its last `add` or `collect`, e.g. after a forward that threw, or one without
  /// a backward.
  void discard();

  /// The layers tapped in the forward of this thread since its last `add` or `collect`, in order.
  std::vector<Layer> layers() const;
  Scores scores() const;

 private:
  class Implementation;
  std::shared_ptr<Implementation> implementation_;
};

}  // namespace pregrad
