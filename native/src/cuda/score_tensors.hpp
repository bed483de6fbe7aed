#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include "cuda/chunk_table.hpp"
#include "cuda/score_statistics.hpp"
#include "cuda/tensor_layout.hpp"
#include "cuda/wanted_scores.hpp"

namespace pregrad::cuda {

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
