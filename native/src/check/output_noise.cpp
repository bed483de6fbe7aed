#include "check/output_noise.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <ATen/Functions.h>

#include "methods/layer_rerun.hpp"
#include "model/differentiation.hpp"

namespace pregrad::check {

ShiftedOutputs::ShiftedOutputs(const methods::LayerRerun& rerun, const model::Batch& batch, Output output,
                               std::int64_t neurons, std::vector<std::int64_t> chosen, std::int64_t elements)
    : rerun_(rerun),
      output_(output),
      neurons_(neurons),
      chosen_(std::move(chosen)),
      start_(
          rerun.start(batch, methods::worthwhile_copies(batch, elements, static_cast<std::int64_t>(chosen_.size())))),
      targets_(batch.targets.copies(start_.copies)) {}

at::Tensor ShiftedOutputs::shifted(std::int64_t first, double step) const {
  const std::int64_t copies = start_.copies;
  const std::int64_t now = std::min(copies, static_cast<std::int64_t>(chosen_.size()) - first);
  at::Tensor shifts = at::zeros({copies, neurons_}, at::kDouble);
  for (std::int64_t i = 0; i < now; ++i) {
    shifts[i][chosen_[static_cast<std::size_t>(first + i)]] = step;
  }
  const auto change = [&](const at::Tensor& value, std::int64_t axis) {
    const at::Tensor shift = methods::over_neurons(shifts.unsqueeze(1), value.dim(), axis);
    return (methods::as_blocks(value, copies) + shift.to(value.options())).flatten(0, 1);
  };
  return model::selected_outputs(rerun_.run(start_, change).outputs, targets_, output_).to(at::kCPU).contiguous();
}

namespace {

double upper_median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

double root_mean_square(const std::vector<double>& values) {
  double squares = 0;
  for (const double each : values) {
    squares += each * each;
  }
  return values.empty() ? 0 : std::sqrt(squares / static_cast<double>(values.size()));
}

/// The coefficients 1, 4, 6, 4, 1 have squares of 70 together; half of a normal variable's values lie within 0.6745.
const double per_difference = 1 / (0.6745 * std::sqrt(70.0));

/// Sizes of the fourth differences of y over `step`, of a few neurons: per sample.
std::vector<std::vector<double>> fourth_differences(const ShiftedOutputs& outputs, const at::Tensor& intact,
                                                    std::int64_t samples, double step) {
  constexpr std::int64_t enough = 8;
  const auto count = std::min<std::int64_t>(enough, static_cast<std::int64_t>(outputs.chosen().size()));
  std::vector<std::vector<double>> differences(static_cast<std::size_t>(samples));
  for (std::int64_t first = 0; first < count; first += outputs.at_once()) {
    const at::Tensor fourth = outputs.shifted(first, 2 * step) + outputs.shifted(first, -2 * step) -
                              (outputs.shifted(first, step) + outputs.shifted(first, -step)) * 4 + intact * 6;
    const std::int64_t now = std::min(outputs.at_once(), count - first);
    for (std::int64_t row = 0; row < now * samples; ++row) {
      differences[static_cast<std::size_t>(row % samples)].push_back(std::abs(fourth.const_data_ptr<double>()[row]));
    }
  }
  return differences;
}

std::vector<double> joined(const std::vector<std::vector<double>>& differences) {
  std::vector<double> all;
  for (const std::vector<double>& each : differences) {
    all.insert(all.end(), each.begin(), each.end());
  }
  return all;
}

}  // namespace

bool resolves_float64(const ShiftedOutputs& outputs, const at::Tensor& intact, std::int64_t samples, double z_size,
                      double output_size) {
  constexpr double far_below_float32 = 1e-10;
  std::vector<double> differences = joined(fourth_differences(outputs, intact, samples, 1e-3 * z_size));
  // Where an activation is flat nothing moves, whatever the precision.
  differences.erase(std::remove(differences.begin(), differences.end(), 0.0), differences.end());
  const double noise = differences.empty() ? 0 : upper_median(std::move(differences)) * per_difference;
  return noise <= far_below_float32 * output_size;
}

std::vector<double> noise_of(const ShiftedOutputs& outputs, const at::Tensor& intact, std::int64_t samples,
                             double z_size, at::ScalarType coarsest) {
  const bool is_half = coarsest != at::kFloat && coarsest != at::kDouble;
  // Less would not move a z of 16 bits at all.
  const double step = (is_half ? 2.0 / 64 : 1e-3) * z_size;
  const std::vector<std::vector<double>> differences = fourth_differences(outputs, intact, samples, step);
  const double typical = upper_median(joined(differences)) * per_difference / 2;
  std::vector<double> noise;
  for (std::size_t i = 0; i < differences.size(); ++i) {
    const double y = std::abs(intact.const_data_ptr<double>()[i]);
    noise.push_back(std::max({upper_median(differences[i]) * per_difference, typical,
                              y * static_cast<double>(std::numeric_limits<float>::epsilon()) / 4}));
  }
  return noise;
}

double step_above(const std::vector<double>& noise, const std::vector<double>& gradients, double z_size) {
  constexpr double clear = 400;
  constexpr double least = 1e-3;
  constexpr double most = 0.5;
  const double effect = root_mean_square(gradients);
  const double wanted = effect > 0 ? clear * root_mean_square(noise) / effect : 0;
  return std::clamp(wanted, least * z_size, most * z_size);
}

}  // namespace pregrad::check
