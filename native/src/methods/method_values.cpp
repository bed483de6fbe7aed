#include "methods/method_values.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include <ATen/Functions.h>

#include "cuda/device.hpp"
#include "methods/catalog.hpp"
#include "methods/layer_rerun.hpp"
#include "pregrad/error.hpp"

namespace pregrad::methods {

namespace {

using statistics::NeuronValues;
using statistics::SampleValues;
using statistics::WantedSums;

/// The sums that the methods read of a subject and its gradient.
WantedSums wanted_of(const std::vector<Method>& methods, Subject subject) {
  WantedSums sums;
  for (const Method method : methods) {
    const MethodRow& row = row_of(method);
    if (row.subject == subject) {
      const bool is_centred = row.sum == Sum::centred_products;
      sums.x = sums.x || is_centred || row.sum == Sum::values;
      sums.y = sums.y || is_centred || row.sum == Sum::gradients;
      sums.products = sums.products || is_centred || row.sum == Sum::products;
      sums.positive = sums.positive || row.sum == Sum::positive;
    }
  }
  return sums;
}

/// How many positions of each sample count; empty where all do.
std::vector<double> counted_positions(const model::LayerBatch& layer, const SampleValues& reduction) {
  if (!layer.counted.defined()) {
    return {};
  }
  return values_of(layer.counted.reshape({reduction.samples(), -1}).sum(1));
}

const model::SampleScores* rerun_scores(const model::LayerBatch& layer, Method method) {
  const auto found = std::find_if(layer.rerun.begin(), layer.rerun.end(),
                                  [&](const model::SampleScores& scores) { return scores.method == method; });
  return found == layer.rerun.end() ? nullptr : &*found;
}

}  // namespace

PositionTerms::PositionTerms(Method method, const model::LayerBatch& layer, const SampleValues& reduction,
                             const std::vector<std::int64_t>& rows)
    : neurons_(reduction.neurons()), positions_(reduction.positions()), inner_(reduction.inner()) {
  if (positions_ == 1) {
    return;
  }
  const MethodRow& row = row_of(method);
  const bool is_of_z = row.subject == Subject::preactivation;
  const at::Tensor& value = is_of_z ? layer.z.value : layer.activation();
  const at::Tensor& gradient = is_of_z ? layer.z_gradient : layer.activation_gradient();
  const model::SampleScores* const rerun = rerun_scores(layer, method);
  switch (row.sum) {
    case Sum::values:
    case Sum::positive:
      left_ = read(value, rows);
      break;
    case Sum::gradients:
      left_ = read(gradient, rows);
      break;
    case Sum::products:
    case Sum::centred_products:
      is_product_ = true;
      left_ = read(value, rows);
      right_ = read(gradient, rows);
      break;
    case Sum::formula:
    case Sum::differences:
    case Sum::none:
      left_ = read(rerun != nullptr && rerun->terms.defined() ? rerun->terms : layer.activation(), rows);
      break;
  }
  if (layer.counted.defined()) {
    counted_ = layer.counted.to(at::kCPU).reshape({reduction.samples(), positions_}).contiguous();
  }
}

PositionTerms::Tensor PositionTerms::read(const at::Tensor& tensor, const std::vector<std::int64_t>& rows) {
  if (!tensor.defined()) {
    return {};
  }
  const bool is_wide = tensor.scalar_type() == at::kDouble;
  if (tensor.is_cpu() && tensor.is_contiguous() && (is_wide || tensor.scalar_type() == at::kFloat)) {
    return {tensor.detach(), {}};
  }
  const at::Tensor some = tensor.detach().index_select(0, at::tensor(rows, at::kLong).to(tensor.device()));
  return {some.to(at::kCPU, is_wide ? at::kDouble : at::kFloat).contiguous(), rows};
}

template <typename T>
std::int64_t PositionTerms::largest_of(std::int64_t row, std::size_t neuron) const {
  const auto sample = [&](const Tensor& tensor) -> const T* {
    if (!tensor.values.defined()) {
      return nullptr;
    }
    const std::int64_t place =
        tensor.rows.empty() ? row : std::ranges::lower_bound(tensor.rows, row) - tensor.rows.begin();
    return tensor.values.const_data_ptr<T>() + place * neurons_ * positions_;
  };
  const T* const left = sample(left_);
  const T* const right = is_product_ ? sample(right_) : nullptr;
  const bool is_zero = left == nullptr || (is_product_ && right == nullptr);
  const bool* const counts = counted_.defined() ? counted_.const_data_ptr<bool>() + row * positions_ : nullptr;
  std::int64_t best = -1;
  T most = 0;
  for (std::int64_t position = 0; position < positions_;) {
    const std::int64_t begin = ((position / inner_) * neurons_ + static_cast<std::int64_t>(neuron)) * inner_;
    for (std::int64_t i = begin; i < begin + inner_; ++i, ++position) {
      const T term = is_zero ? T(0) : right == nullptr ? left[i] : left[i] * right[i];
      if ((counts == nullptr || counts[position]) && (best < 0 || term > most)) {
        best = position;
        most = term;
      }
    }
  }
  return std::max<std::int64_t>(best, 0);
}

std::int64_t PositionTerms::largest(std::int64_t row, std::size_t neuron) const {
  if (positions_ == 1) {
    return 0;
  }
  const at::Tensor& some = left_.values.defined() ? left_.values : right_.values;
  const bool is_wide = some.defined() && some.scalar_type() == at::kDouble;
  return is_wide ? largest_of<double>(row, neuron) : largest_of<float>(row, neuron);
}

MethodReader::MethodReader(const std::vector<Method>& methods, const model::LayerBatch& layer,
                           const SampleValues& reduction, const support::ClusterRows& rows, Detail detail)
    : layer_(layer), reduction_(reduction), rows_(rows), counted_(counted_positions(layer, reduction)) {
  if constexpr (cuda::is_built) {
    if (detail == Detail::clusters && DeviceMethods::take(layer) && !layer.counted.defined()) {
      device_.emplace(
          methods, layer, reduction, static_cast<std::int64_t>(rows.size()),
          [&](const at::Tensor& x, const at::Tensor& y, std::int64_t neuron_axis,
              const cuda::WantedQuantities& wanted) { return cuda::device_scores(x, y, neuron_axis, rows, wanted); });
      device_->fetch();
      return;
    }
  }
  WantedSums of_z = wanted_of(methods, Subject::preactivation);
  takes_gradient_ = of_z.y && !of_z.x && !of_z.products;
  of_z.y = of_z.y && !takes_gradient_;
  z_ = reduction.sums(layer.z.value, layer.z_gradient, of_z);
  a_ = reduction.sums(layer.activation(), layer.activation_gradient(), wanted_of(methods, Subject::activation));
}

MethodReader::MethodReader(const model::LayerBatch& layer, const SampleValues& reduction,
                           const support::ClusterRows& rows, DeviceMethods ready)
    : layer_(layer), reduction_(reduction), rows_(rows), device_(std::move(ready)) {}

std::vector<double> MethodReader::means_of(std::vector<double> sums) const {
  const auto neurons = static_cast<std::size_t>(reduction_.neurons());
  const auto positions = static_cast<double>(reduction_.positions());
  for (std::size_t i = 0; i < sums.size() && (positions > 1 || !counted_.empty()); ++i) {
    sums[i] /= counted_.empty() ? positions : counted_[i / neurons];
  }
  return sums;
}

MethodValues MethodReader::read(Method method) const {
  if (const model::SampleScores* rerun = rerun_scores(layer_, method)) {
    return {NeuronValues::borrowed(rerun->values), rerun->differences, {}, {}};
  }
  if (device_ && DeviceMethods::has_moments(method)) {
    return {NeuronValues::borrowed({}), {}, {}, device_->moments(method, rows_)};
  }
  const MethodRow& row = row_of(method);
  MethodValues result{values(row), {}, {}, {}};
  if (row.sum == Sum::centred_products) {
    result.centred = device_ ? device_->centred() : CentredValues{a_.products, a_.y, means_of(a_.x)};
  }
  return result;
}

NeuronValues MethodReader::values(const MethodRow& row) const {
  const statistics::PositionSums& sums = row.subject == Subject::preactivation ? z_ : a_;
  const auto of = [&](const std::vector<double>& values) {
    return row.is_mean ? NeuronValues(means_of(values)) : NeuronValues::borrowed(values);
  };
  switch (row.sum) {
    case Sum::values:
      return of(sums.x);
    case Sum::gradients:
      return takes_gradient_ && row.subject == Subject::preactivation ? reduction_.values(layer_.z_gradient)
                                                                      : of(sums.y);
    case Sum::products:
      return of(sums.products);
    case Sum::positive:
      return of(sums.positive);
    case Sum::formula:
      return NeuronValues(row.formula(layer_, reduction_));
    case Sum::none:              // nothing but the number of samples counts
    case Sum::differences:       // the runs of the other inputs give them
    case Sum::centred_products:  // its values are known only at the end
      break;
  }
  if (row.needs_model()) {
    throw InternalError("no values of the method " + std::string(row.name));
  }
  return reduction_.values(at::Tensor());
}

}  // namespace pregrad::methods
