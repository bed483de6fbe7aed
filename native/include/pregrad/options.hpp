#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <ATen/core/TensorBody.h>

#include <pregrad/export.hpp>
#include <pregrad/inputs.hpp>

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
  /// Σₚ (aₚ − ā)·∂y/∂aₚ, ā the mean of a over the samples of all clusters and their positions: first-order effect of
  /// setting the activation to its mean. ā is known only at the end, so two numbers are kept per sample and neuron.
  gradient_x_centred_activation = 5,
  /// Share of the positions at which a > 0 (1 − APoZ for ReLU, Hu et al., arXiv:1607.03250).
  activation_rate = 6,
  /// Σₚ (aₚ − a′ₚ)·∫₀¹ ∂y/∂a(a′ + α(a − a′)) dα: straight path in the space of this layer from the baseline a′
  /// (Sundararajan et al., arXiv:1703.01365, applied to a hidden layer). Sums over neurons to y(a) − y(a′).
  integrated_gradients = 7,
  /// Σₚ ∫₀¹ ∂y/∂aₚ · daₚ/dα dα along the straight path from the input baseline to the input (Dhamdhere et al.,
  /// arXiv:1805.12233). Sums over the neurons of a layer through which everything flows to y(x) − y(x′).
  conductance = 8,
  /// Σₚ ∫₀¹ ∂y/∂aₚ dα along the straight path from the input baseline to the input (Leino et al., arXiv:1802.03788).
  internal_influence = 9,
  /// y − y with this one neuron removed: what the others approximate.
  ablation = 10,
  /// A number in [0, 1) drawn by the seed, the same for all samples: the floor.
  random = 11,
  /// Σₚ (aₚ − a′ₚ)·mₚ by the rescale rule of DeepLIFT (Shrikumar et al., arXiv:1704.02685), a′ the baseline of
  /// Baseline; m are the multipliers from the output down to the activation. Sums over neurons to y(a) − y(a′).
  deep_lift = 12,
  /// The Shapley value of each neuron in the game of removing sets of neurons of this layer, by sampled permutations
  /// (Štrumbelj and Kononenko 2010; Ghorbani and Zou, arXiv:2002.09815): sums over neurons to y(all) − y(none).
  shapley = 13,
  /// Integrated gradients whose baselines are the activations of reference samples, in expectation over them and the
  /// path (Erion et al., arXiv:1906.10670). Sums over neurons to y(a) − the mean of y over the references.
  expected_gradients = 14,
  /// Σₚ (aₚ(corrupt) − aₚ)·∂y/∂aₚ: first-order effect of patching (attribution patching, Nanda 2023; arXiv:2310.10348).
  gradient_x_difference = 15,
  /// y with this neuron's activation taken from the run of the corrupt input − y: what gradient_x_difference
  /// approximates.
  patching = 16,
};

inline constexpr std::array<Method, 17> all_methods = {Method::gradient,
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
                                                       Method::random,
                                                       Method::deep_lift,
                                                       Method::shapley,
                                                       Method::expected_gradients,
                                                       Method::gradient_x_difference,
                                                       Method::patching};

/// The name used by the command and in files, e.g. `gradient-x-activation`.
PREGRAD_API std::string_view name_of(Method method);
/// @throws ArgumentError listing the methods if `name` is none of them
PREGRAD_API Method method_named(std::string_view name);

/// The function of the model's output vector whose component is differentiated.
enum class Output : int {
  logit = 0,            ///< the model's output as it is
  probability = 1,      ///< softmax over the outputs, sigmoid of a single one; 40 to 80 times smaller gradients
  log_probability = 2,  ///< its logarithm
};

PREGRAD_API std::string_view name_of(Output output);
/// @throws ArgumentError listing the outputs if `name` is none of them
PREGRAD_API Output output_named(std::string_view name);

/// Which output y is taken per sample.
class PREGRAD_API Target {
 public:
  enum class Kind : int { label = 0, predicted = 1, index = 2, difference = 3, weights = 4 };

  /// The sample's label or, at each position, the position's; −100 stands for a position that does not count. Labels of
  /// a model with one output are 0 and 1, and y is −output for 0, as in a softmax of (0, output); where no label of all
  /// that was added is 1, label 0 is that output itself.
  static Target label() { return Target(Kind::label, 0); }
  static Target predicted() { return Target(Kind::predicted, 0); }        ///< the class with the largest output
  static Target index(std::int64_t i) { return Target(Kind::index, i); }  ///< output i for every sample
  /// Output `plus` minus output `minus` for every sample.
  static Target difference(std::int64_t plus, std::int64_t minus) { return Target(Kind::difference, plus, minus); }
  /// The outputs weighted: y = Σ w·output, w [N, outputs] floating, given in the place of the labels.
  static Target weights() { return Target(Kind::weights, 0); }

