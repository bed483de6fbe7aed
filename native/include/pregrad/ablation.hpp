#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <ATen/core/TensorBody.h>

#include <pregrad/export.hpp>
#include <pregrad/inputs.hpp>
#include <pregrad/options.hpp>
#include <pregrad/scores.hpp>

namespace pregrad {

/// In which order the neurons of a layer call are removed, and for which cluster.
struct RemovalOrder {
  std::string layer;  ///< canonical name, as Model::layers gives it
  std::int64_t call = 0;
  std::int64_t cluster = 0;
  /// What the order stands for; only carried along.
  Method method = Method::gradient;
  Aggregate aggregate = Aggregate::mean;
  std::int64_t repeat = 0;
  std::vector<std::int64_t> neurons;  ///< every neuron once, the first is removed first
  /// Whether neurons are kept in this order rather than removed in it: the first is removed last, so that where k are
  /// removed the first n − k are all that is left.
  bool keep = false;
};

/// The order of falling score of each entry and aggregate.
/// @throws ArgumentError if positions have scores of their own
PREGRAD_API std::vector<RemovalOrder> removal_orders(const Scores& scores, const std::vector<Aggregate>& aggregates);
/// `repeats` orders drawn by the seed, for Method::random. The first is that of the scores of Method::random.
/// @throws ArgumentError if a count is negative
PREGRAD_API std::vector<RemovalOrder> random_orders(const std::string& layer, std::int64_t call, std::int64_t cluster,
                                                    std::int64_t neurons, std::int64_t repeats, std::uint64_t seed);

/// What is left of a model while neurons are removed one after the other. Each vector has one value per point.
struct PREGRAD_API RemovalCurve {
  RemovalOrder order;
  std::int64_t count = 0;             ///< samples of the cluster
  std::int64_t outside_count = 0;     ///< samples of other clusters
  std::vector<std::int64_t> removed;  ///< how many neurons are removed: every count up to 128, else 129 evenly spaced
  std::vector<double> accuracy;       ///< share of the cluster's samples whose largest output is their label's
  std::vector<double> mean_output;    ///< mean of y over the cluster's samples
  std::vector<double> cross_entropy;  ///< mean of −log softmax of the outputs at the label, in nats
  std::vector<double> outside_accuracy;  ///< accuracy over the samples of other clusters; NaN if there are none
  /// The standard error of the area, the cluster's samples taken as drawn independently, which is what resampling them
  /// with replacement comes to; NaN below two samples.
  double area_error = std::numeric_limits<double>::quiet_NaN();

  /// The area under the accuracy (under mean_output for a model of one output), by the trapezoid rule over the removed
  /// share of the neurons in [0, 1]; lower means that the order finds what the model needs.
  double area() const;
};

struct AblationOptions {
  /// The layers and calls must be the model's; the curve of a cluster without samples has a count of 0 and NaN values.
  std::vector<RemovalOrder> orders;
  Removal removal = Removal::zero;
  /// Mean activations per layer call, as mean_activations gives them, for Removal::mean. Where they are given by
  /// cluster, a curve takes those of its order's cluster for all samples.
  std::vector<NeuronConstants> means;
  Target target = Target::label();
  Output output = Output::logit;
  Reading reading;
};

/// A running measurement of removal curves: any number of batches go in, from any thread; curves come out at any time.
/// The model runs up to each layer once per batch, and from there on once per point.
class PREGRAD_API Ablation {
 public:
  class Implementation;
  explicit Ablation(std::shared_ptr<Implementation> implementation);

  /// Measures all orders on a batch. A batch that throws adds nothing. One that does not fit into the memory of its
  /// device is measured in halves, as far down as single samples.
  /// @param inputs   [N, ...], the model's input, finite
  /// @param labels   [N], int64, each in [0, outputs); may be undefined for a model of one output, which has no
  /// accuracy
  /// @param clusters [N], int64; undefined puts all samples into cluster 0
  /// @throws InputError, UnsupportedModelError, ArgumentError, DeviceError
  void add(const at::Tensor& inputs, const at::Tensor& labels = {}, const at::Tensor& clusters = {});
  void add(const Inputs& inputs, const at::Tensor& labels = {}, const at::Tensor& clusters = {});

  /// How often a batch, or a half of one, did not fit into the memory of its device and was cut in two.
  std::int64_t batches_split() const;

  /// One curve per order, in their order.
  std::vector<RemovalCurve> curves() const;

  /// All that was measured so far, as bytes, to go on with later or in another process.
  std::string save() const;
  /// Takes the place of all that was measured so far.
  /// @param state what `save` gave for the same orders and options
  /// @throws ArgumentError if it is not; nothing is changed then
  void restore(std::string_view state);
  /// Adds what another measurement has measured, in this process or in another. Any thread may merge while others add.
  ///
  /// Curves become those of one measurement of the batches of both, whoever had which and in whatever order they are
  /// merged, to the last bit as far as Attribution::merge says. Accuracies are counts, and always the same.
  /// @param state what `save` gave for the same orders and options
  /// @throws ArgumentError if it is not, or that of a model of one output where this one has several; nothing is
  /// changed then
  void merge(std::string_view state);

 private:
  std::shared_ptr<Implementation> implementation_;
};

}  // namespace pregrad
