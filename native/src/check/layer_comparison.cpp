#include "check/layer_comparison.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace pregrad::check {

namespace {

double median_of(std::vector<double> values) {
  values.erase(std::remove_if(values.begin(), values.end(), [](double value) { return std::isnan(value); }),
               values.end());
  if (values.empty()) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

}  // namespace

Precision precision_of(bool in_double_precision) {
  return in_double_precision ? Precision{1e-6, 1e-4, 1e-6, std::numeric_limits<double>::epsilon()}
                             : Precision{0, 5e-2, 2e-2, std::numeric_limits<float>::epsilon()};
}

LayerComparison::LayerComparison(std::string layer, std::int64_t call, std::string op, bool in_double_precision)
    : precision_(precision_of(in_double_precision)) {
  result_.layer = std::move(layer);
  result_.call = call;
  result_.op = std::move(op);
  result_.in_double_precision = in_double_precision;
}

void LayerComparison::add_gradients(const std::vector<double>& z_gradient, const std::vector<double>& a_gradient,
                                    std::int64_t samples) {
  if (units_ == 0) {
    gradients_ = statistics::ClusterAccumulator(z_gradient.size() / static_cast<std::size_t>(samples));
  }
  double largest = 0;
  for (const double each : z_gradient) {
    largest = std::max(largest, std::abs(each));
  }
  constexpr double noticeable = 1e-3;
  for (std::size_t i = 0; i < z_gradient.size(); ++i) {
    const double difference = a_gradient[i] - z_gradient[i];
    hook_error_squares_ += difference * difference;
    gradient_squares_ += z_gradient[i] * z_gradient[i];
    hook_differs_ += std::abs(difference) > noticeable * largest ? 1 : 0;
  }
  units_ += static_cast<std::int64_t>(z_gradient.size());
  result_.samples += samples;
  const std::vector<std::int64_t> one_cluster(static_cast<std::size_t>(samples), 0);
  const support::ClusterRows rows(one_cluster);
  gradients_.add(statistics::BatchMoments(statistics::NeuronValues::borrowed(z_gradient), rows).of(0));
}

void LayerComparison::add_unit(double above, double intact, double below, double step, double gradient) {
  const double right = (above - intact) / step;
  const double left = (intact - below) / step;
  // The last bits of y, as they show in its differences.
  const double rounding =
      4 * precision_.epsilon * std::max({std::abs(above), std::abs(intact), std::abs(below)}) / step;
  // Where a smooth function is flat its slope may change by much of the little that it is.
  const double steepest = std::max({std::abs(right), std::abs(left), typical_gradient()});
  if (std::abs(right - left) > precision_.kink * steepest + 4 * rounding) {
    ++result_.at_kink;
    return;
  }
  add((above - below) / (2 * step), rounding, gradient);
}

void LayerComparison::add_noisy_unit(const std::array<double, 5>& y, double step, double noise, double gradient) {
  const auto [below, half_below, intact, half_above, above] = y;
  const double whole = (above - below) / (2 * step);
  const double half = (half_above - half_below) / step;
  // How much the slope changes from one side to the other. Of a smooth function it halves with the step.
  const double bend = (above - 2 * intact + below) / step;
  const double half_bend = (half_above - 2 * intact + half_below) / (step / 2);
  const double steepest = std::max({std::abs(whole), std::abs(half), typical_gradient()});
  // The coefficients of the values in each, squared, sum to 5/2 and to 70.
  constexpr double sure = 6;
  const double of_slopes = sure * std::sqrt(2.5) * noise / step;
  const double of_bends = sure * std::sqrt(70.0) * noise / step;
  if (std::abs(whole - half) > precision_.kink * steepest + of_slopes ||
      std::abs(bend - 2 * half_bend) > precision_.kink * steepest + of_bends) {
    ++result_.at_kink;
    return;
  }
  // Without the part that grows with the square of the step.
  const double difference = (4 * half - whole) / 3;
  const double rounding = 2 * std::sqrt(65.0 / 18) * noise / step;
  add(difference, rounding, gradient);
}

void LayerComparison::add(double difference, double rounding, double gradient) {
  ++result_.compared;
  error_squares_ += (gradient - difference) * (gradient - difference);
  difference_squares_ += difference * difference;
  rounding_squares_ += rounding * rounding;
}

double LayerComparison::typical_gradient() const {
  return std::sqrt(gradient_squares_ / static_cast<double>(std::max<std::int64_t>(1, units_)));
}

LayerCheck LayerComparison::result() const {
  LayerCheck result = result_;
  const double size = std::sqrt(difference_squares_);
  const double error = std::sqrt(error_squares_);
  const double rounding = std::sqrt(rounding_squares_);
  if (result.compared > 0) {
    // Where no unit has any effect there is nothing to be relative to.
    result.gradient_error = error <= rounding ? (size > 0 ? error / size : 0) : error / size;
  }
  result.tolerance = precision_.tolerance;
  if (size > 0) {
    result.tolerance = std::max(result.tolerance, rounding / size);
  }
  result.passed = result.compared > 0 && result.gradient_error <= result.tolerance;
  if (units_ > 0) {
    result.hook_differs = static_cast<double>(hook_differs_) / static_cast<double>(units_);
    result.hook_error = gradient_squares_ > 0     ? std::sqrt(hook_error_squares_ / gradient_squares_)
                        : hook_error_squares_ > 0 ? std::numeric_limits<double>::infinity()
                                                  : 0;
    result.cancellation = median_of(gradients_.statistics().cancellation());
  }
  return result;
}

}  // namespace pregrad::check
