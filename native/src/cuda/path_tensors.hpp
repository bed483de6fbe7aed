#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "cuda/path_points.hpp"
#include "cuda/tensor_layout.hpp"

namespace pregrad::cuda {

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

}  // namespace pregrad::cuda
