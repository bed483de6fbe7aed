#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include "attribution/score_table.hpp"
#include "cuda/chunk_table.hpp"
#include "cuda/device.hpp"
#include "graph/tapped_graph.hpp"
#include "methods/device_methods.hpp"
#include "model/batch.hpp"
#include "model/layer_batch.hpp"
#include "model/layer_selection.hpp"
#include "model/model_implementation.hpp"
#include "model/output_reading.hpp"
#include "pregrad/options.hpp"
#include "support/cluster_rows.hpp"

namespace pregrad::attribution {

/// A tensor on a device that keeps its place, beside memory of the host that the device reads and writes without
/// help. For one thread at a time, which waits for the device before it fills the tensor again.
class FixedTensor {
 public:
  FixedTensor() = default;
  /// @param on_device has no gaps
  explicit FixedTensor(at::Tensor on_device);
  /// A tensor of that shape, type and order of axes, whatever is in it.
  static FixedTensor like(const at::Tensor& tensor, c10::Device device);

  const at::Tensor& on_device() const { return on_device_; }
  const at::Tensor& on_host() const { return on_host_; }

  /// Copies values of the same shape from wherever they are; those on the host are not read any more when it returns.
  void fill(const at::Tensor& values);
  /// Copies the first elements of `on_host`, a tensor of one axis.
  void upload(std::int64_t elements);
  /// Copies everything to `on_host`, and waits for it.
  void fetch();

 private:
  at::Tensor on_device_;
  at::Tensor on_host_;
};

/// The integers of a batch that recorded work reads: its labels, and how its samples fall into chunks. They lie in one
/// piece, so that one copy brings those of the next batch.
class RecordedIntegers {
 public:
  RecordedIntegers(c10::Device device, std::int64_t samples, std::int64_t clusters);

  /// Takes the place of what was there.
  /// @param labels undefined if nothing reads them
  /// @param rows of as many samples and clusters as all batches have
  void fill(const at::Tensor& labels, std::shared_ptr<const support::ClusterRows> rows);

  std::int64_t clusters() const { return clusters_; }
  /// int64 [samples] on the device.
  at::Tensor labels() const { return integers_.on_device().slice(0, 0, samples_); }
  /// The chunks of the batch, on the device. Kernels get as many chunks for all batches, of which some may be empty.
  /// The first call for a size copies them there.
  cuda::Chunks chunks(std::int64_t samples_per_chunk);

 private:
  std::int64_t begin_of(std::size_t table) const;
  std::int64_t chunk_count(std::int64_t samples_per_chunk) const;
  void write_table(std::size_t table);

  std::int64_t samples_;
  std::int64_t clusters_;
  FixedTensor integers_;
  std::shared_ptr<const support::ClusterRows> rows_;
  std::vector<std::int64_t> sizes_;  ///< samples per chunk, of each table
};

/// The clusters of a batch with one label per sample.
using Rows = std::shared_ptr<const support::ClusterRows>;

/// What an attribution does with every batch.
struct Plan {
  const Model::Implementation& model;
  const model::OutputReading& reading;  ///< a plain one
  const graph::TappedGraph& graph;
  const model::LayerSelection& selection;
  const AttributionOptions& options;
  const ScoreTable& table;
};

/// The whole work of a plan for batches of one shape as a device repeats it: forward, backward and statistics. It reads
/// inputs and integers from memory that keeps its place, and leaves its results in such memory. What a batch has to be
/// looked at for happens before and after. For one thread at a time.
class RecordedPlan {
 public:
  /// @param plan what it refers to must outlive this
  RecordedPlan(const Plan& plan, std::unique_ptr<cuda::Recorder> recorder, const model::Batch& first, const Rows& rows);

  /// Does the work of the batch that this was made for, as the recorder would have it, and records nothing: libraries
  /// set themselves up in their first call, which a recording cannot hold.
  /// @throws InputError if a label is outside the outputs, UnsupportedModelError if some of the work cannot be recorded
  void warm_up();
  void record();

  /// What a batch of that shape adds.
  /// @throws InputError as an attribution does
  std::vector<LayerAddition> additions(const model::Batch& batch, const Rows& rows);

 private:
  struct Work {
    at::Tensor outputs;
    at::Tensor results;                     ///< float64: whether all outputs are finite, then all that the methods have
    std::vector<model::LayerBatch> layers;  ///< without their tensors
    std::vector<methods::DeviceMethods> methods;  ///< per layer
  };

  void fill(const model::Batch& batch, const Rows& rows);
  Work work();
  methods::DeviceMethods methods_of(const model::LayerBatch& layer);
  bool is_result(const at::Tensor& tensor) const;

  Plan plan_;
  c10::Device device_;
  std::unique_ptr<cuda::Recorder> recorder_;
  at::Tensor first_labels_;
  Inputs on_device_;  ///< names, and the tensors of `inputs_`
  std::vector<FixedTensor> inputs_;
  RecordedIntegers integers_;
  std::optional<Work> recorded_;
  FixedTensor results_;
};

}  // namespace pregrad::attribution
