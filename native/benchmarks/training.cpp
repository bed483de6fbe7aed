#include "training.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <iostream>
#include <string>
#include <vector>

#include <torch/torch.h>

#include <pregrad/probe.hpp>

namespace pregrad::benchmarks {

namespace {

using Forward = std::function<at::Tensor(const at::Tensor& x, Probe* probe)>;

at::Tensor tapped(Probe* probe, const char* name, const at::Tensor& z) {
  return probe == nullptr ? z : probe->tap(name, z);
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

/// Both ways train the same weights, so that neither meets other numbers than the other.
void print_ratio(const std::string& name, const at::Tensor& x, const std::vector<at::Tensor>& weights, int steps,
                 int rounds, const Forward& forward) {
  torch::optim::SGD optimizer(weights, 1e-3);
  const at::Tensor labels = torch::arange(x.size(0)).remainder(10);
  Probe probe((AttributionOptions()));
  const auto microseconds_per_step = [&](Probe* used) {
    const auto start = std::chrono::steady_clock::now();
    for (int step = 0; step < steps; ++step) {
      optimizer.zero_grad();
      at::cross_entropy_loss(forward(x, used), labels).backward();
      if (used != nullptr) {
        used->collect(labels, static_cast<double>(x.size(0)));
      }
      optimizer.step();
    }
    const std::chrono::duration<double, std::micro> passed = std::chrono::steady_clock::now() - start;
    return passed.count() / steps;
  };
  microseconds_per_step(nullptr);
  microseconds_per_step(&probe);
  std::vector<double> without;
  std::vector<double> with;
  std::vector<double> ratios;
  for (int round = 0; round < rounds; ++round) {
    const bool is_probe_first = round % 2 == 0;
    const double first = microseconds_per_step(is_probe_first ? &probe : nullptr);
    const double second = microseconds_per_step(is_probe_first ? nullptr : &probe);
    with.push_back(is_probe_first ? first : second);
    without.push_back(is_probe_first ? second : first);
    ratios.push_back(with.back() / without.back());
  }
  std::cout << "{\"training\": \"" << name << "\", \"without\": " << median(without) << ", \"with\": " << median(with)
            << ", \"ratio\": " << median(ratios) << "}\n";
}

}  // namespace

void print_training(int rounds) {
  torch::manual_seed(0);
  torch::nn::Linear fc1(256, 512);
  torch::nn::Linear fc2(512, 512);
  torch::nn::Linear fc3(512, 10);
  std::vector<at::Tensor> weights;
  for (const auto& layer : {fc1, fc2, fc3}) {
    weights.push_back(layer->weight);
    weights.push_back(layer->bias);
  }
  print_ratio("mlp", torch::randn({256, 256}), weights, 20, rounds, [&](const at::Tensor& x, Probe* probe) {
    const at::Tensor h = tapped(probe, "relu1", fc1(x)).relu_();
    return fc3(tapped(probe, "relu2", fc2(h)).relu_());
  });

  torch::nn::Conv2d conv1(torch::nn::Conv2dOptions(3, 32, 3).padding(1));
  torch::nn::Conv2d conv2(torch::nn::Conv2dOptions(32, 64, 3).padding(1).stride(2));
  torch::nn::Linear last(64, 10);
  print_ratio("cnn", torch::randn({64, 3, 32, 32}),
              {conv1->weight, conv1->bias, conv2->weight, conv2->bias, last->weight, last->bias}, 3, rounds,
              [&](const at::Tensor& x, Probe* probe) {
                const at::Tensor h = tapped(probe, "relu1", conv1(x)).relu_();
                return last(tapped(probe, "relu2", conv2(h)).relu_().mean({2, 3}));
              });
}

}  // namespace pregrad::benchmarks
