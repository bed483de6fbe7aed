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
                             : Precision{1e-2, 0.2, 2e-2, std::numeric_limits<float>::epsilon()};
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
  const statistics::ClusterRows rows(one_cluster);
  gradients_.add(statistics::BatchMoments(statistics::NeuronValues::borrowed(z_gradient), rows).of(0));
}

void LayerComparison::add_unit(double above, double intact, double below, double step, double gradient) {
  const double right = (above - intact) / step;
  const double left = (intact - below) / step;
  // The last bits of y, as they show in its differences.
  const double rounding =
      4 * precision_.epsilon * std::max({std::abs(above), std::abs(intact), std::abs(below)}) / step;
  // Where a smooth function is flat its slope may change by much of the little that it is.
  const double typical = std::sqrt(gradient_squares_ / static_cast<double>(std::max<std::int64_t>(1, units_)));
  const double steepest = std::max({std::abs(right), std::abs(left), typical});
  if (std::abs(right - left) > precision_.kink * steepest + 4 * rounding) {
    ++result_.at_kink;
    return;
  }
  const double difference = (above - below) / (2 * step);
  ++result_.compared;
  error_squares_ += (gradient - difference) * (gradient - difference);
  difference_squares_ += difference * difference;
  rounding_squares_ += rounding * rounding;
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
