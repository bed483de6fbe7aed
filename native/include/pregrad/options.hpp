#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <pregrad/export.hpp>

namespace pregrad {

/// What is computed per sample and neuron. Positions (all axes of z but batch and neuron) are summed for the gradient
/// methods and averaged for the values.
enum class Method : int {
  /// Σₚ ∂y/∂zₚ: the derivative of the output by a shift of the pre-activation (equals the derivative by the bias).
  gradient = 0,
  /// Σₚ zₚ·∂y/∂zₚ: first-order effect of setting the pre-activation to 0.
  gradient_x_preactivation = 1,
  /// Σₚ aₚ·∂y/∂aₚ: first-order effect of setting the activation to 0 (Molchanov et al., arXiv:1611.06440, 1906.10771).
  gradient_x_activation = 2,
  /// Mean of z over the positions.
  preactivation = 3,
  /// Mean of a = φ(z) over the positions.
  activation = 4,
};

inline constexpr std::array<Method, 5> all_methods = {Method::gradient, Method::gradient_x_preactivation,
                                                      Method::gradient_x_activation, Method::preactivation,
                                                      Method::activation};

/// The name used by the command and in files, e.g. `gradient-x-activation`.
PREGRAD_API std::string_view name_of(Method method);
/// @throws ArgumentError listing the methods if `name` is none of them
PREGRAD_API Method method_named(std::string_view name);

/// The function of the model's output vector whose component is differentiated.
enum class Output : int {
  logit = 0,            ///< the model's output as it is
  probability = 1,      ///< softmax over the outputs; 40 to 80 times smaller gradients
  log_probability = 2,  ///< log-softmax over the outputs
};

PREGRAD_API std::string_view name_of(Output output);
/// @throws ArgumentError listing the outputs if `name` is none of them
PREGRAD_API Output output_named(std::string_view name);

/// Which output y is taken per sample.
class PREGRAD_API Target {
 public:
  enum class Kind : int { label = 0, predicted = 1, index = 2 };

  static Target label() { return Target(Kind::label, 0); }                ///< the sample's label
  static Target predicted() { return Target(Kind::predicted, 0); }        ///< the class with the largest output
  static Target index(std::int64_t i) { return Target(Kind::index, i); }  ///< output i for every sample

  Kind kind() const { return kind_; }
  std::int64_t index() const { return index_; }

 private:
  Target(Kind kind, std::int64_t index) : kind_(kind), index_(index) {}
  Kind kind_;
  std::int64_t index_;
};

/// What to compute. Defaults are those of the command.
struct AttributionOptions {
  /// Layer names: `name` for all its calls, `name@call` for one; aliases as in Model::layers.
  std::vector<std::string> layers;
  std::vector<Method> methods = {Method::gradient};
  Target target = Target::label();
  Output output = Output::logit;
};

}  // namespace pregrad
