#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>

#include "model/arrangement.hpp"
#include "model/batch.hpp"
#include "pregrad/model.hpp"
#include "pregrad/options.hpp"

namespace pregrad::model {

/// What a run put out, of the output that y is read from.
struct OutputRows {
  at::Tensor values;           ///< [N · positions, outputs]
  std::int64_t positions = 1;  ///< rows of a sample, one behind the other
  bool is_sigmoid = false;     ///< whether each output is a yes or no of its own
  bool is_masked = false;      ///< whether the mask has left some of their positions out
  bool is_binary = false;      ///< whether they are (−o, o) of the one output o that a model of two classes has

  std::int64_t outputs() const { return values.size(1); }
  bool is_cpu() const { return values.is_cpu(); }
};

/// The rows of an output [N, outputs] or [N] that is read as it is.
/// @throws UnsupportedModelError if it has another shape or is not floating point
OutputRows plain_rows(const at::Tensor& output, std::int64_t samples);

/// @throws InputError if an output is NaN or infinite
void require_finite_outputs(const OutputRows& outputs);

/// Where y is read in what a model returns, and which of the tensors beside its inputs have a part in a computation.
/// Safe from any number of threads.
class OutputReading {
 public:
  /// @param model must outlive this; null where there is none, and `rows` is not asked for
  /// @param corrupt AttributionOptions::corrupt; "" where no method asks for such inputs
  OutputReading(const Model::Implementation* model, Target target, Reading reading, std::string corrupt = "");

  const Target& target() const { return target_; }
  const std::string& output_name() const { return reading_.output_name; }
  const std::string& mask_name() const { return reading_.mask; }
  const std::string& corrupt_name() const { return corrupt_; }
  /// Whether y is one entry of an output [N, outputs], whatever the batch.
  bool is_plain() const;

  /// The rows of what a run on so many samples returned.
  /// @param mask bool [samples, positions...], or undefined
  /// @throws UnsupportedModelError if there is no such output, or not one per sample
  OutputRows rows(const c10::IValue& returned, std::int64_t samples, const at::Tensor& mask) const;
  /// The same of an output [N, ...] of no model.
  OutputRows rows_of(const at::Tensor& output, std::int64_t samples, const at::Tensor& mask) const {
    return rows_from({"", output}, std::nullopt, samples, mask);
  }

  /// What makes up y in the rows of a batch.
  /// @throws InputError if a label is outside the outputs, ArgumentError if an index is, or if the outputs have
  /// positions and nothing tells at which y is read
  Targets targets(const OutputRows& outputs, const Batch& batch) const;
  /// The first half of it where is_plain, which looks at the labels, on the host.
  /// @param count how many outputs the model has
  void require_targets(std::int64_t count, const at::Tensor& labels) const;
  /// The other half, which waits for no device where the labels are on that of the outputs.
  Targets checked_targets(const OutputRows& outputs, const at::Tensor& labels) const;

  /// What each row counts in y: float64 [N · positions], or undefined where there is one row per sample.
  at::Tensor row_weights(const OutputRows& outputs, const Batch& batch) const;

  /// Whether labels [N, ...] of several axes belong to the positions of the model's output.
  bool has_position_labels(const Inputs& inputs) const;
  /// The same of an output of so many axes.
  bool has_position_labels(std::int64_t rank) const { return reading_.at.kind() == At::Kind::unset && rank > 2; }

 private:
  /// @param chosen as forward returns it
  OutputRows rows_from(const NamedTensor& chosen, const std::optional<Arrangement>& arrangement, std::int64_t samples,
                       const at::Tensor& mask) const;
  /// The output's axis of classes once it is arranged; empty for the usual one.
  std::optional<std::int64_t> class_axis_of(const NamedTensor& chosen, const std::optional<Arrangement>& arrangement,
                                            std::int64_t samples) const;
  at::Tensor at_position(const at::Tensor& output, const at::Tensor& counted) const;

  const Model::Implementation* model_;
  Target target_;
  Reading reading_;
  std::string corrupt_;
  mutable std::atomic<int> has_positions_ = -1;  ///< of the output; −1 until it is known
};

/// y: what the targets make of what `output` makes of the outputs; float64 [N], without gradients.
at::Tensor selected_outputs(const OutputRows& outputs, const Targets& targets, Output output);

/// What `output` makes of the outputs.
at::Tensor transformed(const OutputRows& outputs, Output output);

}  // namespace pregrad::model
