#include "methods/rerun_methods.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string_view>
#include <utility>
#include <vector>

#include <ATen/Functions.h>
#include <ATen/core/grad_mode.h>

#include "methods/layer_rerun.hpp"
#include "methods/removal.hpp"
#include "model/differentiation.hpp"
#include "pregrad/error.hpp"
#include "statistics/sample_values.hpp"

namespace pregrad::methods {

namespace {

/// SplitMix64 (Steele, Lea and Flood 2014), whose sequences do not depend on the standard library.
std::uint64_t mixed(std::uint64_t state) {
  state = (state ^ (state >> 30)) * 0xbf58476d1ce4e5b9U;
  state = (state ^ (state >> 27)) * 0x94d049bb133111ebU;
  return state ^ (state >> 31);
}

/// The hash goes on over more bytes (FNV-1a).
std::uint64_t hashed(std::uint64_t hash, std::string_view bytes) {
  for (const char byte : bytes) {
    hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3U;
  }
  return hash;
}

/// The layer's neurons as players: y where sets of them are removed, for some samples of a batch.
class Game {
 public:
  /// @param samples int64 [n], of the batch
  Game(const LayerRerun& rerun, const model::LayerBatch& layer, const model::Batch& batch,
       const AttributionOptions& options, std::int64_t neurons, std::int64_t elements_per_sample,
       std::int64_t most_coalitions, const at::Tensor& samples)
      : rerun_(rerun), options_(options), neurons_(neurons), samples_(samples), batch_(batch) {
    const bool is_part = samples.size(0) < batch.samples();
    const auto begin = [&] {
      start_ = rerun_.start(batch_, worthwhile_copies(batch_, elements_per_sample, most_coalitions));
    };
    if (is_part) {
      try {
        batch_ = batch.chosen(samples);
        begin();
        is_whole_ = false;
      } catch (const InputError&) {
        batch_ = batch;  // the model takes batches of one size only
      }
    }
    if (!is_part || is_whole_) {
      begin();
    }
    targets_ = batch_.targets.copies(start_.copies);
    if (options.removal == Removal::mean) {
      constants_ = constants_of(options.means, layer.name, layer.call, batch_.clusters, neurons, "mean activations");
    }
  }

  /// y where the neurons of a coalition are all that is left: float64 [coalitions, n].
  /// @param removed gives which neurons the coalitions of these numbers lack: bool [numbers, 1 or n, neurons]
  template <typename Removed>
  at::Tensor y(std::int64_t coalitions, const Removed& removed) const {
    std::vector<at::Tensor> all;
    for (std::int64_t first = 0; first < coalitions; first += start_.copies) {
      // The last run may have fewer coalitions than copies.
      const at::Tensor numbers = at::arange(first, first + start_.copies).clamp_max(coalitions - 1);
      const at::Tensor some = y_without(spread(removed(numbers)));
      all.push_back(some.slice(0, 0, std::min(start_.copies, coalitions - first)));
    }
    const at::Tensor y = at::cat(all);
    return is_whole_ && samples_.size(0) < batch_.samples() ? y.index_select(1, samples_) : y;
  }

 private:
  /// Where the batch had to stay whole, nothing is removed for those that no longer play.
  at::Tensor spread(const at::Tensor& removed) const {
    if (!is_whole_ || removed.size(1) == 1 || samples_.size(0) == batch_.samples()) {
      return removed;
    }
    return at::zeros({removed.size(0), batch_.samples(), neurons_}, at::kBool).index_copy_(1, samples_, removed);
  }

  /// @param masks bool [copies, 1 or N, neurons]
  at::Tensor y_without(const at::Tensor& masks) const {
    const auto change = [&](const at::Tensor& value, std::int64_t axis) {
      return methods::removed(value, axis, masks, constants_, start_.mask);
    };
    const model::OutputRows outputs = rerun_.run(start_, change).outputs;
    return as_blocks(model::selected_outputs(outputs, targets_, options_.output), start_.copies).to(at::kCPU);
  }

