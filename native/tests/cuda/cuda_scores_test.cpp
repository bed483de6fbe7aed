#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <ATen/Functions.h>
#include <gtest/gtest.h>

#include "cuda/tensors.hpp"
#include "cuda_devices.hpp"
#include "statistics/batch_moments.hpp"
#include "statistics/sample_values.hpp"
#include "support/cluster_rows.hpp"

namespace pregrad::test::cuda_scores_test {

namespace {

using cuda::ScoreTensors;
using cuda::WantedQuantities;
using support::ClusterRows;

enum class Memory { plain, channels_last, unaligned, gaps };

struct Case {
  std::string name;
  std::vector<std::int64_t> shape;
  std::int64_t axis = 1;
  Memory memory = Memory::plain;
  at::ScalarType type = at::kFloat;
  std::int64_t clusters = 3;
};

at::Tensor laid(const at::Tensor& values, Memory memory) {
  switch (memory) {
    case Memory::channels_last:
      return values.contiguous(values.dim() == 5 ? at::MemoryFormat::ChannelsLast3d : at::MemoryFormat::ChannelsLast);
    case Memory::unaligned:
      return at::cat({at::zeros({1}, values.options()), values.reshape({-1})}).slice(0, 1).view(values.sizes());
    case Memory::gaps:
      return at::stack({values, values}, -1).select(-1, 1);
    case Memory::plain:
      break;
  }
  return values;
}

at::Tensor random(const Case& one, double mean) {
  return laid((at::randn(one.shape, at::kDouble) + mean).to(one.type), one.memory);
}

std::vector<std::int64_t> random_clusters(std::int64_t samples, std::int64_t count) {
  std::mt19937_64 engine(7);
  std::vector<std::int64_t> clusters(static_cast<std::size_t>(samples));
  for (std::int64_t i = 0; i < samples; ++i) {
    clusters[static_cast<std::size_t>(i)] =
        count == samples ? samples - i : static_cast<std::int64_t>(engine() % static_cast<std::uint64_t>(count)) - 1;
  }
  return clusters;
}

constexpr WantedQuantities all = {{{true, true, true}, {true, true, false}, {true, true, false}, {true, true, true}}};

ScoreTensors on_cpu(const ScoreTensors& scores) { return {scores.moments.to(at::kCPU), scores.values.to(at::kCPU)}; }

/// What today's statistics on the CPU make of the same.
struct Expected {
  at::Tensor moments;
  at::Tensor values;
  at::Tensor scale;  ///< Σ|x|, Σ|y| and so on per sample: how large what was added up is
};

Expected expected(const Case& one, const at::Tensor& x, const at::Tensor& y, const ClusterRows& rows) {
  const statistics::SampleValues reduction(one.shape, one.axis);
  const auto sums = [&](const at::Tensor& left, const at::Tensor& right) {
    const statistics::PositionSums all_sums = reduction.sums(left, right, {true, true, true, true});
    std::vector<at::Tensor> tensors;
    for (const auto& each : {all_sums.x, all_sums.y, all_sums.products, all_sums.positive}) {
      tensors.push_back(at::tensor(each, at::kDouble).view({reduction.samples(), reduction.neurons()}));
    }
    tensors[0] /= static_cast<double>(reduction.positions());
    tensors[3] /= static_cast<double>(reduction.positions());
    return at::stack(tensors);
  };
  Expected result;
  result.values = sums(x, y);
  result.scale = sums(x.abs(), y.abs());
  std::vector<at::Tensor> moments;
  for (std::int64_t quantity = 0; quantity < 4; ++quantity) {
    const at::Tensor values = result.values[quantity].contiguous();
    const statistics::BatchMoments batch(statistics::NeuronValues(values), rows);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto of = batch.of(i);
      for (const double* each : {of.sum, of.absolute, of.spread}) {
        moments.push_back(at::tensor(std::vector<double>(each, each + of.neurons), at::kDouble));
      }
    }
  }
  result.moments = at::stack(moments).view({4, static_cast<std::int64_t>(rows.size()), 3, reduction.neurons()});
  return result;
}

/// How far the values are apart, in units of what rounding may do.
double distance(const at::Tensor& actual, const at::Tensor& wanted, const at::Tensor& scale) {
  const double apart = ((actual - wanted).abs() / (scale + 1e-300)).max().item<double>();
  return apart / 1e-13;
}

void expect_equal(const Case& one, const ScoreTensors& actual, const Expected& wanted, const ClusterRows& rows) {
  ASSERT_EQ(actual.values.sizes(), wanted.values.sizes()) << one.name;
  ASSERT_EQ(actual.moments.sizes(), wanted.moments.sizes()) << one.name;
  EXPECT_LE(distance(actual.values, wanted.values, wanted.scale), 1) << one.name;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto members = at::tensor(std::vector<std::int64_t>(rows.rows(i).begin(), rows.rows(i).end()), at::kLong);
    const at::Tensor scale = wanted.scale.index_select(1, members);
    const auto cluster = static_cast<std::int64_t>(i);
    const auto part = [&](const at::Tensor& moments, std::int64_t kind) {
      return moments.select(1, cluster).select(1, kind);
    };
    EXPECT_LE(distance(part(actual.moments, 0), part(wanted.moments, 0), scale.sum(1)), 1) << one.name;
    EXPECT_LE(distance(part(actual.moments, 1), part(wanted.moments, 1), scale.sum(1)), 1) << one.name;
    EXPECT_LE(distance(part(actual.moments, 2), part(wanted.moments, 2), scale.square().sum(1)), 10) << one.name;
    if (members.size(0) == 1) {
      EXPECT_EQ(part(actual.moments, 2).abs().max().item<double>(), 0) << one.name;
    }
  }
}

