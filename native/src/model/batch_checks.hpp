#pragma once

#include <cstdint>
#include <optional>

#include <ATen/core/Tensor.h>

#include "pregrad/inputs.hpp"
#include "pregrad/options.hpp"

namespace pregrad::model {

/// Labels or clusters as contiguous int64 [samples] on the CPU; an undefined tensor stays undefined.
/// @param what the word for messages: `labels` or `clusters`
/// @throws InputError if they are not integers, or not one per sample
at::Tensor checked_integers(const at::Tensor& values, const char* what, std::int64_t samples);

/// Clusters as checked_integers gives them; undefined ones are all 0.
at::Tensor checked_clusters(const at::Tensor& clusters, std::int64_t samples);

/// Labels as int64 [samples] or, where each sample has several, [samples, K], on the CPU; undefined ones stay
/// undefined.
/// @throws InputError if their number does not fit, ArgumentError if the target has no use for several
at::Tensor checked_labels(const at::Tensor& labels, std::int64_t samples, const Target& target);

/// Clusters as checked_clusters gives them or, for K labels per sample, [samples, K].
at::Tensor checked_clusters(const at::Tensor& clusters, std::int64_t samples, std::int64_t labels_per_sample);

/// @throws InputError if `inputs` is empty, of another floating type than the weights, or not finite
void require_inputs(const Inputs& inputs, std::optional<at::ScalarType> weight_type);

}  // namespace pregrad::model
