#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <ostream>
#include <string>
#include <tuple>
#include <vector>

#include <ATen/core/Tensor.h>

#include "pregrad/options.hpp"
#include "pregrad/scores.hpp"

namespace pregrad::test {

/// A line of tests/fixtures/models.csv.
struct Fixture {
  std::string model;
  std::string form;
  std::filesystem::path file;
  std::filesystem::path data;
  std::string refused;  ///< empty if the model can be attributed
};
void PrintTo(const Fixture& fixture, std::ostream* stream);

std::filesystem::path fixture_path(const std::string& name);
std::vector<Fixture> attributable_fixtures();
std::vector<Fixture> refused_fixtures();
/// Those of the attributable fixtures that have a file golden/MODEL.`kind`.csv.
std::vector<Fixture> fixtures_with(const std::string& kind);
std::string test_name(const Fixture& fixture);

/// A CSV file without quotes, by column.
std::vector<std::map<std::string, std::string>> read_csv(const std::filesystem::path& file);

struct Data {
  at::Tensor x;
  at::Tensor y;
  at::Tensor cluster;
};
Data read_data(const std::filesystem::path& file);
/// The first samples, or all if there are fewer.
Data first_of(const Data& data, std::int64_t samples);

struct GoldenKey {
  std::string layer;
  std::int64_t call = 0;
  std::int64_t cluster = 0;
  Method method = Method::gradient;
  auto operator<=>(const GoldenKey&) const = default;
};
using Golden = std::map<GoldenKey, Statistics>;
/// The methods whose scores tests/fixtures/golden/MODEL.scores.csv has.
inline const std::vector<Method> plain_methods = {Method::gradient, Method::gradient_x_preactivation,
                                                  Method::gradient_x_activation, Method::preactivation,
                                                  Method::activation};
/// The methods that every model can be asked for with a batch alone: others want more inputs, hold for some operators
/// only, or draw at length, and have tests of their own.
inline const std::vector<Method> unconditional_methods = {Method::gradient,
                                                          Method::gradient_x_preactivation,
                                                          Method::gradient_x_activation,
                                                          Method::preactivation,
                                                          Method::activation,
                                                          Method::gradient_x_centred_activation,
                                                          Method::activation_rate,
                                                          Method::integrated_gradients,
                                                          Method::conductance,
                                                          Method::internal_influence,
                                                          Method::ablation,
                                                          Method::random};
/// tests/fixtures/golden/MODEL.scores.csv
Golden read_golden(const std::string& model);

/// ‖seen − truth‖ / ‖truth‖
double relative_error(const std::vector<double>& seen, const std::vector<double>& truth);

}  // namespace pregrad::test
