#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include <ATen/core/TensorBody.h>

#include <pregrad/export.hpp>
#include <pregrad/inputs.hpp>
#include <pregrad/options.hpp>

namespace pregrad {

struct CheckOptions {
  /// Layer names, as in AttributionOptions.
  std::vector<std::string> layers;
  Target target = Target::label();
  Output output = Output::logit;
  Reading reading;
  /// At most so many neurons of a layer are compared, evenly spaced; at least 1.
  std::int64_t most_neurons = 128;
};

/// What became of one layer call. A unit is one sample and one neuron, positions summed.
struct LayerCheck {
  std::string layer;  ///< canonical name, as Model::layers gives it
  std::int64_t call = 0;
  std::string op;                    ///< the activation
  bool in_double_precision = false;  ///< whether the model could be run in float64
  std::int64_t samples = 0;
  std::int64_t neurons = 0;   ///< how many of the layer's neurons were compared
  std::int64_t compared = 0;  ///< units compared with finite differences
  /// Units left out because a kink of the model lies within the step: the two one-sided differences disagree there.
  std::int64_t at_kink = 0;
  /// ‖Σₚ∂y/∂zₚ − Δ‖ / ‖Δ‖ over the compared units, Δ the central difference of y by a shift of z.
  double gradient_error = std::numeric_limits<double>::quiet_NaN();
  double tolerance = 0;  ///< what gradient_error may be: 1e-6 in float64, 2e-2 in float32, or more for its rounding
  bool passed = false;   ///< gradient_error within the tolerance, and at least one unit compared
  /// ‖Σₚ∂y/∂aₚ − Σₚ∂y/∂zₚ‖ / ‖Σₚ∂y/∂zₚ‖: the error of a backward hook on the activation, which gives ∂y/∂a.
  double hook_error = std::numeric_limits<double>::quiet_NaN();
  /// Share of the units in which that hook is off by more than a thousandth of the layer's largest |∂y/∂z|.
  double hook_differs = std::numeric_limits<double>::quiet_NaN();
  /// Median over the neurons of |mean| / mean_abs of ∂y/∂z over all samples; NaN where all are 0.
  double cancellation = std::numeric_limits<double>::quiet_NaN();
};

/// Compares ∂y/∂z with central finite differences of the model, and with what a backward hook would give.
class PREGRAD_API Check {
 public:
  class Implementation;
  explicit Check(std::shared_ptr<Implementation> implementation);

  /// Compares on a batch; every neuron costs two runs of the model behind the layer. A batch that throws adds nothing.
  /// One that does not fit into the memory of its device is compared in halves, as far down as single samples.
  /// @param inputs [N, ...], the model's input, finite
  /// @param labels [N], int64, each in [0, outputs); may be undefined unless the target is the label
  /// @throws InputError, DeviceError, ArgumentError, UnsupportedModelError if, among other reasons, the outputs are not
  /// those of the model as it was read, LayerError if no gradient leads from the output to a layer
  void add(const at::Tensor& inputs, const at::Tensor& labels = {});
  void add(const Inputs& inputs, const at::Tensor& labels = {});

  /// One result per layer call, in the order of execution, over all batches.
  std::vector<LayerCheck> results() const;

 private:
  std::shared_ptr<Implementation> implementation_;
};

}  // namespace pregrad
