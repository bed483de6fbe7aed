#pragma once

#include <cstdint>
#include <functional>

#include <ATen/core/Tensor.h>

#include "model/batch.hpp"
#include "model/output_reading.hpp"
#include "pregrad/inputs.hpp"
#include "pregrad/model.hpp"

namespace pregrad::model {

/// Labels or clusters as contiguous int64 [samples] on the CPU; an undefined tensor stays undefined.
/// @param what the word for messages: `labels` or `clusters`
/// @throws InputError if they are not integers, or not one per sample
at::Tensor checked_integers(const at::Tensor& values, const char* what, std::int64_t samples);

/// Clusters as checked_integers gives them; undefined ones are all 0.
at::Tensor checked_clusters(const at::Tensor& clusters, std::int64_t samples);

/// Clusters as checked_clusters gives them or, for K labels per sample, [samples, K].
at::Tensor checked_clusters(const at::Tensor& clusters, std::int64_t samples, std::int64_t labels_per_sample);

/// Puts labels and clusters into a batch.
/// @param has_positions whether the output has positions that labels of several axes belong to, if it is asked for
/// @param takes_several whether a sample may have several labels, and be explained for each of them
/// @throws InputError if they do not fit each other, ArgumentError if the target has no use for several labels
void add_labels(Batch& batch, Target::Kind target, const at::Tensor& labels, const at::Tensor& clusters,
                std::int64_t samples, bool takes_several, const std::function<bool()>& has_positions);

/// What a caller gives, as a batch of the model.
/// @param takes_several whether a sample may have several labels, and be explained for each of them
/// @throws InputError if inputs, labels, clusters or the mask do not fit the model or each other, ArgumentError if the
/// target has no use for several labels
Batch checked_batch(const Model::Implementation& model, const OutputReading& reading, const Inputs& inputs,
                    const at::Tensor& labels, const at::Tensor& clusters, bool takes_several);

}  // namespace pregrad::model
