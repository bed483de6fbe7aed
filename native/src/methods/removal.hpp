#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "graph/capture.hpp"
#include "pregrad/options.hpp"

namespace pregrad::methods {

/// The constants of a layer call for each sample, by its cluster: float64 [1, N, neurons], or [1, 1, neurons] where all
/// samples have the same.
/// @param what the word for messages, e.g. `mean activations`
/// @throws ArgumentError if there are none for a sample's cluster, or not one per neuron
at::Tensor constants_of(const std::vector<NeuronConstants>& constants, const std::string& layer, std::int64_t call,
                        const at::Tensor& clusters, std::int64_t neurons, const std::string& what);

/// Which tensor a removal changes.
graph::Stage stage_of(Removal removal);

/// `value` [copies · N, ...] with the neurons of each copy's mask set to their constants.
/// @param masks     bool [copies, neurons] or, for each sample, [copies, 1 or N, neurons], true where a neuron is
/// removed
/// @param constants float64 [copies or 1, N or 1, neurons]; undefined for zeros
/// @param positions bool [copies · N, positions...], where neurons are removed if they have these positions; undefined
/// for everywhere
at::Tensor removed(const at::Tensor& value, std::int64_t neuron_axis, const at::Tensor& masks,
                   const at::Tensor& constants, const at::Tensor& positions = {});

}  // namespace pregrad::methods
