// Times PreGrad's C++ interface and, for the same work, LibTorch written by hand.
//
// Usage: pregrad_benchmarks --cases=cases.tsv --folder=FOLDER [--memory] [--threads=SECONDS] [--once=WAY/CASE,COUNT]
//                           [--device=DEVICE] [--peak=WAY/CASE] [--tolerance=RATIO] [--benchmark_...]
//   --memory   print the bytes held for the backward instead, as one line of JSON
//   --threads  print how many single samples 16 threads add per second instead, as one line of JSON
//   --training  time steps of training with and without a probe in so many rounds instead, a line of JSON per model
//   --tolerance  how far sums of PreGrad and of the floor may be apart, relative to their norm; 1e-4 if not given
//   --device   where all of it runs, such as cuda:0; the device is waited for after each batch
//   WAY is cpp, floor or, on a device, eager: the C++ interface without CUDA graphs
//   --peak     print the most bytes that one way of one case holds on the device, as one line of JSON
//   --once     run one way of one case COUNT times and end, for a profiler

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <functional>
#include <iostream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>

#include <ATen/Parallel.h>
#include <benchmark/benchmark.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/script.h>

#include <pregrad/pregrad.hpp>

#include "cases.hpp"
#include "floor.hpp"
#include "open.hpp"
#include "saved_memory.hpp"
#include "training.hpp"

namespace pregrad::benchmarks {

namespace {

/// Waits for what was only begun.
void finish(c10::Device device) {
  if (!device.is_cpu()) {
    c10::impl::VirtualGuardImpl(device.type()).synchronizeDevice(device.index());
  }
}

/// A floor that does other work than PreGrad would be no floor.
void require_equal(const Case& one, const Attribution& attribution, const Floor& floor, double tolerance) {
  std::string layer;
  std::int64_t index = -1;
  for (const Score& score : attribution.scores().entries()) {
    const std::string name = score.layer + "@" + std::to_string(score.call);
    index += name == layer ? 0 : 1;
    layer = name;
    const at::Tensor expected = floor.sums().at(static_cast<std::size_t>(index))[score.cluster].to(at::kCPU);
    const auto& mean = score.statistics.mean;
    const at::Tensor actual = at::tensor(mean, at::kDouble) * static_cast<double>(score.statistics.count);
    const double difference = (actual - expected).norm().item<double>();
    if (!(difference <= tolerance * expected.norm().item<double>() + 1e-9)) {
      throw std::runtime_error("case '" + one.name + "': PreGrad and the floor differ at " + name + " in cluster " +
                               std::to_string(score.cluster));
    }
  }
}

/// Else the number would be taken for that of a replay.
void tell_unless_replayed(const Case& one, const Attribution& attribution) {
  if (attribution.batches_replayed() == 0) {
    std::cerr << "pregrad_benchmarks: case '" << one.name
              << "' runs without a CUDA graph: " << attribution.graph_refusal() << '\n';
  }
}

/// From the third batch on a device replays what it recorded.
int batches_before(c10::Device device) { return device.is_cpu() ? 1 : 4; }

/// The ways of a case, made and compared when the first of them is timed: a run with a filter pays for no other.
class Pair {
 public:
  Pair(Case one, double tolerance) : case_(std::move(one)), tolerance_(tolerance) {}

  void add_with_floor() {
    floor_->add(case_.inputs, case_.labels.to(case_.device), case_.clusters.to(case_.device));
    finish(case_.device);
  }
  void add_with_pregrad() {
    attribution_->add(case_.inputs, case_.labels, case_.clusters);
    finish(case_.device);
  }
  void add_without_graphs() {
    eager_->add(case_.inputs, case_.labels, case_.clusters);
    finish(case_.device);
  }
  void prepare() {
    if (attribution_) {
      return;
    }
    attribution_.emplace(open(case_));
    floor_ = make_floor(case_);
    for (int i = 0; i < batches_before(case_.device); ++i) {
      add_with_floor();
      add_with_pregrad();
    }
    require_equal(case_, *attribution_, *floor_, tolerance_);
    if (!case_.device.is_cpu()) {
      tell_unless_replayed(case_, *attribution_);
      eager_.emplace(open(case_, /*cuda_graphs=*/false));
      add_without_graphs();
    }
  }

