#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include <ATen/Functions.h>
#include <ATen/core/Tensor.h>

#include "cuda/chunk_table.hpp"
#include "cuda/path_points.hpp"
#include "cuda/removed_neurons.hpp"
#include "cuda/score_quantities.hpp"
#include "cuda/score_statistics.hpp"

namespace pregrad::cuda {

/// A tensor as a kernel reads it.
struct LaidOut {
  at::Tensor tensor;
  Layout layout;
};

/// Whether each step along an axis is the same in both, so that one offset names one element of either.
inline bool lie_alike(const at::Tensor& left, const at::Tensor& right) {
  for (std::int64_t axis = 0; axis < left.dim(); ++axis) {
    if (left.size(axis) > 1 && left.stride(axis) != right.stride(axis)) {
      return false;
    }
  }
  return true;
}

/// Whether the samples lie one after the other, without gaps.
inline bool lies_in_samples(const at::Tensor& tensor) {
  return tensor.is_non_overlapping_and_dense() &&
         (tensor.dim() == 0 || tensor.size(0) == 1 || tensor.stride(0) == tensor.numel() / tensor.size(0));
}

/// `tensor` [samples, ...] where it lies, if its neurons' values are neighbours or those of each neuron are; else a
/// copy.
/// @param neuron_axis 0 for rank 1, where each sample is one neuron
inline LaidOut laid_out(const at::Tensor& tensor, std::int64_t neuron_axis) {
  const at::Tensor plain = tensor.detach();
  Layout layout;
  layout.samples = plain.size(0);
  for (std::int64_t axis = 1; axis < plain.dim(); ++axis) {
    (axis < neuron_axis ? layout.outer : axis == neuron_axis ? layout.neurons : layout.inner) *= plain.size(axis);
  }
  if (plain.is_contiguous()) {
    return {plain, layout};
  }
  if (neuron_axis > 0 && plain.stride(neuron_axis) == 1 && lies_in_samples(plain)) {
    // Sums over positions do not ask for their order.
    return {plain, {layout.samples, layout.positions(), layout.neurons, 1}};
  }
  return {plain.contiguous(), layout};
}

/// Calls `body` with a value of the tensor's type.
template <typename Body>
void with_values_of(at::ScalarType type, const Body& body) {
  switch (type) {
    case at::kDouble:
      return body(double());
    case at::kHalf:
      return body(c10::Half());
    case at::kBFloat16:
      return body(c10::BFloat16());
    default:
      return body(float());
  }
}

/// The points baseline + way · alpha of a path, one block of samples after the other: [alphas · N, ...] of type `type`,
/// bit by bit what the operators give.
/// @param baseline spreads over `way` [N, ...], and has its type; undefined for zeros
/// @param type     that of `way`, or any floating-point type where that is float64
template <typename Runner>
at::Tensor path_tensor(Runner& runner, at::Tensor baseline, at::Tensor way, const std::vector<double>& alphas,
                       at::ScalarType type) {
  way = lies_in_samples(way) ? way.detach() : way.detach().contiguous();
  const std::int64_t samples = way.size(0);
  const std::int64_t sample_size = way.numel() / samples;
  std::int64_t period = sample_size;
  if (baseline.defined()) {
    baseline = baseline.detach();
    const bool is_sample = baseline.dim() == way.dim() && baseline.numel() == sample_size &&
                           lies_in_samples(baseline) && lie_alike(baseline, way);
    if (!is_sample) {
      baseline = at::empty_like(way).copy_(baseline);
      period = way.numel();
    }
  }
  std::vector<std::int64_t> sizes = way.sizes().vec();
  std::vector<std::int64_t> strides = way.strides().vec();
  sizes[0] = samples * static_cast<std::int64_t>(alphas.size());
  strides[0] = sample_size;
  at::Tensor result = at::empty_strided(sizes, strides, way.options().dtype(type));

  const auto run = [&](auto in, auto out) {
    using In = decltype(in);
    using Out = decltype(out);
    PathPoints<In, Out> kernel;
    kernel.way = way.template const_data_ptr<In>();
    kernel.baseline = baseline.defined() ? baseline.template const_data_ptr<In>() : nullptr;
    kernel.size = way.numel();
    kernel.period = period;
    for (std::size_t first = 0; first < alphas.size(); first += kernel.most_points) {
      kernel.points = static_cast<int>(std::min<std::size_t>(kernel.most_points, alphas.size() - first));
      std::copy_n(alphas.begin() + static_cast<std::ptrdiff_t>(first), kernel.points, kernel.alphas);
      kernel.result = result.template data_ptr<Out>() + static_cast<std::int64_t>(first) * kernel.size;
      kernel.is_packed = kernel.size % kernel.width == 0 && period % kernel.width == 0 &&
                         is_aligned<kernel.width>(kernel.way) && is_aligned<kernel.width>(kernel.result) &&
                         (kernel.baseline == nullptr || is_aligned<kernel.width>(kernel.baseline));
      runner.run(kernel);
    }
  };
  with_values_of(type, [&](auto out) {
    if (way.scalar_type() == at::kDouble) {
      run(double(), out);
    } else {
      run(out, out);
    }
  });
  return result;
}

/// `value` [copies · N, ...] with the neurons of each copy's mask set to their constants, as it lies in memory.
/// @param masks     bool [copies, neurons]
/// @param constants [copies or 1, N or 1, neurons] of the value's type; undefined for zeros
template <typename Runner>
at::Tensor removal_tensor(Runner& runner, const at::Tensor& value, std::int64_t neuron_axis, const at::Tensor& masks,
                          const at::Tensor& constants) {
  const LaidOut from = laid_out(value, neuron_axis);
  const at::Tensor result = at::empty_like(from.tensor);
  const at::Tensor chosen = masks.contiguous();
  const at::Tensor fill = constants.defined() ? constants.contiguous() : at::Tensor();
  const auto run = [&](auto word) {
    using Word = decltype(word);
    RemovedNeurons<Word> kernel;
    kernel.value = static_cast<const Word*>(from.tensor.const_data_ptr());
    kernel.result = static_cast<Word*>(result.data_ptr());
    kernel.layout = from.layout;
    kernel.samples_per_copy = from.layout.samples / chosen.size(0);
    kernel.masks = chosen.template const_data_ptr<bool>();
    if (fill.defined()) {
      kernel.constants = static_cast<const Word*>(fill.const_data_ptr());
      kernel.copy_stride = fill.size(0) == 1 ? 0 : fill.size(1) * fill.size(2);
      kernel.sample_stride = fill.size(1) == 1 ? 0 : fill.size(2);
    }
    kernel.is_packed = is_aligned<kernel.width>(kernel.value) && is_aligned<kernel.width>(kernel.result);
    runner.run(kernel);
  };
  // NOLINTNEXTLINE(bugprone-branch-clone): the types differ.
  if (value.element_size() == sizeof(std::uint16_t)) {
    run(std::uint16_t());
  } else if (value.element_size() == sizeof(std::uint32_t)) {
    run(std::uint32_t());
  } else {
    run(std::uint64_t());
  }
  return result;
}

/// The scores of a pair of tensors [samples, ...] in one pass.
/// @param x, y undefined where nothing that is wanted reads them
/// @param clusters how many of them `chunks` gives
template <typename Runner>
ScoreTensors score_tensors(Runner& runner, at::Tensor x, at::Tensor y, std::int64_t neuron_axis, std::int64_t clusters,
                           const ChunkSource& chunks, const WantedQuantities& wanted) {
  const auto type_of = [](const at::Tensor& tensor) {
    const bool is_known = tensor.scalar_type() == at::kDouble || tensor.scalar_type() == at::kHalf ||
                          tensor.scalar_type() == at::kBFloat16;
    return is_known ? tensor.scalar_type() : at::kFloat;
  };
  at::ScalarType type = type_of(x.defined() ? x : y);
  if (x.defined() && y.defined() && type_of(y) != type) {
    type = type == at::kDouble || type_of(y) == at::kDouble ? at::kDouble : at::kFloat;
  }
  LaidOut first = laid_out((x.defined() ? x : y).to(type), neuron_axis);
  if (x.defined() && y.defined()) {
    y = y.detach().to(type);
    // Products need the same order of positions in both.
    y = lie_alike(first.tensor, y) ? y : at::empty_like(first.tensor).copy_(y);
    x = first.tensor;
  } else {
    (x.defined() ? x : y) = first.tensor;
  }

  const Layout& layout = first.layout;
  const auto count = [&](bool WantedQuantity::* what) {
    return std::count_if(wanted.begin(), wanted.end(), [&](const WantedQuantity& each) { return each.*what; });
  };
  const auto options = first.tensor.options().dtype(at::kDouble).memory_format(at::MemoryFormat::Contiguous);
  ScoreTensors result;
  result.moments = at::empty({count(&WantedQuantity::moments), clusters, 3, layout.neurons}, options);
  result.values = at::empty({count(&WantedQuantity::values), layout.samples, layout.neurons}, options);
  Outputs outputs;
  auto* moments = result.moments.template data_ptr<double>();
  auto* values = result.values.template data_ptr<double>();
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    QuantityOutput& output = outputs.of[i];
    output.divisor = wanted[i].is_divided ? static_cast<double>(layout.positions()) : 1;
    if (wanted[i].moments) {
      output.moments = moments;
      moments += clusters * 3 * layout.neurons;
    }
    if (wanted[i].values) {
      output.values = values;
      values += layout.samples * layout.neurons;
    }
  }
  with_values_of(type, [&](auto value) {
    using T = decltype(value);
    Pair<T> pair;
    pair.x = x.defined() ? x.template const_data_ptr<T>() : nullptr;
    pair.y = y.defined() ? y.template const_data_ptr<T>() : nullptr;
    pair.layout = layout;
    ScoreStatistics<T, Runner>(runner, chunks).add_up(pair, outputs);
  });
  return result;
}

/// The same of clusters that the runner has yet to bring into its memory.
/// @tparam Runner has `upload(std::vector<std::int64_t>)` too
template <typename Runner>
ScoreTensors score_tensors(Runner& runner, const at::Tensor& x, const at::Tensor& y, std::int64_t neuron_axis,
                           const support::ClusterRows& rows, const WantedQuantities& wanted) {
  const ChunkSource uploaded = [&](std::int64_t samples_per_chunk) {
    ChunkTable table = chunk_table(rows, samples_per_chunk);
    const std::int64_t* const memory = runner.upload(std::move(table.integers));
    return table.in(memory);
  };
  return score_tensors(runner, x, y, neuron_axis, static_cast<std::int64_t>(rows.size()), uploaded, wanted);
}

}  // namespace pregrad::cuda