std::vector<Case> cases() {
  std::vector<Case> result = {
      {"one neuron", {50, 1}},
      {"one value per sample", {50}, 0},
      {"odd neurons", {50, 37}},
      {"rows of two chunks", {4096, 128}},
      {"rows of many chunks", {70000, 16}, 1, Memory::plain, at::kFloat, 2},
      {"unaligned rows", {50, 64}, 1, Memory::unaligned},
      {"positions and odd neurons", {9, 16, 5}, 2},
      {"few positions", {33, 7, 24}, 2},
      {"transformer", {40, 197, 48}, 2},
      {"unaligned transformer", {40, 197, 48}, 2, Memory::unaligned},
      {"transformer of many threads", {520, 17, 256}, 2},
      {"long sequence", {3, 5000, 12}, 2},
      {"long sequence of one neuron", {3, 5000, 1}, 2},
      {"long sequence, many neurons", {2, 700, 131}, 2},
      {"7 by 7", {21, 40, 7, 7}},
      {"56 by 56", {5, 9, 56, 56}},
      {"2 by 2", {20, 300, 2, 2}},
      {"3 by 3, one neuron", {20, 1, 3, 3}},
      {"runs of two chunks", {16400, 1, 2}},
      {"64 by 64", {3, 4, 64, 64}},
      {"longer than a tile", {4, 3, 5000}},
      {"longer than two tiles", {4, 3, 8189}},
      {"unaligned 56 by 56", {3, 6, 56, 56}, 1, Memory::unaligned},
      {"unaligned and longer than a tile", {3, 2, 4095}, 1, Memory::unaligned},
      {"outer and inner", {6, 3, 10, 4, 5}, 2},
      {"outer and long runs", {3, 3, 2, 4999}, 2},
      {"channels last", {6, 24, 14, 14}, 1, Memory::channels_last},
      {"channels last, odd", {6, 7, 5, 3}, 1, Memory::channels_last},
      {"channels last, long", {3, 16, 80, 80}, 1, Memory::channels_last},
      {"channels last in 3 dimensions", {3, 6, 5, 4, 3}, 1, Memory::channels_last},
      {"gaps", {5, 6, 7}, 1, Memory::gaps},
  };
  const std::vector<Case> plain = result;
  for (const Case& one : plain) {
    if (one.shape[0] > 1000) {
      continue;
    }
    for (const at::ScalarType type : {at::kHalf, at::kBFloat16, at::kDouble}) {
      Case typed = one;
      typed.type = type;
      typed.name += std::string(" as ") + c10::toString(type);
      result.push_back(typed);
    }
    Case lonely = one;
    lonely.clusters = one.shape[0];
    lonely.name += ", each sample a cluster";
    result.push_back(lonely);
  }
  return result;
}