  const LayerRerun& rerun_;
  const AttributionOptions& options_;
  std::int64_t neurons_;
  at::Tensor samples_;
  model::Batch batch_;
  LayerRerun::Start start_;
  model::Targets targets_;
  at::Tensor constants_;
  bool is_whole_ = true;  ///< whether batch_ is all of the batch
};

/// By the definition, over all coalitions; those are numbered by the bits of their neurons.
/// @param y float64 [2^neurons, N]
at::Tensor exact_values(const at::Tensor& y, std::int64_t neurons) {
  // The share of the orders in which exactly those s neurons come before: s! (n − s − 1)! / n!
  std::vector<double> shares;
  for (std::int64_t size = 0; size < neurons; ++size) {
    const auto n = static_cast<double>(neurons);
    const auto s = static_cast<double>(size);
    shares.push_back(std::exp(std::lgamma(s + 1) + std::lgamma(n - s) - std::lgamma(n + 1)));
  }
  at::Tensor values = at::zeros({y.size(1), neurons}, at::kDouble);
  for (std::int64_t coalition = 0; coalition < y.size(0); ++coalition) {
    const auto size = static_cast<std::size_t>(__builtin_popcountll(static_cast<std::uint64_t>(coalition)));
    for (std::int64_t neuron = 0; neuron < neurons; ++neuron) {
      const std::int64_t with = coalition | (std::int64_t{1} << neuron);
      if (with != coalition) {
        values.select(1, neuron).add_(y[with] - y[coalition], shares[size]);
      }
    }
  }
  return values;
}

/// The mean over permutations and its standard error, which grow together (Welford).
struct Estimate {
  at::Tensor mean;     ///< float64 [N, neurons]
  at::Tensor squares;  ///< likewise: the sum of squared distances from the mean

  void add(const at::Tensor& samples, const at::Tensor& values, std::int64_t count) {
    const at::Tensor before = mean.index_select(0, samples);
    const at::Tensor after = before + (values - before) / static_cast<double>(count);
    squares.index_add_(0, samples, (values - before) * (values - after));
    mean.index_copy_(0, samples, after);
  }
};

/// What a permutation gives each neuron: its own contribution when it joins those before it.
/// @param y    float64 [neurons + 1, n], of the first k neurons of the permutation
/// @param rank int64 [n, neurons], each neuron's place in it
at::Tensor contributions(const at::Tensor& y, const at::Tensor& rank) {
  return (y.slice(0, 1) - y.slice(0, 0, -1)).t().gather(1, rank);
}

/// Permutations in pairs, one the reverse of the other, whose errors mostly cancel; a pair is one draw.
class Sampling {
 public:
  Sampling(const AttributionOptions& options, const at::Tensor& y_all, const at::Tensor& y_none, std::int64_t neurons,
           std::vector<Draws> draws)
      : options_(options), all_(y_all), none_(y_none), neurons_(neurons), draws_(std::move(draws)) {
    estimate_.mean = at::zeros({all_.size(0), neurons}, at::kDouble);
    estimate_.squares = at::zeros_like(estimate_.mean);
  }

  /// @param game_of plays with some of the samples
  template <typename GameOf>
  at::Tensor run(const GameOf& game_of) {
    const std::int64_t most_pairs = options_.permutations / 2;
    at::Tensor playing = at::arange(all_.size(0));
    for (std::int64_t pairs = 0; pairs < most_pairs && playing.size(0) > 0;) {
      const std::int64_t count = std::min(pairs_at_once, most_pairs - pairs);
      play(game_of(playing), playing, pairs, count);
      pairs += count;
      playing = playing.masked_select(unsettled(playing, pairs));
    }
    return estimate_.mean;
  }

  /// How many coalitions a game tries at once.
  std::int64_t coalitions_at_once() const { return pairs_at_once * 2 * (neurons_ - 1); }

 private:
  /// Fewer tell too little of how far they spread.
  static constexpr std::int64_t pairs_at_once = 8;

  template <typename TheGame>
  void play(const TheGame& game, const at::Tensor& playing, std::int64_t before, std::int64_t pairs) {
    std::vector<at::Tensor> drawn;
    for (std::int64_t pair = 0; pair < pairs; ++pair) {
      drawn.push_back(drawn_ranks(playing));
    }
    const at::Tensor ranks = at::stack(drawn);
    const std::int64_t inner = neurons_ - 1;  // neither none nor all
    // Of a pair first those of the order, from one neuron up, then those of its reverse.
    const at::Tensor y = game.y(pairs * 2 * inner, [&](const at::Tensor& numbers) {
      const at::Tensor rank = ranks.index_select(0, numbers.floor_divide(2 * inner));
      const at::Tensor size = numbers.remainder(inner).add(1).view({-1, 1, 1});
      const at::Tensor is_reverse = numbers.floor_divide(inner).remainder(2).eq(1).view({-1, 1, 1});
      return at::where(is_reverse, rank.lt(neurons_ - size), rank.ge(size));
    });
    const at::Tensor none = none_.index_select(0, playing).unsqueeze(0);
    const at::Tensor all = all_.index_select(0, playing).unsqueeze(0);
    for (std::int64_t pair = 0; pair < pairs; ++pair) {
      const at::Tensor& rank = drawn[static_cast<std::size_t>(pair)];
      const auto of = [&](std::int64_t which) {
        const std::int64_t begin = (2 * pair + which) * inner;
        return at::cat({none, y.slice(0, begin, begin + inner), all});
      };
      const at::Tensor values = (contributions(of(0), rank) + contributions(of(1), neurons_ - 1 - rank)) / 2;
      estimate_.add(playing, values, before + pair + 1);
    }
  }

