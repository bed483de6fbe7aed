#include "methods/quadrature.hpp"

#include <cmath>
#include <numbers>
#include <string>

#include "pregrad/error.hpp"

namespace pregrad::methods {

namespace {

/// The value and the derivative of the Legendre polynomial of that degree at x, by Bonnet's recurrence (DLMF 14.10.3).
std::pair<double, double> legendre(std::int64_t degree, double x) {
  double before = 1;
  double value = x;
  for (std::int64_t k = 2; k <= degree; ++k) {
    const auto n = static_cast<double>(k);
    const double next = ((2 * n - 1) * x * value - (n - 1) * before) / n;
    before = value;
    value = next;
  }
  const auto n = static_cast<double>(degree);
  return {value, n * (x * value - before) / (x * x - 1)};
}

/// Abramowitz and Stegun 25.4.30: the points are the roots of the Legendre polynomial, here by Newton's method.
QuadratureRule gauss_legendre(std::int64_t steps) {
  QuadratureRule rule;
  for (std::int64_t i = 0; i < steps; ++i) {
    double x = -std::cos(std::numbers::pi * (static_cast<double>(i) + 0.75) / (static_cast<double>(steps) + 0.5));
    double slope = 1;
    constexpr int most_iterations = 100;
    for (int iteration = 0; iteration < most_iterations; ++iteration) {
      const auto [value, derivative] = legendre(steps, x);
      slope = derivative;
      const double change = value / derivative;
      x -= change;
      if (std::abs(change) < 1e-15) {
        break;
      }
    }
    rule.points.push_back((x + 1) / 2);
    rule.weights.push_back(1 / ((1 - x * x) * slope * slope));
  }
  return rule;
}

QuadratureRule evenly_spaced(std::int64_t steps, bool with_both_ends) {
  QuadratureRule rule;
  const auto count = static_cast<double>(steps);
  for (std::int64_t i = 0; i < steps; ++i) {
    const auto place = static_cast<double>(i);
    const bool is_end = i == 0 || i == steps - 1;
    rule.points.push_back(with_both_ends ? place / (count - 1) : (place + 0.5) / count);
    rule.weights.push_back(with_both_ends ? (is_end ? 0.5 : 1) / (count - 1) : 1 / count);
  }
  return rule;
}

}  // namespace

QuadratureRule quadrature_rule(Quadrature quadrature, std::int64_t steps) {
  const std::int64_t fewest = quadrature == Quadrature::trapezoid ? 2 : 1;
  constexpr std::int64_t most = 10000;
  if (steps < fewest || steps > most) {
    throw ArgumentError("there are " + std::to_string(steps) + " steps for the rule " +
                        std::string(name_of(quadrature)) + ": give " + std::to_string(fewest) + " to " +
                        std::to_string(most));
  }
  if (steps == 1) {
    return {{0.5}, {1}};
  }
  return quadrature == Quadrature::gauss_legendre ? gauss_legendre(steps)
                                                  : evenly_spaced(steps, quadrature == Quadrature::trapezoid);
}

QuadratureRule with_ends(QuadratureRule rule) {
  if (rule.points.front() > 0) {
    rule.points.insert(rule.points.begin(), 0);
    rule.weights.insert(rule.weights.begin(), 0);
  }
  if (rule.points.back() < 1) {
    rule.points.push_back(1);
    rule.weights.push_back(0);
  }
  return rule;
}

}  // namespace pregrad::methods
