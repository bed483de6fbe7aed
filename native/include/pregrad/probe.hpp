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
/// forward, `probe.add(logits, labels, clusters)` runs one backward and accumulates. Taps and add of one forward belong
/// to the thread that runs it, so any number of threads may share a probe.
class PREGRAD_API Probe {
 public:
  /// `options.layers` empty takes every tapped layer.
  explicit Probe(const AttributionOptions& options);

  /// @param z            [N, ...], the pre-activation
  /// @param neuron_axis  axis of z that counts neurons; by default 1 for rank 2, 4 and 5, the last for rank 3
  /// @returns the tensor to use instead of z: equal to it, and safe to be changed in place
  /// @throws InputError if z has no batch axis or is not floating point, StateError if gradients are switched off
  at::Tensor tap(std::string_view layer, const at::Tensor& z, std::optional<std::int64_t> neuron_axis = {});

  /// Names the activation that belongs to the last `tap` of that layer, for methods that need a.
  /// @returns the tensor to use instead of a
  at::Tensor activation(std::string_view layer, const at::Tensor& a);

  /// Ends the forward of this thread: one backward from `logits` [N, outputs], statistics of every tapped layer.
  /// @throws InputError, StateError if nothing was tapped, ArgumentError if a method needs an activation not named
  void add(const at::Tensor& logits, const at::Tensor& labels = {}, const at::Tensor& clusters = {});

  /// Forgets what this thread tapped since its last `add`, e.g. after a forward that threw.
  void discard();

  /// The layers tapped in the forward of this thread since its last `add`, in order.
  std::vector<Layer> layers() const;
  Scores scores() const;

 private:
  class Implementation;
  std::shared_ptr<Implementation> implementation_;
};

}  // namespace pregrad
