#include "statistics/sample_values.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "cuda/device.hpp"
#include "statistics/vector_clones.hpp"
#include "support/threads.hpp"

namespace pregrad::statistics {

namespace {

/// Half-precision tensors are read as float; float64 stays.
at::Tensor readable(const at::Tensor& tensor, at::ScalarType type) {
  return tensor.detach().to(at::kCPU, type).contiguous();
}

at::ScalarType readable_type(const at::Tensor& tensor) {
  return tensor.defined() && tensor.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
}

/// `width` sums beside each other, which the compiler keeps in vector registers without reordering what one of them
/// adds.
template <std::size_t width, bool wants_x, bool wants_y, bool wants_products, bool wants_positive>
struct Lanes {
  double x[width] = {};
  double y[width] = {};
  double products[width] = {};
  double positive[width] = {};

  template <typename T>
  PREGRAD_INLINE void add(const T* left, const T* right) {
    for (std::size_t lane = 0; lane < width; ++lane) {
      const double a = wants_x || wants_products || wants_positive ? static_cast<double>(left[lane]) : 0;
      const double b = wants_y || wants_products ? static_cast<double>(right[lane]) : 0;
      if constexpr (wants_x) {
        x[lane] += a;
      }
      if constexpr (wants_y) {
        y[lane] += b;
      }
      if constexpr (wants_products) {
        products[lane] += a * b;
      }
      if constexpr (wants_positive) {
        positive[lane] += a > 0 ? 1 : 0;
      }
    }
  }

  /// All lanes in one.
  PREGRAD_INLINE Lanes<1, wants_x, wants_y, wants_products, wants_positive> total() const {
    Lanes<1, wants_x, wants_y, wants_products, wants_positive> total;
    for (std::size_t lane = 0; lane < width; ++lane) {
      total.x[0] += x[lane];
      total.y[0] += y[lane];
      total.products[0] += products[lane];
      total.positive[0] += positive[lane];
    }
    return total;
  }

  /// Adds the lane's sums to those of a row's element.
  PREGRAD_INLINE void give(std::size_t lane, PositionSums& sums, std::size_t element) const {
    if constexpr (wants_x) {
      sums.x[element] += x[lane];
    }
    if constexpr (wants_y) {
      sums.y[element] += y[lane];
    }
    if constexpr (wants_products) {
      sums.products[element] += products[lane];
    }
    if constexpr (wants_positive) {
      sums.positive[element] += positive[lane];
    }
  }
};

constexpr std::size_t lane_count = 8;

/// How a tensor lies in memory: [samples, outer, neurons, inner].
struct Layout {
  std::size_t outer;
  std::size_t neurons;
  std::size_t inner;
};

/// The positions of a neuron lie one after the other.
template <typename T, bool... wants>
PREGRAD_INLINE void reduce_runs(const Layout& layout, const T* x, const T* y, std::size_t sample, PositionSums& sums) {
  for (std::size_t outer = 0; outer < layout.outer; ++outer) {
    for (std::size_t neuron = 0; neuron < layout.neurons; ++neuron) {
      const std::size_t begin = ((sample * layout.outer + outer) * layout.neurons + neuron) * layout.inner;
      const std::size_t end = begin + layout.inner;
      const std::size_t element = sample * layout.neurons + neuron;
      Lanes<lane_count, wants...> lanes;
      std::size_t i = begin;
      for (; i + lane_count <= end; i += lane_count) {
        lanes.add(x + i, y + i);
      }
      Lanes<1, wants...> total = lanes.total();
      for (; i < end; ++i) {
        total.add(x + i, y + i);
      }
      total.give(0, sums, element);
    }
  }
}

/// The neurons of a position lie one after the other.
template <typename T, std::size_t width, bool... wants>
PREGRAD_INLINE void reduce_columns(const Layout& layout, const T* x, const T* y, std::size_t sample, std::size_t neuron,
                                   PositionSums& sums) {
  Lanes<width, wants...> lanes;
  for (std::size_t outer = 0; outer < layout.outer; ++outer) {
    const std::size_t i = (sample * layout.outer + outer) * layout.neurons + neuron;
    lanes.add(x + i, y + i);
  }
  for (std::size_t lane = 0; lane < width; ++lane) {
    lanes.give(lane, sums, sample * layout.neurons + neuron + lane);
  }
}

template <typename T, bool... wants>
PREGRAD_INLINE void reduce_sample(const Layout& layout, const T* x, const T* y, std::size_t sample,
                                  PositionSums& sums) {
  if (layout.inner > 1) {
    reduce_runs<T, wants...>(layout, x, y, sample, sums);
    return;
  }
  std::size_t neuron = 0;
  for (; neuron + lane_count <= layout.neurons; neuron += lane_count) {
    reduce_columns<T, lane_count, wants...>(layout, x, y, sample, neuron, sums);
  }
  for (; neuron < layout.neurons; ++neuron) {
    reduce_columns<T, 1, wants...>(layout, x, y, sample, neuron, sums);
  }
}

/// reduce_sample for the set of wanted sums that the bits name.
template <typename T, std::size_t... sets>
PREGRAD_INLINE void reduce_set(std::size_t bits, const Layout& layout, const T* x, const T* y, std::size_t sample,
                               PositionSums& sums, std::index_sequence<sets...> /*all*/) {
  const auto reduce_if = [&]<std::size_t set>() {
    if (bits == set) {
      reduce_sample<T, (set & 1) != 0, (set & 2) != 0, (set & 4) != 0, (set & 8) != 0>(layout, x, y, sample, sums);
    }
  };
  (reduce_if.template operator()<sets>(), ...);
}

constexpr std::make_index_sequence<16> all_sets;

PREGRAD_VECTOR_CLONES
void reduce_wanted(std::size_t bits, const Layout& layout, const float* x, const float* y, std::size_t sample,
                   PositionSums& sums) {
  reduce_set(bits, layout, x, y, sample, sums, all_sets);
}

PREGRAD_VECTOR_CLONES
void reduce_wanted(std::size_t bits, const Layout& layout, const double* x, const double* y, std::size_t sample,
                   PositionSums& sums) {
  reduce_set(bits, layout, x, y, sample, sums, all_sets);
}

std::size_t bits_of(WantedSums wanted) {
  return (wanted.x ? 1U : 0U) | (wanted.y ? 2U : 0U) | (wanted.products ? 4U : 0U) | (wanted.positive ? 8U : 0U);
}

template <typename T>
void reduce(const Layout& layout, std::int64_t samples, const at::Tensor& x, const at::Tensor& y, WantedSums wanted,
            PositionSums& sums) {
  // A tensor that no wanted sum reads may be undefined; the other then stands in its place.
  const T* const left = (x.defined() ? x : y).template const_data_ptr<T>();
  const T* const right = (y.defined() ? y : x).template const_data_ptr<T>();
  constexpr std::size_t worth_a_thread = 32768;
  const std::size_t sample_size = std::max<std::size_t>(1, layout.outer * layout.neurons * layout.inner);
  const auto grain = static_cast<std::int64_t>(std::max<std::size_t>(1, worth_a_thread / sample_size));
  support::parallel_for(samples, grain, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t sample = first; sample < last; ++sample) {
      reduce_wanted(bits_of(wanted), layout, left, right, static_cast<std::size_t>(sample), sums);
    }
  });
}

