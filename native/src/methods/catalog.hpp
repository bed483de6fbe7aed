#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "model/layer_batch.hpp"
#include "model/layer_taps.hpp"
#include "pregrad/options.hpp"
#include "statistics/sample_values.hpp"

namespace pregrad::methods {

/// How a method comes to its values.
enum class Family {
  batch,       ///< from values and gradients of the batch's own run
  layer_path,  ///< runs along a straight path in the space of the layer
  input_path,  ///< runs along a straight path in the space of the inputs
  removal,     ///< a run without each neuron
  drawn,       ///< from the seed alone
  rescale,     ///< a backward through differences from a baseline
  coalitions,  ///< runs without sets of neurons
  references,  ///< runs along straight paths from the activations of reference samples
  patched,     ///< a run of other inputs beside the batch's own
};

/// The tensors x and ∂y/∂x that a method of the family batch reads.
enum class Subject {
  preactivation,  ///< x is z
  activation,     ///< x is a
};

/// The sum over the positions p that a method of the family batch is.
enum class Sum {
  none,              ///< of another family
  values,            ///< Σₚ xₚ
  gradients,         ///< Σₚ ∂y/∂xₚ
  products,          ///< Σₚ xₚ·∂y/∂xₚ
  centred_products,  ///< Σₚ (xₚ − x̄)·∂y/∂xₚ, x̄ known only at the end
  positive,          ///< the number of positions with xₚ > 0
  formula,           ///< what MethodRow::formula says
};

/// A method's values of one layer call, [samples, neurons] row by row, where no other sum is what it is.
using Formula = std::vector<double> (*)(const model::LayerBatch& layer, const statistics::SampleValues& reduction);

/// All that PreGrad has to know of one method.
struct MethodRow {
  Method method;
  std::string_view name;  ///< in every language, in the command and in files
  Family family;
  Subject subject = Subject::preactivation;
  Sum sum = Sum::none;
  bool is_mean = false;       ///< whether the sum is divided by the number of positions
  Formula formula = nullptr;  ///< of Sum::formula; reads value and gradient of the subject

  bool reads_values() const { return sum != Sum::none && sum != Sum::gradients; }
  bool reads_gradients() const {
    return sum == Sum::gradients || sum == Sum::products || sum == Sum::centred_products || sum == Sum::formula;
  }
  /// Whether it runs the model, or a part of it, again and again.
  bool needs_model() const { return family != Family::batch && family != Family::drawn; }
  /// Whether it asks for derivatives of the output.
  bool needs_gradients() const {
    return reads_gradients() || family == Family::layer_path || family == Family::input_path ||
           family == Family::rescale || family == Family::references || method == Method::gradient_x_difference;
  }
  /// Whether it has a value at each position; what it does to a neuron, or draws for it, else concerns all of them.
  bool has_positions() const {
    return family != Family::removal && family != Family::drawn && family != Family::coalitions &&
           method != Method::patching;
  }
  /// Whether it depends on which output is explained.
  bool looks_at_outputs() const { return reads_gradients() || needs_model(); }
};

/// The methods, a row for each, in the order of their numbers.
const std::array<MethodRow, all_methods.size()>& catalog();
const MethodRow& row_of(Method method);

bool wants(const std::vector<Method>& methods, Method method);
bool wants(const std::vector<Method>& methods, Family family);

/// Whether the baseline of a path, or what stands for a removed neuron, is its mean activation.
bool need_means(const AttributionOptions& options);
/// Whether one of the methods asks for derivatives of the output.
bool need_gradients(const std::vector<Method>& methods);
/// Whether one of the methods explains an output, rather than values of the layer alone.
bool look_at_outputs(const std::vector<Method>& methods);
/// Whether a batch's work can be recorded once and replayed: nothing but kernels of the batch's own run.
bool can_be_recorded(const std::vector<Method>& methods);
/// What the methods read of the batch's own run.
model::LayerNeeds needs_of(const std::vector<Method>& methods);

}  // namespace pregrad::methods