  Kind kind() const { return kind_; }
  std::int64_t index() const { return index_; }
  /// The output that is subtracted from `index`.
  std::int64_t minus() const { return minus_; }

 private:
  Target(Kind kind, std::int64_t index, std::int64_t minus = 0) : kind_(kind), index_(index), minus_(minus) {}
  Kind kind_;
  std::int64_t index_;
  std::int64_t minus_ = 0;
};

/// At which positions of an output [N, positions..., outputs] y is read.
class PREGRAD_API At {
 public:
  enum class Kind : int { unset = 0, last = 1, first = 2, each = 3, mean = 4, index = 5 };

  /// Nowhere: for outputs without positions, and labels that have them.
  At() = default;
  static At last() { return At(Kind::last); }    ///< the last position that counts
  static At first() { return At(Kind::first); }  ///< the first position that counts
  static At each() { return At(Kind::each); }    ///< y is the sum over the positions that count
  static At mean() { return At(Kind::mean); }    ///< y is the mean over the positions that count
  /// Position i in the order of memory, from the end where it is negative.
  static At index(std::int64_t i) { return At(Kind::index, i); }

  Kind kind() const { return kind_; }
  std::int64_t index() const { return index_; }

 private:
  explicit At(Kind kind, std::int64_t index = 0) : kind_(kind), index_(index) {}
  Kind kind_ = Kind::unset;
  std::int64_t index_ = 0;
};

/// `last`, `first`, `each`, `mean` or a number; "" for none.
PREGRAD_API std::string to_string(const At& at);
/// @throws ArgumentError listing them if `text` is none of them
PREGRAD_API At at_named(std::string_view text);

/// `label`, `predicted`, `weights`, a number, or two with a minus between them (`3-5`).
PREGRAD_API std::string to_string(const Target& target);
/// @throws ArgumentError listing them if `text` is none of them
PREGRAD_API Target target_named(std::string_view text);

/// Where y is read in what a model returns, and which positions count.
struct Reading {
  /// Which of several outputs, as Model::outputs names them; "" takes the only one, else `logits`, else the first of a
  /// tuple or list.
  std::string output_name;
  /// The axis of the outputs (classes), as forward returns them; empty finds it: 1 of [N, outputs], else as a neuron
  /// axis is found.
  std::optional<std::int64_t> class_axis;
  At at;
  /// Whether each output is a yes or no of its own: probabilities are sigmoids.
  bool multi_label = false;
  /// The input [N, positions...] that is 0 where a position does not count; such positions are left out of all sums and
  /// means over the positions of z that have its shape, of removal, and of y. "" counts all. It need not be an input of
  /// the model.
  std::string mask;
};

/// What removing a neuron means; it concerns all its positions.
enum class Removal : int {
  zero = 0,                ///< a := 0
  zero_preactivation = 1,  ///< z := 0, for everything that reads z
  mean = 2,                ///< a := its mean over the samples of all clusters and their positions
};

PREGRAD_API std::string_view name_of(Removal removal);
/// @throws ArgumentError listing the removals if `name` is none of them
PREGRAD_API Removal removal_named(std::string_view name);

/// Rule by which path methods integrate over α in [0, 1]. The weights of each sum to one. Conductance takes the rule's
/// points and both ends, and sums ½(gₖ + gₖ₊₁)·(aₖ₊₁ − aₖ).
enum class Quadrature : int {
  gauss_legendre = 0,  ///< exact for polynomials of degree 2·steps − 1
  trapezoid = 1,       ///< `steps` evenly spaced points from 0 to 1, at least 2
  midpoint = 2,        ///< the middles of `steps` intervals
};

PREGRAD_API std::string_view name_of(Quadrature quadrature);
/// @throws ArgumentError listing the rules if `name` is none of them
PREGRAD_API Quadrature quadrature_named(std::string_view name);

/// Where the path of integrated gradients starts, and what DeepLIFT compares with.
enum class Baseline : int {
  zero = 0,   ///< a′ = 0
  mean = 1,   ///< the mean activations, AttributionOptions::means
  given = 2,  ///< AttributionOptions::baselines
};

PREGRAD_API std::string_view name_of(Baseline baseline);
/// @throws ArgumentError listing the baselines if `name` is none of them
PREGRAD_API Baseline baseline_named(std::string_view name);

