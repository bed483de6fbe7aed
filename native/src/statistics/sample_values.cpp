#include "statistics/sample_values.hpp"

#include <ATen/Parallel.h>

namespace pregrad::statistics {

namespace {

/// Half-precision tensors are read as float; float64 stays.
at::Tensor readable(const at::Tensor& tensor) {
  const auto type = tensor.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  return tensor.detach().to(at::kCPU, type).contiguous();
}

template <typename Term>
double sum_run(const Term& term, std::int64_t begin, std::int64_t length) {
  // Independent partial sums let the compiler use vector registers without reordering what one of them adds.
  constexpr std::int64_t lanes = 8;
  double partial[lanes] = {};
  std::int64_t i = 0;
  for (; i + lanes <= length; i += lanes) {
    for (std::int64_t lane = 0; lane < lanes; ++lane) {
      partial[lane] += term(begin + i + lane);
    }
  }
  double sum = 0;
  for (const double each : partial) {
    sum += each;
  }
  for (; i < length; ++i) {
    sum += term(begin + i);
  }
  return sum;
}

}  // namespace

SampleValues::SampleValues(const std::vector<std::int64_t>& shape, std::int64_t neuron_axis) : samples_(shape.at(0)) {
  const auto rank = static_cast<std::int64_t>(shape.size());
  for (std::int64_t axis = 1; axis < rank; ++axis) {
    const std::int64_t size = shape[static_cast<std::size_t>(axis)];
    (axis < neuron_axis ? outer_ : axis == neuron_axis ? neurons_ : inner_) *= size;
  }
}

template <typename Term>
std::vector<double> SampleValues::reduce(const Term& term) const {
  std::vector<double> result(static_cast<std::size_t>(samples_ * neurons_), 0);
  const std::int64_t sample_size = outer_ * neurons_ * inner_;
  constexpr std::int64_t worth_a_thread = 32768;
  const std::int64_t grain = std::max<std::int64_t>(1, worth_a_thread / std::max<std::int64_t>(1, sample_size));
  at::parallel_for(0, samples_, grain, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t sample = first; sample < last; ++sample) {
      double* row = result.data() + sample * neurons_;
      for (std::int64_t outer = 0; outer < outer_; ++outer) {
        const std::int64_t begin = (sample * outer_ + outer) * neurons_ * inner_;
        if (inner_ == 1) {
          for (std::int64_t neuron = 0; neuron < neurons_; ++neuron) {
            row[neuron] += term(begin + neuron);
          }
          continue;
        }
        for (std::int64_t neuron = 0; neuron < neurons_; ++neuron) {
          row[neuron] += sum_run(term, begin + neuron * inner_, inner_);
        }
      }
    }
  });
  return result;
}

std::vector<double> SampleValues::sum(const at::Tensor& x) const {
  if (!x.defined()) {
    return std::vector<double>(static_cast<std::size_t>(samples_ * neurons_), 0);
  }
  const at::Tensor values = readable(x);
  const auto sum_as = [&](const auto* data) {
    return reduce([data](std::int64_t i) { return static_cast<double>(data[i]); });
  };
  return values.scalar_type() == at::kDouble ? sum_as(values.const_data_ptr<double>())
                                             : sum_as(values.const_data_ptr<float>());
}

std::vector<double> SampleValues::sum_of_products(const at::Tensor& x, const at::Tensor& y) const {
  if (!x.defined() || !y.defined()) {
    return sum(at::Tensor());
  }
  const at::Tensor xs = readable(x);
  const at::Tensor ys = readable(y);
  const auto sum_as = [&](const auto* left, const auto* right) {
    return reduce(
        [left, right](std::int64_t i) { return static_cast<double>(left[i]) * static_cast<double>(right[i]); });
  };
  return xs.scalar_type() == at::kDouble ? sum_as(xs.const_data_ptr<double>(), ys.const_data_ptr<double>())
                                         : sum_as(xs.const_data_ptr<float>(), ys.const_data_ptr<float>());
}

std::vector<double> SampleValues::mean(const at::Tensor& x) const {
  std::vector<double> result = sum(x);
  for (double& each : result) {
    each /= static_cast<double>(positions());
  }
  return result;
}

}  // namespace pregrad::statistics
