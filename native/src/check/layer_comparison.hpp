#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "pregrad/check.hpp"
#include "statistics/cluster_accumulator.hpp"

namespace pregrad::check {

/// How finely a type resolves differences.
struct Precision {
  double step;       ///< of the shift of z, as a share of z's root mean square; 0 where noise decides
  double kink;       ///< share of the slope that a kink within the step may make of the differences
  double tolerance;  ///< what the relative error may be
  double epsilon;    ///< of the type
};
Precision precision_of(bool in_double_precision);

/// What the units of one layer call come to over all batches.
class LayerComparison {
 public:
  LayerComparison(std::string layer, std::int64_t call, std::string op, bool in_double_precision);

  /// ∂y/∂z and ∂y/∂a with positions summed, [N · neurons].
  void add_gradients(const std::vector<double>& z_gradient, const std::vector<double>& a_gradient,
                     std::int64_t samples);
  /// y at z shifted by step, not at all, and by −step, and ∂y/∂z at the same place; all of one unit of the gradients
  /// added last.
  void add_unit(double above, double intact, double below, double step, double gradient);
  /// The same where rounding shows, from y at z shifted by −step, −step/2, not at all, step/2 and step.
  /// @param noise the standard deviation of y
  void add_noisy_unit(const std::array<double, 5>& y, double step, double noise, double gradient);
  void set_neurons(std::int64_t neurons) { result_.neurons = neurons; }

  const std::string& layer() const { return result_.layer; }
  std::int64_t call() const { return result_.call; }
  LayerCheck result() const;

 private:
  void add(double difference, double rounding, double gradient);
  double typical_gradient() const;

  LayerCheck result_;
  Precision precision_;
  double error_squares_ = 0;
  double difference_squares_ = 0;
  double rounding_squares_ = 0;
  double hook_error_squares_ = 0;
  double gradient_squares_ = 0;
  std::int64_t hook_differs_ = 0;
  std::int64_t units_ = 0;
  statistics::ClusterAccumulator gradients_{0};
};

}  // namespace pregrad::check