  at::Tensor drawn_ranks(const at::Tensor& playing) {
    at::Tensor ranks = at::empty({playing.size(0), neurons_}, at::kLong);
    auto rank = ranks.accessor<std::int64_t, 2>();
    const auto* sample = playing.const_data_ptr<std::int64_t>();
    for (std::int64_t row = 0; row < playing.size(0); ++row) {
      const std::vector<std::int64_t> order = draws_[static_cast<std::size_t>(sample[row])].permutation(neurons_);
      std::copy(order.begin(), order.end(), rank[row].data());  // the inverse is as much drawn as the order
    }
    return ranks;
  }

  /// Which samples have a neuron whose standard error is too large.
  at::Tensor unsettled(const at::Tensor& playing, std::int64_t pairs) const {
    const auto count = static_cast<double>(pairs);
    const at::Tensor errors = estimate_.squares.index_select(0, playing).div(std::max(1.0, count - 1) * count).sqrt();
    const at::Tensor bound = (all_ - none_).index_select(0, playing).abs() * options_.shapley_error;
    const bool may_settle = pairs > 1 && options_.shapley_error > 0;
    return errors.gt(bound.unsqueeze(1)).any(1).logical_or(at::full({}, !may_settle, at::kBool));
  }

  const AttributionOptions& options_;
  at::Tensor all_;
  at::Tensor none_;
  std::int64_t neurons_;
  std::vector<Draws> draws_;  ///< per sample
  Estimate estimate_;
};

/// Whether trying all coalitions costs no more than the permutations.
bool is_enumerated(std::int64_t neurons, std::int64_t permutations) {
  constexpr std::int64_t most_neurons = 10;
  return neurons <= most_neurons && (neurons == 1 || (std::int64_t{1} << neurons) <= permutations * (neurons - 1));
}

}  // namespace

std::uint64_t Draws::next() { return mixed(state_ += 0x9e3779b97f4a7c15U); }

std::vector<std::int64_t> Draws::permutation(std::int64_t count) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  for (std::size_t i = order.size(); i > 1; --i) {
    std::swap(order[i - 1], order[static_cast<std::size_t>(uniform() * static_cast<double>(i))]);
  }
  return order;
}

std::vector<Draws> draws_of(const model::Batch& batch, std::uint64_t seed, const std::string& layer) {
  const std::uint64_t common = hashed(mixed(seed + 0x9e3779b97f4a7c15U), layer);
  std::vector<std::uint64_t> seeds(static_cast<std::size_t>(batch.samples()), common);
  for (const NamedTensor& each : batch.inputs) {
    if (each.is_shared) {
      continue;
    }
    const at::Tensor rows = each.tensor.detach().to(at::kCPU).contiguous();
    const auto size = static_cast<std::size_t>(rows.nbytes()) / seeds.size();
    const auto* bytes = static_cast<const char*>(rows.const_data_ptr());
    for (std::size_t i = 0; i < seeds.size(); ++i) {
      seeds[i] = hashed(seeds[i], {bytes + i * size, size});
    }
  }
  std::vector<Draws> draws;
  for (const std::uint64_t each : seeds) {
    draws.emplace_back(mixed(each));
  }
  return draws;
}

model::SampleScores shapley(const LayerRerun& rerun, const model::LayerBatch& layer, const model::Batch& batch,
                            const AttributionOptions& options) {
  const at::NoGradGuard no_gradients;
  const statistics::SampleValues reduction = model::reduction_of(layer, batch.samples());
  const std::int64_t neurons = reduction.neurons();
  const auto game_of = [&](std::int64_t most_coalitions, const at::Tensor& samples) {
    return Game(rerun, layer, batch, options, neurons, neurons * reduction.positions(), most_coalitions, samples);
  };
  const at::Tensor everyone = at::arange(batch.samples());
  if (is_enumerated(neurons, options.permutations)) {
    const std::int64_t coalitions = std::int64_t{1} << neurons;
    const at::Tensor bits = at::pow(2, at::arange(neurons));
    const at::Tensor y = game_of(coalitions, everyone).y(coalitions, [&](const at::Tensor& numbers) {
      return numbers.view({-1, 1, 1}).floor_divide(bits).remainder(2).eq(0);
    });
    return {Method::shapley, values_of(exact_values(y, neurons)), values_of(y[coalitions - 1] - y[0]), {}};
  }
  const at::Tensor ends = game_of(2, everyone).y(2, [&](const at::Tensor& numbers) {
    return numbers.eq(0).view({-1, 1, 1}).expand({-1, 1, neurons});
  });
  Sampling sampling(options, ends[1], ends[0], neurons, draws_of(batch, options.seed, rerun.id()));
  const at::Tensor values =
      sampling.run([&](const at::Tensor& playing) { return game_of(sampling.coalitions_at_once(), playing); });
  return {Method::shapley, values_of(values), values_of(ends[1] - ends[0]), {}};
}

}  // namespace pregrad::methods
