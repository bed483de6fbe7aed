#pragma once

#include <cstdint>
#include <exception>
#include <functional>

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include "pregrad/error.hpp"
#include "pregrad/inputs.hpp"
#include "pregrad/model.hpp"
#include "pregrad/options.hpp"
#include "support/failures.hpp"

namespace pregrad::model {

class OutputReading;

/// `body(copies)` on so many copies of a batch, or `body(1)` where the model takes no other batch than the one it is
/// given, because its code names the size, or where the device has no memory for more.
template <typename Body>
auto with_copies(std::int64_t copies, const Body& body) {
  if (copies > 1) {
    try {
      return body(copies);
    } catch (const InputError&) {
      // What is wrong with the inputs themselves shows below.
    } catch (const UnsupportedModelError&) {
      // The copies came out in another shape; what is wrong with the model itself shows below.
    } catch (const std::exception& error) {
      if (support::device_failure(error) != support::DeviceFailure::out_of_memory) {
        throw;
      }
    }
  }
  return body(1);
}

/// Which entries of a model's outputs make up y; see OutputRows.
struct Targets {
  at::Tensor indices;    ///< int64 [N]: y is one entry per sample; undefined where it is more
  at::Tensor selection;  ///< else float64 [N · positions, outputs]: y is the sum of its products with the entries

  /// Those of so many copies of the batch, one after the other.
  Targets copies(std::int64_t count) const;
};

/// A checked batch: what goes into the model and what its samples are.
struct Batch {
  Inputs inputs;
  Inputs corrupt;  ///< the same of the run that its own is held against; empty where no method has one
  /// int64 [N], or [N, K] for K labels per sample or for K positions; float64 [N, outputs] where they are weights; on
  /// the CPU; may be undefined
  at::Tensor labels;
  bool has_position_labels = false;  ///< whether there is a label per position of the output
  at::Tensor clusters;               ///< int64 [N], or [N, K] for K labels per sample; may be undefined
  at::Tensor mask;         ///< bool [N, positions...] on the model's device, which positions count; may be undefined
  Targets targets;         ///< which output is explained; undefined before a forward
  std::int64_t first = 0;  ///< where it begins in the batch that it is a part of
  /// Whether it is a second try, after the device had no memory for more: runs are not joined then.
  bool short_of_memory = false;

  std::int64_t samples() const { return inputs.samples(); }
  /// The mask of so many copies of it, one after the other.
  at::Tensor mask_of_copies(std::int64_t count) const;
  /// Samples [begin, begin + count) of it, on the same memory.
  Batch slice(std::int64_t begin, std::int64_t count) const;
  /// Those samples of a batch with targets, in that order.
  /// @param samples int64 [count] on the CPU
  Batch chosen(const at::Tensor& samples) const;
};

/// What labels have shown of a model with one output o, which stands for two classes (−o, o) as soon as a label is 1,
/// the second. Until then o itself is explained, and there is no accuracy. Of several batches the last of these holds.
enum class Classes : std::uint8_t { any, first_of_two, both_of_two };

/// That of a saved state.
template <typename Reader>
Classes read_classes(Reader& reader) {
  const auto classes = reader.template get<std::uint8_t>();
  if (classes > static_cast<std::uint8_t>(Classes::both_of_two)) {
    Reader::refuse();
  }
  return static_cast<Classes>(classes);
}

/// What the labels of a batch show where there is one output.
Classes classes_of_two(const Batch& batch);

/// A few of the samples, another number of them than there are: an axis that only happens to be as long as the batch
/// shows by them.
Inputs of_other_size(const Inputs& inputs);

/// Calls `body` on the whole batch or, where the device has no memory for a part, on its halves, in order; down to
/// single samples. A call that throws must leave nothing behind.
/// @returns how often a part was cut in two
/// @throws DeviceError if a single sample does not fit, and whatever else `body` throws
std::int64_t in_parts(c10::Device device, const Batch& batch, const std::function<void(const Batch&)>& body);

/// Calls `check`, which runs a few samples at once. A device without memory for two samples never runs two, so that
/// what a batch of several would show does not matter: then nothing is checked.
void if_two_fit(const Batch& part, const std::function<void()>& check);

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
