#include "model/output_reading.hpp"

#include <string>
#include <utility>

#include <ATen/Functions.h>
#include <ATen/core/grad_mode.h>

#include "graph/neuron_axis.hpp"
#include "model/model_implementation.hpp"
#include "pregrad/error.hpp"
#include "support/tensors.hpp"

namespace pregrad::model {

namespace {

void require_floating(const at::Tensor& output) {
  if (!at::isFloatingType(output.scalar_type())) {
    throw UnsupportedModelError(std::string("the model's output has type ") + c10::toString(output.scalar_type()) +
                                ", which has no gradient: return logits");
  }
}

[[noreturn]] void refuse_shape(const at::Tensor& output, std::int64_t samples) {
  throw UnsupportedModelError("the model's output has shape " + support::shape_text(output.sizes()) + " for " +
                              std::to_string(samples) +
                              " samples: it must be [samples, outputs], or have positions between these; choose "
                              "another output, or wrap the model so that it is");
}

constexpr std::int64_t no_label = -100;

/// 0 and 1 for one output o are columns of (−o, o).
OutputRows as_two_classes(const at::Tensor& column, std::int64_t positions) {
  const c10::AutoGradMode with_history(true);
  return {at::cat({column.neg(), column}, 1), positions, true, false, true};
}

std::string positions_text(const OutputRows& outputs) {
  return std::to_string(outputs.positions) + " positions per sample";
}

void require_index(std::int64_t index, std::int64_t count) {
  if (index < 0 || index >= count) {
    throw ArgumentError("target " + std::to_string(index) + " is outside the model's outputs: choose 0 to " +
                        std::to_string(count - 1));
  }
}

}  // namespace

OutputRows plain_rows(const at::Tensor& output, std::int64_t samples) {
  require_floating(output);
  if (output.dim() == 0 || output.dim() > 2 || output.size(0) != samples || output.numel() == 0) {
    refuse_shape(output, samples);
  }
  const c10::AutoGradMode with_history(true);
  return {output.dim() == 1 ? output.unsqueeze(1) : output, 1, output.dim() == 1 || output.size(1) == 1};
}

void require_finite_outputs(const OutputRows& outputs) {
  if (const auto row = support::first_sample_not_finite(outputs.values)) {
    throw InputError("the model's output for sample " + std::to_string(*row / outputs.positions) +
                     " is NaN or infinite: remove or repair that sample, or the model");
  }
}

OutputReading::OutputReading(const Model::Implementation* model, Target target, Reading reading, std::string corrupt)
    : model_(model), target_(target), reading_(std::move(reading)), corrupt_(std::move(corrupt)) {}

bool OutputReading::is_plain() const {
  const bool is_entry = target_.kind() == Target::Kind::label || target_.kind() == Target::Kind::predicted ||
                        target_.kind() == Target::Kind::index;
  return is_entry && reading_.at.kind() == At::Kind::unset && reading_.mask.empty();
}

OutputRows OutputReading::rows(const c10::IValue& returned, std::int64_t samples, const at::Tensor& mask) const {
  return rows_from(model_->chosen(returned, reading_.output_name), model_->output_arrangement(reading_.output_name),
                   samples, mask);
}

std::optional<std::int64_t> OutputReading::class_axis_of(const NamedTensor& chosen,
                                                         const std::optional<Arrangement>& arrangement,
                                                         std::int64_t samples) const {
  const std::int64_t rank = chosen.tensor.dim();
  const std::int64_t batch_axis = arrangement && !arrangement->is_whole ? arrangement->axis : arrangement ? -1 : 0;
  std::optional<std::int64_t> axis = model_ == nullptr ? std::nullopt : model_->class_axis(chosen);
  if (reading_.class_axis) {
    axis = *reading_.class_axis < 0 ? *reading_.class_axis + rank : *reading_.class_axis;
    if (*axis < 0 || *axis >= rank || *axis == batch_axis) {
      throw ArgumentError("the class axis " + std::to_string(*reading_.class_axis) + " is none of an output " +
                          support::shape_text(chosen.tensor.sizes()) + " whose axis " + std::to_string(batch_axis) +
                          " is the samples': choose another");
    }
  }
  if (!axis || *axis == batch_axis) {
    return std::nullopt;
  }
  return arrangement ? arrangement->moved(*axis, chosen.tensor.sizes(), samples) : *axis;
}

OutputRows OutputReading::rows_from(const NamedTensor& given, const std::optional<Arrangement>& arrangement,
                                    std::int64_t samples, const at::Tensor& mask) const {
  const bool is_by_label = target_.kind() == Target::Kind::label;
  const c10::AutoGradMode with_history(true);
  at::Tensor chosen = given.tensor;
  if (arrangement) {
    chosen = arrangement->arranged(given.tensor, samples);
    if (!chosen.defined()) {
      refuse_shape(given.tensor, samples);
    }
  }
  if (chosen.dim() <= 2) {
    if (chosen.dim() == 2 && reading_.class_axis) {
      static_cast<void>(class_axis_of(given, arrangement, samples));
    }
    OutputRows rows = plain_rows(chosen, samples);
    if (rows.outputs() == 1 && is_by_label) {
      return as_two_classes(rows.values, 1);
    }
    rows.is_sigmoid = rows.is_sigmoid || reading_.multi_label;
    return rows;
  }
  require_floating(chosen);
  if (chosen.size(0) != samples || chosen.numel() == 0) {
    refuse_shape(chosen, samples);
  }
  const auto class_axis = class_axis_of(given, arrangement, samples);
  const at::Tensor by_class =
      chosen.movedim(class_axis ? *class_axis : graph::resolve_neuron_axis(std::nullopt, chosen.dim()), -1);
  const bool is_masked = mask.defined() && mask.sizes().slice(1) ==
                                               by_class.sizes().slice(1, static_cast<std::size_t>(by_class.dim() - 2));
  const at::Tensor counted = is_masked ? mask.reshape({samples, -1}) : at::Tensor();
  OutputRows rows;
  switch (reading_.at.kind()) {
    case At::Kind::first:
    case At::Kind::last:
    case At::Kind::index:
      rows.values = at_position(by_class.flatten(1, -2), counted);
      break;
    case At::Kind::unset:
    case At::Kind::each:
    case At::Kind::mean:
      rows.values = by_class.flatten(0, -2);
      rows.positions = rows.values.size(0) / samples;
      break;
  }
  if (rows.outputs() == 1 && is_by_label) {
    rows = as_two_classes(rows.values, rows.positions);
  } else {
    rows.is_sigmoid = reading_.multi_label || rows.outputs() == 1;
  }
  rows.is_masked = is_masked;
  return rows;
}

at::Tensor OutputReading::at_position(const at::Tensor& output, const at::Tensor& counted) const {
  const std::int64_t positions = output.size(1);
  if (reading_.at.kind() == At::Kind::index) {
    const std::int64_t index = reading_.at.index();
    if (index < -positions || index >= positions) {
      throw ArgumentError("y is to be read at position " + std::to_string(index) + " of an output with " +
                          std::to_string(positions) + ": choose 0 to " + std::to_string(positions - 1));
    }
    return output.select(1, index < 0 ? index + positions : index);
  }
  const bool is_first = reading_.at.kind() == At::Kind::first;
  if (!counted.defined()) {
    return output.select(1, is_first ? 0 : positions - 1);
  }
  const at::Tensor numbers = counted.to(at::kLong);
  const at::Tensor index = is_first ? numbers.argmax(1) : positions - 1 - numbers.flip(1).argmax(1);
  return output.gather(1, index.view({-1, 1, 1}).expand({-1, 1, output.size(2)})).squeeze(1);
}

bool OutputReading::has_position_labels(const Inputs& inputs) const {
  if (reading_.at.kind() != At::Kind::unset) {
    return false;
  }
  if (has_positions_.load(std::memory_order_relaxed) < 0) {
    const auto rank_for = [&](const Inputs& some) { return model_->forward(some, reading_.output_name).dim(); };
    std::int64_t rank = 0;
    try {
      rank = rank_for(inputs.slice(0, 1));
    } catch (const InputError&) {
      rank = rank_for(inputs);  // the model takes batches of one size only
    }
    has_positions_.store(has_position_labels(rank) ? 1 : 0, std::memory_order_relaxed);
  }
  return has_positions_.load(std::memory_order_relaxed) == 1;
}

void OutputReading::require_targets(std::int64_t count, const at::Tensor& labels) const {
  switch (target_.kind()) {
    case Target::Kind::predicted:
      return;
    case Target::Kind::index:
      require_index(target_.index(), count);
      return;
    case Target::Kind::difference:
      require_index(target_.index(), count);
      require_index(target_.minus(), count);
      return;
    case Target::Kind::weights:
      if (!labels.defined()) {
        throw InputError("the target is a weighted sum of outputs, but there are no weights: give them [samples, " +
                         std::to_string(count) + "] in the place of labels");
      }
      if (labels.size(1) != count) {
        throw InputError("there are weights for " + std::to_string(labels.size(1)) + " outputs, and the model has " +
                         std::to_string(count) + ": give them [samples, " + std::to_string(count) + "]");
      }
      return;
    case Target::Kind::label:
      break;
  }
  if (!labels.defined()) {
    throw InputError(
        "the target is the label, but there are no labels: give them, or choose target predicted or an index");
  }
  const auto* label = labels.const_data_ptr<std::int64_t>();
  const std::int64_t per_sample = labels.size(0) == 0 ? 1 : labels.numel() / labels.size(0);
  const bool have_positions = labels.dim() == 2;
  for (std::int64_t i = 0; i < labels.numel(); ++i) {
    if ((label[i] < 0 || label[i] >= count) && !(have_positions && label[i] == no_label)) {
      throw InputError("label " + std::to_string(label[i]) + " of sample " + std::to_string(i / per_sample) +
                       " is outside the model's outputs: labels go from 0 to " + std::to_string(count - 1) +
                       (have_positions ? ", and are -100 where a position does not count" : ""));
    }
  }
}

Targets OutputReading::checked_targets(const OutputRows& outputs, const at::Tensor& labels) const {
  switch (target_.kind()) {
    case Target::Kind::predicted:
      return {outputs.values.detach().argmax(1), {}};
    case Target::Kind::index:
      return {at::full({outputs.values.size(0)}, target_.index(), outputs.values.options().dtype(at::kLong)), {}};
    default:
      return {support::uploaded(labels, outputs.values.device()), {}};
  }
}

at::Tensor OutputReading::row_weights(const OutputRows& outputs, const Batch& batch) const {
  if (outputs.positions == 1 && !batch.has_position_labels) {
    return {};
  }
  const std::int64_t samples = batch.samples();
  const auto options = outputs.values.options().dtype(at::kDouble);
  at::Tensor counted = at::ones({samples, outputs.positions}, options);
  if (outputs.is_masked) {
    counted = batch.mask.reshape({samples, -1}).to(at::kDouble);
  }
  if (batch.has_position_labels) {
    if (batch.labels.numel() != counted.numel()) {
      throw InputError("there are labels for " + std::to_string(batch.labels.size(1)) +
                       " positions per sample, and the output has " + positions_text(outputs) +
                       ": give one per position, and -100 where it does not count, or, for a number per output, the "
                       "target weights and floating-point numbers");
    }
    counted = counted.mul(batch.labels.ne(no_label).to(counted.options()));
  }
  if (reading_.at.kind() == At::Kind::mean) {
    counted = counted / counted.sum(1, /*keepdim=*/true).clamp_min(1);
  }
  return counted.reshape({-1});
}

Targets OutputReading::targets(const OutputRows& outputs, const Batch& batch) const {
  if (outputs.positions > 1 && reading_.at.kind() == At::Kind::unset && !batch.has_position_labels) {
    throw ArgumentError("the model's output has " + positions_text(outputs) +
                        ", and nothing says at which of them y is read: choose last, first, each, mean or a number, or "
                        "give a label per position");
  }
  require_targets(outputs.outputs(), batch.labels);
  const at::Tensor weights = row_weights(outputs, batch);
  const bool is_entry = target_.kind() != Target::Kind::difference && target_.kind() != Target::Kind::weights;
  if (!weights.defined() && is_entry) {
    return checked_targets(outputs, batch.labels);
  }
  const auto options = outputs.values.options().dtype(at::kDouble);
  const at::Tensor per_row = weights.defined() ? weights : at::ones({outputs.values.size(0)}, options);
  at::Tensor selection;
  if (target_.kind() == Target::Kind::weights) {
    selection = support::uploaded(batch.labels, options.device()).to(options).repeat_interleave(outputs.positions, 0);
    return {{}, selection.mul_(per_row.unsqueeze(1))};
  }
  selection = at::zeros(outputs.values.sizes(), options);
  if (target_.kind() == Target::Kind::difference) {
    selection.select(1, target_.index()).add_(per_row);
    selection.select(1, target_.minus()).sub_(per_row);
    return {{}, selection};
  }
  at::Tensor indices;
  if (target_.kind() == Target::Kind::label) {
    const at::Tensor labels = support::uploaded(batch.labels, options.device());
    indices =
        batch.has_position_labels ? labels.reshape({-1}).clamp_min(0) : labels.repeat_interleave(outputs.positions, 0);
  } else {
    indices = checked_targets(outputs, batch.labels).indices;
  }
  selection.scatter_(1, indices.unsqueeze(1), per_row.unsqueeze(1));
  return {{}, selection};
}

at::Tensor transformed(const OutputRows& outputs, Output output) {
  const c10::AutoGradMode with_history(true);
  switch (output) {
    case Output::logit:
      return outputs.values;
    case Output::probability:
      return outputs.is_sigmoid ? at::sigmoid(outputs.values) : at::softmax(outputs.values, 1);
    case Output::log_probability:
      return outputs.is_sigmoid ? at::log_sigmoid(outputs.values) : at::log_softmax(outputs.values, 1);
  }
  throw InternalError("an output without a formula: " + std::string(name_of(output)));
}

at::Tensor selected_outputs(const OutputRows& outputs, const Targets& targets, Output output) {
  const at::Tensor& values = outputs.values;
  const bool is_entry = targets.indices.defined();
  const bool is_plain = is_entry && output == Output::logit && values.scalar_type() == at::kFloat && values.is_cpu() &&
                        values.is_contiguous() && targets.indices.is_contiguous();
  if (is_plain) {
    // Removals come here once per neuron: four operators less each time.
    at::Tensor selected = at::empty({values.size(0)}, at::kDouble);
    auto* y = selected.mutable_data_ptr<double>();
    const auto* row = values.const_data_ptr<float>();
    const auto* target = targets.indices.const_data_ptr<std::int64_t>();
    for (std::int64_t i = 0; i < values.size(0); ++i, row += values.size(1)) {
      y[i] = static_cast<double>(row[target[i]]);
    }
    return selected;
  }
  const at::Tensor all = transformed({values.detach(), outputs.positions, outputs.is_sigmoid}, output);
  if (is_entry) {
    return all.gather(1, targets.indices.unsqueeze(1)).squeeze(1).to(at::kDouble);
  }
  return all.to(at::kDouble).mul(targets.selection).sum(1).reshape({-1, outputs.positions}).sum(1);
}

}  // namespace pregrad::model
