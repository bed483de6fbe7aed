#include "model/arrangement.hpp"

#include <algorithm>

#include <ATen/Functions.h>

namespace pregrad::model {

namespace {

/// Which indices along an axis hold something true: bool [size].
at::Tensor along(const at::Tensor& changed, std::int64_t axis) {
  return changed.movedim(axis, 0).reshape({changed.size(axis), -1}).any(1).contiguous();
}

/// Whether each sample changes nothing but its own rows of an axis.
bool fits(const std::vector<at::Tensor>& changed_along, std::int64_t rows_per_sample, bool is_interleaved) {
  const auto samples = static_cast<std::int64_t>(changed_along.size());
  for (std::int64_t sample = 0; sample < samples; ++sample) {
    const at::Tensor& changed = changed_along[static_cast<std::size_t>(sample)];
    const bool* is_changed = changed.const_data_ptr<bool>();
    for (std::int64_t row = 0; row < changed.size(0); ++row) {
      if (is_changed[row] && (is_interleaved ? row % samples : row / rows_per_sample) != sample) {
        return false;
      }
    }
  }
  return true;
}

}  // namespace

at::Tensor Arrangement::arranged(const at::Tensor& tensor, std::int64_t samples) const {
  if (is_whole) {
    return samples == 1 ? tensor.unsqueeze(0) : at::Tensor();
  }
  if (axis >= tensor.dim() || tensor.size(axis) % samples != 0) {
    return {};
  }
  const std::int64_t rows = tensor.size(axis) / samples;
  if (rows == 1) {
    return tensor.movedim(axis, 0);
  }
  return is_interleaved ? tensor.unflatten(axis, at::IntArrayRef({rows, samples})).movedim(axis + 1, 0)
                        : tensor.unflatten(axis, at::IntArrayRef({samples, rows})).movedim(axis, 0);
}

at::Tensor Arrangement::restored(const at::Tensor& tensor, at::IntArrayRef shape, std::int64_t samples) const {
  if (is_whole) {
    return tensor.squeeze(0);
  }
  const std::int64_t rows = shape[static_cast<std::size_t>(axis)] / samples;
  if (rows == 1) {
    return tensor.movedim(0, axis);
  }
  return tensor.movedim(0, is_interleaved ? axis + 1 : axis).flatten(axis, axis + 1);
}

std::int64_t Arrangement::moved(std::int64_t of_axis, at::IntArrayRef shape, std::int64_t samples) const {
  const bool has_rows = is_whole || shape[static_cast<std::size_t>(axis)] != samples;
  return has_rows || of_axis < axis ? of_axis + 1 : of_axis;
}

std::optional<Arrangement> arrangement_of(const std::vector<at::Tensor>& changed,
                                          std::optional<std::int64_t> neuron_axis) {
  const auto samples = static_cast<std::int64_t>(changed.size());
  const std::int64_t rank = changed.front().dim();
  const bool shows =
      std::any_of(changed.begin(), changed.end(), [](const at::Tensor& each) { return each.any().item<bool>(); });
  for (std::int64_t axis = 0; shows && axis < rank; ++axis) {
    const std::int64_t size = changed.front().size(axis);
    if ((rank > 1 && axis == neuron_axis) || size % samples != 0) {
      continue;
    }
    std::vector<at::Tensor> changed_along;
    changed_along.reserve(changed.size());
    for (const at::Tensor& each : changed) {
      changed_along.push_back(along(each, axis));
    }
    for (const bool is_interleaved : {false, true}) {
      if (fits(changed_along, size / samples, is_interleaved)) {
        return Arrangement{axis, is_interleaved, false};
      }
    }
  }
  return std::nullopt;
}

}  // namespace pregrad::model