 private:
  Case case_;
  double tolerance_;
  std::optional<Attribution> attribution_;
  std::optional<Attribution> eager_;  ///< on a device only
  std::unique_ptr<Floor> floor_;
};

void register_way(const std::string& name, const std::shared_ptr<Pair>& pair, void (Pair::*add)()) {
  benchmark::RegisterBenchmark(name.c_str(),
                               [pair, add](benchmark::State& state) {
                                 pair->prepare();
                                 for (auto iteration : state) {
                                   ((*pair).*add)();
                                 }
                               })
      ->UseRealTime()
      ->Unit(benchmark::kMicrosecond);
}

/// ResNet-18 with the middle layer, against the model as a user runs it without PreGrad: gradients of all weights.
void print_memory(const Case& middle) {
  Attribution attribution = open(middle);
  const auto add = [&] { attribution.add(middle.inputs, middle.labels, middle.clusters); };
  add();
  const std::int64_t pregrad = bytes_held_for_backward(add);
  torch::jit::Module module = torch::jit::load(middle.model.string());
  module.eval();
  const auto whole = [&] {
    module.forward({middle.inputs}).toTensor().gather(1, middle.labels.unsqueeze(1)).sum().backward();
  };
  whole();
  std::cout << "{\"middle\": " << pregrad << ", \"whole\": " << bytes_held_for_backward(whole) << "}\n";
}

/// The most bytes that one way of a case holds on its device at once, the weights included.
void print_peak(const Case& one, const std::string& way) {
  std::unique_ptr<Floor> floor;
  std::optional<Attribution> attribution;
  const auto add = [&] {
    if (floor) {
      floor->add(one.inputs, one.labels.to(one.device), one.clusters.to(one.device));
    } else {
      attribution->add(one.inputs, one.labels, one.clusters);
    }
    finish(one.device);
  };
  if (way == "floor") {
    floor = make_floor(one);
  } else {
    attribution.emplace(open(one, /*cuda_graphs=*/way != "eager"));
  }
  for (int i = 0; i < batches_before(one.device); ++i) {
    add();
  }
  auto* allocator = at::getDeviceAllocator(one.device.type());
  allocator->resetPeakStats(one.device.index());
  add();
  std::cout << "{\"peak\": " << allocator->getDeviceStats(one.device.index()).allocated_bytes.at(0).peak << "}\n";
}

/// Calls `add` from all threads for so long; calls per second.
double calls_per_second(double seconds, const std::vector<std::function<void()>>& adders) {
  std::atomic<bool> running = true;
  std::atomic<std::int64_t> calls = 0;
  std::vector<std::thread> threads;
  const auto start = std::chrono::steady_clock::now();
  for (const std::function<void()>& add : adders) {
    threads.emplace_back([&] {
      std::int64_t own = 0;
      for (; running.load(std::memory_order_relaxed); ++own) {
        add();
      }
      calls += own;
    });
  }
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  running = false;
  for (std::thread& thread : threads) {
    thread.join();
  }
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;
  return static_cast<double>(calls) / passed.count();
}

/// All threads in one attribution, against a floor for each, which shares nothing but the weights.
void print_threads(const Case& one, double seconds) {
  constexpr std::size_t thread_count = 16;
  Attribution attribution = open(one);
  std::vector<std::unique_ptr<Floor>> floors;
  std::vector<std::function<void()>> alone;
  std::vector<std::function<void()>> together;
  for (std::size_t i = 0; i < thread_count; ++i) {
    floors.push_back(make_floor(one));
    alone.emplace_back([&one, floor = floors.back().get()] {
      // Who runs so many threads himself leaves LibTorch one each.
      at::set_num_threads(1);
      floor->add(one.inputs, one.labels, one.clusters);
    });
    together.emplace_back([&] { attribution.add(one.inputs, one.labels, one.clusters); });
  }
  attribution.add(one.inputs, one.labels, one.clusters);
  std::vector<double> ours;
  std::vector<double> theirs;
  constexpr int turns = 5;
  for (int turn = 0; turn < turns; ++turn) {
    theirs.push_back(calls_per_second(seconds / turns, alone));
    ours.push_back(calls_per_second(seconds / turns, together));
  }
  std::sort(ours.begin(), ours.end());
  std::sort(theirs.begin(), theirs.end());
  std::cout << "{\"cpp\": " << ours[turns / 2] << ", \"floor\": " << theirs[turns / 2] << "}\n";
}

void run_once(const std::vector<Case>& cases, const std::string& argument) {
  const std::size_t slash = argument.find('/');
  const std::size_t comma = argument.find(',');
  const Case& one = find(cases, argument.substr(slash + 1, comma - slash - 1));
  const int count = std::stoi(argument.substr(comma + 1));
  const std::string way = argument.substr(0, slash);
  if (way == "floor") {
    const std::unique_ptr<Floor> floor = make_floor(one);
    for (int i = 0; i < count; ++i) {
      floor->add(one.inputs, one.labels, one.clusters);
    }
    return;
  }
  Attribution attribution = open(one, /*cuda_graphs=*/way != "eager");
  for (int i = 0; i < count; ++i) {
    attribution.add(one.inputs, one.labels, one.clusters);
  }
}

int run(int count, char** arguments) {
  std::string list;
  std::string folder;
  std::string once;
  std::string peak;
  std::string device = "cpu";
  bool memory = false;
  double threads = 0;
  double tolerance = 1e-4;
  for (int i = 1; i < count; ++i) {
    const std::string argument = arguments[i];
    if (argument.starts_with("--cases=")) {
      list = argument.substr(8);
    } else if (argument.starts_with("--folder=")) {
      folder = argument.substr(9);
    } else if (argument.starts_with("--once=")) {
      once = argument.substr(7);
    } else if (argument.starts_with("--peak=")) {
      peak = argument.substr(7);
    } else if (argument.starts_with("--device=")) {
      device = argument.substr(9);
    } else if (argument.starts_with("--tolerance=")) {
      tolerance = std::stod(argument.substr(12));
    } else if (argument.starts_with("--threads=")) {
      threads = std::stod(argument.substr(10));
    } else if (argument.starts_with("--training=")) {
      print_training(std::stoi(argument.substr(11)));
      return 0;
    } else if (argument == "--memory") {
      memory = true;
    }
  }
  const std::vector<Case> cases = read_cases(list, folder, c10::Device(device));
  if (memory) {
    print_memory(find(cases, "resnet-middle-32"));
    return 0;
  }
  if (threads > 0) {
    print_threads(find(cases, "mlp-1"), threads);
    return 0;
  }
  if (!peak.empty()) {
    const std::size_t slash = peak.find('/');
    print_peak(find(cases, peak.substr(slash + 1)), peak.substr(0, slash));
    return 0;
  }
  if (!once.empty()) {
    run_once(cases, once);
    return 0;
  }
  for (const Case& one : cases) {
    const auto pair = std::make_shared<Pair>(one, tolerance);
    register_way("floor/" + one.name, pair, &Pair::add_with_floor);
    register_way("cpp/" + one.name, pair, &Pair::add_with_pregrad);
    if (!one.device.is_cpu()) {
      register_way("eager/" + one.name, pair, &Pair::add_without_graphs);
    }
  }
  benchmark::Initialize(&count, arguments);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}

}  // namespace

}  // namespace pregrad::benchmarks

int main(int count, char** arguments) {
  try {
    return pregrad::benchmarks::run(count, arguments);
  } catch (const std::exception& error) {
    std::cerr << "pregrad_benchmarks: " << error.what() << '\n';
    return 1;
  }
}