/// What becomes of a layer's positions.
enum class Positions : int {
  together = 0,  ///< one score per neuron: gradients are summed over the positions, values averaged
  /// One score per neuron and position, for layers that have positions: the terms that the gradient and path methods
  /// sum, the values themselves, their means over the samples for which the position counts. Positions are numbered
  /// row-major over their axes, from the start: batches may differ in the first of these axes. What concerns a neuron
  /// at all its positions, Method::ablation and Method::random, has one score without a position all the same.
  each = 1,
};

/// The name used by the command and in files, e.g. `each`.
PREGRAD_API std::string_view name_of(Positions positions);
/// @throws ArgumentError listing them if `name` is none of them
PREGRAD_API Positions positions_named(std::string_view name);

/// One constant per neuron of a layer call.
struct NeuronConstants {
  std::string layer;  ///< canonical name, as Model::layers gives it
  std::int64_t call = 0;
  std::optional<std::int64_t> cluster;  ///< for samples of this cluster only; empty: for all
  std::vector<double> values;           ///< one per neuron
};

/// What to compute. Defaults are those of the command.
struct AttributionOptions {
  /// Layer names: `name` for all its calls, `name@call` for one; aliases as in Model::layers.
  std::vector<std::string> layers;
  std::vector<Method> methods = {Method::gradient};
  Target target = Target::label();
  Output output = Output::logit;
  Reading reading;

  /// Points of the path methods, at least 1.
  std::int64_t steps = 50;
  Quadrature quadrature = Quadrature::gauss_legendre;
  /// Where the path of integrated gradients starts.
  Baseline baseline = Baseline::zero;
  /// For Baseline::given: one entry per layer call.
  std::vector<NeuronConstants> baselines;
  /// Where the input path of conductance and internal influence starts: one sample, [1, ...] or [...]; undefined is 0.
  /// Of integers that enter an embedding, such as tokens, the path goes from the vectors that the embedding has for the
  /// baseline (0 where there is none) to those of the input; what else is made of the integers stays what it is.
  at::Tensor input_baseline;
  /// The same for a model of several inputs, by name; those that are not named start at 0. Inputs called
  /// `token_type_ids`, `segment_ids` and `position_ids` move only where they are named; integers that enter no
  /// embedding stay what they are.
  std::vector<NamedTensor> input_baselines;
  /// Whether integrated gradients, conductance, internal influence and expected gradients take values and derivatives
  /// of z rather than of a: Leino's slice at what the layer's name stands for.
  bool of_z = false;
  /// The inputs [R, ...] of the samples that Method::expected_gradients takes as baselines, by name; each sample meets
  /// `steps` of them, drawn by the seed.
  std::vector<NamedTensor> references;
  /// What the inputs of Method::gradient_x_difference and Method::patching are called that stand against the others:
  /// `corrupt` for the only one, else `corrupt.NAME`, [N, ...] as NAME; what has none is the same in both runs.
  std::string corrupt = "corrupt";
  /// How many permutations Method::shapley draws for a sample at most, at least 2.
  std::int64_t permutations = 256;
  /// Shapley values of a sample are settled once the standard error of each is at most this share of
  /// |y(all) − y(none)|; 0 draws all permutations.
  double shapley_error = 0.01;
  /// What Method::ablation and Method::shapley do to a neuron.
  Removal removal = Removal::zero;
  /// Mean activations per layer call, as mean_activations gives them: for Baseline::mean, Removal::mean.
  std::vector<NeuronConstants> means;
  /// Of what is drawn: Method::random, Method::shapley, Method::expected_gradients.
  std::uint64_t seed = 0;
  /// Whether a CUDA device may record what it does with batches of one shape, and replay it: Attribution::add.
  bool cuda_graphs = true;
  /// Whether each position of a layer has scores of its own.
  Positions positions = Positions::together;
  /// The most memory that the accumulators may take, in bytes, which many positions, neurons and clusters may exceed; 0
  /// for half of what the machine, or the process's control group, has left: the scores read of them are a copy. A
  /// batch that needs more is refused with an ArgumentError that says how much, before it is counted.
  std::uint64_t memory_limit = 0;
  /// How many samples Attribution::examples keeps per layer call, cluster, method and neuron, at most 10,000; 0 keeps
  /// none. A saved state holds them, the memory limit counts them, and on a CUDA device nothing is recorded then.
  std::int64_t examples = 0;
};

}  // namespace pregrad
