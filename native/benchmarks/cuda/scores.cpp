// Times the statistics kernels, with all quantities at once, against a copy from device memory to device memory, and
// the same work by LibTorch's own operators.
//
// bytes_per_second counts what is read and written: of the kernels and the operators the two tensors once, whatever the
// operators really move; of the copy its source and its destination.

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <benchmark/benchmark.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAStream.h>
#include <cuda_runtime_api.h>

#include "cuda/device.hpp"
#include "support/cluster_rows.hpp"

namespace pregrad::benchmarks {

namespace {

/// How many seconds of the device's time the work between two events takes.
class Stopwatch {
 public:
  Stopwatch() {
    C10_CUDA_CHECK(cudaEventCreate(&begin_));
    C10_CUDA_CHECK(cudaEventCreate(&end_));
  }
  ~Stopwatch() {
    C10_CUDA_IGNORE_ERROR(cudaEventDestroy(begin_));
    C10_CUDA_IGNORE_ERROR(cudaEventDestroy(end_));
  }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

  template <typename Work>
  double seconds(const Work& work) const {
    const cudaStream_t stream = c10::cuda::getCurrentCUDAStream().stream();
    C10_CUDA_CHECK(cudaEventRecord(begin_, stream));
    work();
    C10_CUDA_CHECK(cudaEventRecord(end_, stream));
    C10_CUDA_CHECK(cudaEventSynchronize(end_));
    float milliseconds = 0;
    C10_CUDA_CHECK(cudaEventElapsedTime(&milliseconds, begin_, end_));
    return milliseconds / 1e3;
  }

 private:
  cudaEvent_t begin_ = nullptr;
  cudaEvent_t end_ = nullptr;
};

struct Case {
  std::string name;
  std::vector<std::int64_t> sample;  ///< the shape of one
  std::int64_t neuron_axis;
  at::ScalarType type;
  bool is_channels_last = false;
};

constexpr std::int64_t cluster_count = 10;

struct Batch {
  at::Tensor x;
  at::Tensor y;
  std::vector<std::int64_t> clusters;
  std::int64_t bytes = 0;

  Batch(const Case& one, std::int64_t wanted_bytes) {
    std::int64_t sample_bytes = static_cast<std::int64_t>(c10::elementSize(one.type));
    for (const std::int64_t size : one.sample) {
      sample_bytes *= size;
    }
    std::vector<std::int64_t> shape = one.sample;
    shape.insert(shape.begin(), wanted_bytes / 2 / sample_bytes);
    const auto options = at::TensorOptions().dtype(one.type).device(at::kCUDA).memory_format(
        one.is_channels_last ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous);
    x = at::empty(shape, options).normal_();
    y = at::empty(shape, options).normal_();
    for (std::int64_t i = 0; i < shape[0]; ++i) {
      clusters.push_back(i * 7919 % cluster_count);
    }
    bytes = 2 * shape[0] * sample_bytes;
  }
};

constexpr cuda::WantedQuantities all_quantities = {
    {{true, false, true}, {true, false, false}, {true, false, false}, {true, false, true}}};

/// Every step an operator of its own, as one would write it.
at::Tensor by_operators(const Batch& batch, std::int64_t neuron_axis, const at::Tensor& clusters) {
  std::vector<std::int64_t> positions;
  for (std::int64_t axis = 1; axis < batch.x.dim(); ++axis) {
    if (axis != neuron_axis) {
      positions.push_back(axis);
    }
  }
  const auto sum = [&](const at::Tensor& values) {
    return positions.empty() ? values.to(at::kDouble) : values.sum(positions, false, at::kDouble);
  };
  std::vector<at::Tensor> results;
  for (const at::Tensor& values : {sum(batch.x), sum(batch.y), sum(batch.x * batch.y), sum(batch.x > 0)}) {
    for (const at::Tensor& term : {values, values.abs(), values.square()}) {
      results.push_back(at::zeros({cluster_count, values.size(1)}, values.options()).index_add_(0, clusters, term));
    }
  }
  return at::stack(results);
}

template <typename Work>
void measure(benchmark::State& state, std::int64_t bytes, const Work& work) {
  const Stopwatch stopwatch;
  work();
  for ([[maybe_unused]] auto _ : state) {
    state.SetIterationTime(stopwatch.seconds(work));
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * bytes);
}

bool has_device(benchmark::State& state) {
  if (c10::cuda::device_count() > 0) {
    return true;
  }
  state.SkipWithError("there is no CUDA device");
  return false;
}

void run_kernels(benchmark::State& state, const Case& one) {
  if (has_device(state)) {
    const Batch batch(one, state.range(0) << 30);
    const support::ClusterRows rows(batch.clusters);
    measure(state, batch.bytes, [&] { cuda::device_scores(batch.x, batch.y, one.neuron_axis, rows, all_quantities); });
  }
}

void run_operators(benchmark::State& state, const Case& one) {
  if (has_device(state)) {
    const Batch batch(one, state.range(0) << 30);
    const at::Tensor clusters = at::tensor(batch.clusters, at::kLong).to(at::kCUDA);
    measure(state, batch.bytes, [&] { by_operators(batch, one.neuron_axis, clusters); });
  }
}

void run_copy(benchmark::State& state) {
  if (has_device(state)) {
    const std::int64_t bytes = (state.range(0) << 30) / 2;
    const auto options = at::TensorOptions().dtype(at::kByte).device(at::kCUDA);
    const at::Tensor from = at::zeros({bytes}, options);
    const at::Tensor to = at::empty({bytes}, options);
    measure(state, 2 * bytes, [&] {
      C10_CUDA_CHECK(cudaMemcpyAsync(to.data_ptr(), from.const_data_ptr(), static_cast<std::size_t>(bytes),
                                     cudaMemcpyDeviceToDevice, c10::cuda::getCurrentCUDAStream().stream()));
    });
  }
}

void add_benchmarks() {
  const auto with_sizes = [](benchmark::internal::Benchmark* one) {
    one->ArgName("GiB")->Arg(1)->Arg(2)->Arg(4)->UseManualTime()->Unit(benchmark::kMicrosecond);
  };
  with_sizes(benchmark::RegisterBenchmark("copy", run_copy));
  std::vector<Case> cases;
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    const std::string suffix = type == at::kFloat ? "/float32" : "/bfloat16";
    cases.push_back({"linear" + suffix, {4096}, 1, type});
    cases.push_back({"transformer" + suffix, {197, 768}, 2, type});
    cases.push_back({"56x56" + suffix, {256, 56, 56}, 1, type});
    cases.push_back({"7x7" + suffix, {2048, 7, 7}, 1, type});
    cases.push_back({"112x112-channels-last" + suffix, {64, 112, 112}, 1, type, true});
    cases.push_back({"7x7-channels-last" + suffix, {2048, 7, 7}, 1, type, true});
  }
  for (const Case& one : cases) {
    with_sizes(benchmark::RegisterBenchmark(("kernels/" + one.name).c_str(),
                                            [one](benchmark::State& state) { run_kernels(state, one); }));
    with_sizes(benchmark::RegisterBenchmark(("operators/" + one.name).c_str(),
                                            [one](benchmark::State& state) { run_operators(state, one); }));
  }
}

}  // namespace

}  // namespace pregrad::benchmarks

int main(int argc, char** argv) {
  const at::NoGradGuard no_gradients;
  pregrad::benchmarks::add_benchmarks();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
    return 2;
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
