#pragma once

#include <cstdint>
#include <optional>

#include <ATen/core/Tensor.h>

namespace pregrad::attribution {

/// Labels or clusters as contiguous int64 [samples] on the CPU; an undefined tensor stays undefined.
/// @param what the word for messages: `labels` or `clusters`
/// @throws InputError if they are not integers, or not one per sample
at::Tensor checked_integers(const at::Tensor& values, const char* what, std::int64_t samples);

/// Clusters as checked_integers gives them; undefined ones are all 0.
at::Tensor checked_clusters(const at::Tensor& clusters, std::int64_t samples);

/// @throws InputError if `inputs` is empty, of another floating type than the weights, or not finite
void check_inputs(const at::Tensor& inputs, std::optional<at::ScalarType> weight_type);

}  // namespace pregrad::attribution
