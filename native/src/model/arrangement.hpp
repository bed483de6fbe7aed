#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <ATen/core/Tensor.h>

namespace pregrad::model {

/// Where the samples of a batch lie in a tensor that a model makes of it, where that is not axis 0: on another axis
/// ([steps, samples, features]), or together with positions on one ([tokens, features]).
struct Arrangement {
  std::int64_t axis = 0;        ///< the samples', or the one that they share with positions
  bool is_interleaved = false;  ///< whether the rows of a sample are as far apart as there are samples
  bool is_whole = false;        ///< whether there is no such axis: all of it is the only sample's

  /// The tensor as [N, ...], on the same memory. Where samples and positions share an axis, positions become one of
  /// their own. Undefined where the shape does not fit.
  at::Tensor arranged(const at::Tensor& tensor, std::int64_t samples) const;
  /// The tensor of that shape which `arranged` makes such a one of.
  at::Tensor restored(const at::Tensor& tensor, at::IntArrayRef shape, std::int64_t samples) const;
  /// Where an axis of a tensor of that shape is in the arranged one.
  std::int64_t moved(std::int64_t of_axis, at::IntArrayRef shape, std::int64_t samples) const;
};

/// How a tensor is arranged, as far as it shows from which of its elements change with which sample.
/// @param changed     per sample: bool, true where the tensor changes with it
/// @param neuron_axis not the samples'; empty if it is not known
/// @returns empty if no arrangement fits: some element changes with two samples, say
std::optional<Arrangement> arrangement_of(const std::vector<at::Tensor>& changed,
                                          std::optional<std::int64_t> neuron_axis);

}  // namespace pregrad::model
