#pragma once

#include <cstdint>
#include <vector>

#include "pregrad/options.hpp"

namespace pregrad::methods {

/// A rule for ∫₀¹ f(α) dα ≈ Σ wₖ·f(αₖ); the points rise and the weights sum to one.
struct QuadratureRule {
  std::vector<double> points;
  std::vector<double> weights;
};

/// @throws ArgumentError if there are too few steps for the rule
QuadratureRule quadrature_rule(Quadrature quadrature, std::int64_t steps);

/// The same rule with both ends of the interval among its points, where they weigh nothing if they are new.
QuadratureRule with_ends(QuadratureRule rule);

}  // namespace pregrad::methods
