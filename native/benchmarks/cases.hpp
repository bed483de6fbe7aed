#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <ATen/core/TensorBody.h>

namespace pregrad::benchmarks {

/// A line of tests/benchmark/cases.tsv with the inputs that models.py wrote for it.
struct Case {
  std::string name;
  std::filesystem::path model;
  std::string floor;                ///< which hand-written twin it has
  std::vector<std::string> layers;  ///< canonical names; empty: all
  std::vector<std::size_t> taps;    ///< the same activations, counted in the order in which they run; empty: all
  at::Tensor inputs;                ///< on the device
  at::Tensor labels;                ///< [N], or [N, K] for K targets per sample
  at::Tensor clusters;              ///< likewise
  c10::Device device{c10::kCPU};
};

std::vector<Case> read_cases(const std::filesystem::path& list, const std::filesystem::path& folder,
                             c10::Device device);

/// The one of that name.
const Case& find(const std::vector<Case>& cases, const std::string& name);

}  // namespace pregrad::benchmarks