class CudaScoresTest : public CudaTest {
 protected:
  static ScoreTensors scores(const at::Tensor& x, const at::Tensor& y, std::int64_t axis, const ClusterRows& rows,
                             const WantedQuantities& wanted) {
    return with_runner(
        [&](auto& runner) { return on_cpu(cuda::score_tensors(runner, placed(x), placed(y), axis, rows, wanted)); });
  }
};

TEST_P(CudaScoresTest, AreThoseOfTheCpu) {
  at::manual_seed(1);
  for (const Case& one : cases()) {
    const at::Tensor x = random(one, 0.25);
    const at::Tensor y = random(one, 0);
    const ClusterRows rows(random_clusters(one.shape[0], one.clusters));
    expect_equal(one, scores(x, y, one.axis, rows, all), expected(one, x, y, rows), rows);
  }
}

TEST_P(CudaScoresTest, AreTheSameBitsTwice) {
  at::manual_seed(2);
  for (const Case& one : cases()) {
    const at::Tensor x = random(one, 0.25);
    const at::Tensor y = random(one, 0);
    const ClusterRows rows(random_clusters(one.shape[0], one.clusters));
    const ScoreTensors first = scores(x, y, one.axis, rows, all);
    const ScoreTensors second = scores(x, y, one.axis, rows, all);
    EXPECT_TRUE(at::equal(first.moments, second.moments)) << one.name;
    EXPECT_TRUE(at::equal(first.values, second.values)) << one.name;
  }
}

TEST_P(CudaScoresTest, ChunksOfNobodyChangeNoBit) {
  at::manual_seed(4);
  for (const Case& one : cases()) {
    const at::Tensor x = random(one, 0.25);
    const at::Tensor y = random(one, 0);
    const ClusterRows rows(random_clusters(one.shape[0], one.clusters));
    const auto clusters = static_cast<std::int64_t>(rows.size());
    const ScoreTensors expected = scores(x, y, one.axis, rows, all);
    const ScoreTensors seen = with_runner([&](auto& runner) {
      const cuda::ChunkSource padded = [&](std::int64_t size) {
        cuda::ChunkTable table = cuda::chunk_table(rows, size, cuda::most_chunks(one.shape[0], clusters, size));
        EXPECT_EQ(table.chunks, cuda::most_chunks(one.shape[0], clusters, size)) << "more chunks than there can be";
        const std::int64_t* const memory = runner.upload(table.integers);
        return table.in(memory);
      };
      return on_cpu(cuda::score_tensors(runner, placed(x), placed(y), one.axis, clusters, padded, all));
    });
    EXPECT_TRUE(at::equal(seen.moments, expected.moments)) << one.name;
    EXPECT_TRUE(at::equal(seen.values, expected.values)) << one.name;
  }
}