/// The same from a device, which hands over the sums alone.
void reduce_on_device(const at::Tensor& x, const at::Tensor& y, std::int64_t neuron_axis, WantedSums wanted,
                      PositionSums& sums) {
  if constexpr (cuda::is_built) {
    const support::ClusterRows rows(
        std::vector<std::int64_t>(static_cast<std::size_t>((x.defined() ? x : y).size(0)), 0));
    cuda::WantedQuantities quantities;
    quantities[cuda::sum_of_x].values = wanted.x;
    quantities[cuda::sum_of_y].values = wanted.y;
    quantities[cuda::sum_of_products].values = wanted.products;
    quantities[cuda::positive_x].values = wanted.positive;
    const at::Tensor values = cuda::device_scores(x, y, neuron_axis, rows, quantities).values.to(at::kCPU);
    const double* from = values.const_data_ptr<double>();
    const auto take = [&](bool is_wanted, std::vector<double>& to) {
      if (is_wanted) {
        std::copy_n(from, to.size(), to.begin());
        from += to.size();
      }
    };
    take(wanted.x, sums.x);
    take(wanted.y, sums.y);
    take(wanted.products, sums.products);
    take(wanted.positive, sums.positive);
  }
}

}  // namespace

SampleValues::SampleValues(const std::vector<std::int64_t>& shape, std::int64_t neuron_axis)
    : neuron_axis_(neuron_axis), samples_(shape.at(0)) {
  const auto rank = static_cast<std::int64_t>(shape.size());
  for (std::int64_t axis = 1; axis < rank; ++axis) {
    const std::int64_t size = shape[static_cast<std::size_t>(axis)];
    (axis < neuron_axis ? outer_ : axis == neuron_axis ? neurons_ : inner_) *= size;
  }
}

PositionSums SampleValues::sums(const at::Tensor& x, const at::Tensor& y, WantedSums wanted) const {
  PositionSums sums;
  const auto size = static_cast<std::size_t>(samples_ * neurons_);
  sums.x.resize(wanted.x ? size : 0);
  sums.y.resize(wanted.y ? size : 0);
  sums.products.resize(wanted.products ? size : 0);
  sums.positive.resize(wanted.positive ? size : 0);

  WantedSums possible = wanted;  // the sums of an undefined tensor stay zero
  possible.x = wanted.x && x.defined();
  possible.positive = wanted.positive && x.defined();
  possible.y = wanted.y && y.defined();
  possible.products = wanted.products && x.defined() && y.defined();
  if (bits_of(possible) == 0) {
    return sums;
  }
  const bool reads_x = possible.x || possible.positive || possible.products;
  const bool reads_y = possible.y || possible.products;
  if (cuda::takes(reads_x ? x : y) && cuda::takes(reads_y ? y : x)) {
    reduce_on_device(reads_x ? x : at::Tensor(), reads_y ? y : at::Tensor(), neuron_axis_, possible, sums);
    return sums;
  }
  const bool is_double = (reads_x && readable_type(x) == at::kDouble) || (reads_y && readable_type(y) == at::kDouble);
  const at::ScalarType type = is_double ? at::kDouble : at::kFloat;
  const at::Tensor left = reads_x ? readable(x, type) : at::Tensor();
  const at::Tensor right = reads_y ? readable(y, type) : at::Tensor();
  const Layout layout = {static_cast<std::size_t>(outer_), static_cast<std::size_t>(neurons_),
                         static_cast<std::size_t>(inner_)};
  if (is_double) {
    reduce<double>(layout, samples_, left, right, possible, sums);
  } else {
    reduce<float>(layout, samples_, left, right, possible, sums);
  }
  return sums;
}

NeuronValues SampleValues::values(const at::Tensor& x) const {
  if (x.defined() && positions() == 1) {
    return NeuronValues(readable(x, readable_type(x)));
  }
  return NeuronValues(sum(x));
}

}  // namespace pregrad::statistics