TEST_P(CudaScoresTest, ReadWhatIsWantedOnly) {
  at::manual_seed(3);
  for (const Case& one : {Case{"rows", {20, 10}}, Case{"runs", {20, 10, 7, 7}}, Case{"columns", {3, 900, 10}, 2}}) {
    const at::Tensor x = random(one, 0.25);
    const at::Tensor y = random(one, 0);
    const ClusterRows rows(random_clusters(one.shape[0], one.clusters));
    const ScoreTensors both = scores(x, y, one.axis, rows, all);
    const WantedQuantities of_y = {{{}, {true, false, false}, {}, {}}};
    const ScoreTensors only_y = scores({}, y, one.axis, rows, of_y);
    EXPECT_TRUE(at::equal(only_y.moments[0], both.moments[1])) << one.name;
    EXPECT_EQ(only_y.values.numel(), 0) << one.name;
    const WantedQuantities of_x = {{{false, true, true}, {}, {}, {true, false, true}}};
    const ScoreTensors only_x = scores(x, {}, one.axis, rows, of_x);
    EXPECT_TRUE(at::equal(only_x.values[0], both.values[0])) << one.name;
    EXPECT_TRUE(at::equal(only_x.moments[0], both.moments[3])) << one.name;
  }
}

TEST_P(CudaScoresTest, MixLayoutsAndTypes) {
  at::manual_seed(4);
  const Case one = {"mixed", {6, 8, 5, 5}};
  const at::Tensor x = random(one, 0.25).contiguous(at::MemoryFormat::ChannelsLast);
  const at::Tensor y = random(one, 0);
  const ClusterRows rows(random_clusters(6, 2));
  expect_equal(one, scores(x, y, 1, rows, all), expected(one, x, y, rows), rows);
  expect_equal(one, scores(x, y.to(at::kDouble), 1, rows, all), expected(one, x, y.to(at::kDouble), rows), rows);
  const at::Tensor spread = at::full({1}, 0.5).expand({6, 8, 5, 5});
  expect_equal(one, scores(x, spread, 1, rows, all), expected(one, x, spread, rows), rows);
}

TEST_P(CudaScoresTest, KeepTheSpreadAboutAMeanFarAway) {
  at::manual_seed(5);
  const at::Tensor noise = at::randn({70000, 4}, at::kDouble);
  const at::Tensor x = noise + 1e6;
  const ClusterRows rows(std::vector<std::int64_t>(70000, 0));
  const WantedQuantities wanted = {{{true, false, false}, {}, {}, {}}};
  const at::Tensor spread = scores(x, {}, 1, rows, wanted).moments[0][0][2];
  const at::Tensor exact = (x - 1e6).var(0, false) * 70000;
  EXPECT_LT(((spread - exact) / exact).abs().max().item<double>(), 1e-10);
}

TEST_P(CudaScoresTest, KeepWhatIsNotFinite) {
  at::Tensor x = at::ones({8, 6, 4});
  x[3][2][1] = NAN;
  x[5][4][0] = INFINITY;
  const ClusterRows rows(std::vector<std::int64_t>(8, 0));
  const ScoreTensors actual = scores(x, x, 1, rows, all);
  const at::Tensor sums = actual.moments[0][0][0];
  EXPECT_TRUE(std::isnan(sums[2].item<double>()));
  EXPECT_FALSE(std::isfinite(sums[4].item<double>()));
  EXPECT_EQ(sums[0].item<double>(), 8);
}

PREGRAD_ON_BOTH(CudaScoresTest);

/// A device runs threads in any order.
TEST(CudaKernelTest, GiveTheSameBitsInEveryOrderOfThreads) {
  at::manual_seed(6);
  for (const Case& one : cases()) {
    const at::Tensor x = random(one, 0.25);
    const at::Tensor y = random(one, 0);
    const ClusterRows rows(random_clusters(one.shape[0], one.clusters));
    HostRunner rising(ThreadOrder::rising);
    HostRunner falling(ThreadOrder::falling);
    const ScoreTensors first = cuda::score_tensors(rising, x, y, one.axis, rows, all);
    const ScoreTensors second = cuda::score_tensors(falling, x, y, one.axis, rows, all);
    EXPECT_TRUE(at::equal(first.moments, second.moments)) << one.name;
    EXPECT_TRUE(at::equal(first.values, second.values)) << one.name;
  }
}

}  // namespace

}  // namespace pregrad::test::cuda_scores_test
