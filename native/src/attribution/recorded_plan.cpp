#include "attribution/recorded_plan.hpp"

#include <algorithm>
#include <utility>

#include <ATen/Functions.h>
#include <ATen/core/grad_mode.h>

#include "methods/catalog.hpp"
#include "model/differentiation.hpp"
#include "model/layer_selection.hpp"
#include "pregrad/error.hpp"
#include "statistics/layer_reference.hpp"

namespace pregrad::attribution {

FixedTensor::FixedTensor(at::Tensor on_device)
    : on_device_(std::move(on_device)),
      // Pinned, since the device takes other memory only while the host waits.
      on_host_(at::empty_like(on_device_, on_device_.options().device(at::kCPU).pinned_memory(on_device_.is_cuda()))) {}

FixedTensor FixedTensor::like(const at::Tensor& tensor, c10::Device device) {
  return FixedTensor(at::empty_like(tensor, tensor.options().device(device).pinned_memory(false)));
}

void FixedTensor::fill(const at::Tensor& values) {
  if (!values.is_cpu()) {
    on_device_.copy_(values, /*non_blocking=*/true);
    return;
  }
  on_host_.copy_(values);
  on_device_.copy_(on_host_, /*non_blocking=*/true);
}

void FixedTensor::upload(std::int64_t elements) {
  on_device_.slice(0, 0, elements).copy_(on_host_.slice(0, 0, elements), /*non_blocking=*/true);
}

void FixedTensor::fetch() { on_host_.copy_(on_device_); }

namespace {

/// Layers of one layout and like sizes share a table.
constexpr std::int64_t most_tables = 32;

/// Room for a table, which has at most a chunk per sample.
std::int64_t room(std::int64_t samples, std::int64_t clusters) { return 2 * samples + clusters + 2; }

}  // namespace

RecordedIntegers::RecordedIntegers(c10::Device device, std::int64_t samples, std::int64_t clusters)
    : samples_(samples),
      clusters_(clusters),
      integers_(
          at::zeros({samples + most_tables * room(samples, clusters)}, at::TensorOptions(device).dtype(at::kLong))) {}

std::int64_t RecordedIntegers::begin_of(std::size_t table) const {
  return samples_ + static_cast<std::int64_t>(table) * room(samples_, clusters_);
}

std::int64_t RecordedIntegers::chunk_count(std::int64_t samples_per_chunk) const {
  return cuda::most_chunks(samples_, clusters_, samples_per_chunk);
}

void RecordedIntegers::write_table(std::size_t table) {
  const cuda::ChunkTable written = cuda::chunk_table(*rows_, sizes_[table], chunk_count(sizes_[table]));
  std::copy(written.integers.begin(), written.integers.end(),
            integers_.on_host().mutable_data_ptr<std::int64_t>() + begin_of(table));
}

void RecordedIntegers::fill(const at::Tensor& labels, std::shared_ptr<const support::ClusterRows> rows) {
  rows_ = std::move(rows);
  if (labels.defined()) {
    integers_.on_host().slice(0, 0, samples_).copy_(labels);
  }
  for (std::size_t table = 0; table < sizes_.size(); ++table) {
    write_table(table);
  }
  integers_.upload(begin_of(sizes_.size()));
}

cuda::Chunks RecordedIntegers::chunks(std::int64_t samples_per_chunk) {
  const auto found = std::find(sizes_.begin(), sizes_.end(), samples_per_chunk);
  const auto table = static_cast<std::size_t>(found - sizes_.begin());
  if (found == sizes_.end()) {
    if (static_cast<std::int64_t>(sizes_.size()) == most_tables) {
      throw UnsupportedModelError("its layers cut the samples into chunks in too many ways");
    }
    sizes_.push_back(samples_per_chunk);
    write_table(table);
    integers_.upload(begin_of(sizes_.size()));
  }
  const cuda::ChunkTable layout = {{}, samples_, chunk_count(samples_per_chunk), clusters_};
  return layout.in(integers_.on_device().const_data_ptr<std::int64_t>() + begin_of(table));
}

namespace {

/// Names and shapes alone: the tensors are the recorder's.
model::LayerBatch without_tensors(const model::LayerBatch& layer) {
  model::LayerBatch described;
  described.name = layer.name;
  described.call = layer.call;
  described.rank = layer.rank;
  described.neuron_axis = layer.neuron_axis;
  described.has_activation = layer.has_activation;
  described.z.shape = layer.z.shape;
  return described;
}

}  // namespace

RecordedPlan::RecordedPlan(const Plan& plan, std::unique_ptr<cuda::Recorder> recorder, const model::Batch& first,
                           const Rows& rows)
    : plan_(plan),
      device_(plan.model.model().device()),
      recorder_(std::move(recorder)),
      first_labels_(first.labels),
      integers_(device_, first.samples(), static_cast<std::int64_t>(rows->size())) {
  on_device_ = first.inputs.mapped(
      [&](const at::Tensor& tensor) { return inputs_.emplace_back(FixedTensor::like(tensor, device_)).on_device(); });
  recorder_->on_stream([&] { fill(first, rows); });
}

void RecordedPlan::fill(const model::Batch& batch, const Rows& rows) {
  std::size_t input = 0;
  for (const NamedTensor& each : batch.inputs) {
    inputs_[input++].fill(each.tensor);
  }
  integers_.fill(batch.labels, rows);
}

bool RecordedPlan::is_result(const at::Tensor& tensor) const {
  return tensor.numel() > 0 && tensor.device() == device_;
}

methods::DeviceMethods RecordedPlan::methods_of(const model::LayerBatch& layer) {
  for (const at::Tensor& tensor : {layer.z.value, layer.z_gradient, layer.activation(), layer.activation_gradient()}) {
    if (tensor.defined() && !recorder_->takes(tensor)) {
      throw UnsupportedModelError("layer '" + statistics::to_string(layer.name, layer.call) + "' has values of type " +
                                  c10::toString(tensor.scalar_type()) + " on " + tensor.device().str());
    }
  }
  const std::int64_t samples = on_device_.samples();
  const std::int64_t clusters = integers_.clusters();
  return {
      plan_.options.methods, layer, model::reduction_of(layer, samples), clusters,
      [&](const at::Tensor& x, const at::Tensor& y, std::int64_t neuron_axis, const cuda::WantedQuantities& wanted) {
        return recorder_->scores(
            x, y, neuron_axis, clusters, [&](std::int64_t size) { return integers_.chunks(size); }, wanted);
      }};
}

RecordedPlan::Work RecordedPlan::work() {
  const c10::AutoGradMode with_history(methods::needs_of(plan_.options.methods).gradients());
  graph::Run run = plan_.graph.run(plan_.model.model().arguments(on_device_));
  const model::OutputRows outputs = plan_.reading.rows(run.output, on_device_.samples(), {});
  if (outputs.positions > 1) {
    throw UnsupportedModelError("y is read at several positions");
  }
  std::vector<model::LayerBatch> layers = model::selected_layers(plan_.selection, std::move(run.executions));
  plan_.model.arrange(layers, on_device_.samples());
  plan_.reading.require_targets(outputs.outputs(), first_labels_);
  const model::Targets targets = plan_.reading.checked_targets(outputs, integers_.labels());
  model::differentiate_layers(layers, outputs, targets, plan_.options.output, /*keep_graph=*/false);

  Work done;
  done.outputs = outputs.values.detach();
  std::vector<at::Tensor> parts = {at::isfinite(done.outputs).all().to(at::kDouble).reshape({1})};
  for (model::LayerBatch& layer : layers) {
    methods::DeviceMethods methods = methods_of(layer);
    for (const at::Tensor* const tensor : methods.results()) {
      if (is_result(*tensor)) {
        parts.push_back(tensor->reshape({-1}));
      }
    }
    done.methods.push_back(std::move(methods));
    done.layers.push_back(without_tensors(layer));
    layer = {};
  }
  done.results = at::cat(parts);
  return done;
}

void RecordedPlan::warm_up() {
  recorder_->on_stream([&] { work(); });
}

void RecordedPlan::record() {
  recorder_->on_stream([&] {
    const std::vector<at::Tensor> fixed = recorder_->record([&] {
      Work done = work();
      std::vector<at::Tensor> tensors = {done.outputs, done.results};
      if (!recorded_) {
        recorded_ = std::move(done);
      }
      return tensors;
    });
    results_ = FixedTensor(fixed.at(1));
  });
  std::int64_t begin = 1;
  for (methods::DeviceMethods& methods : recorded_->methods) {
    for (at::Tensor* const tensor : methods.results()) {
      if (is_result(*tensor)) {
        const std::int64_t count = tensor->numel();
        *tensor = results_.on_host().slice(0, begin, begin + count).view(tensor->sizes());
        begin += count;
      }
    }
  }
}

std::vector<LayerAddition> RecordedPlan::additions(const model::Batch& batch, const Rows& rows) {
  plan_.reading.require_targets(recorded_->outputs.size(1), batch.labels);
  recorder_->on_stream([&] {
    fill(batch, rows);
    recorder_->replay();
    results_.fetch();
    if (results_.on_host().const_data_ptr<double>()[0] == 0) {
      model::require_finite_outputs({recorded_->outputs, 1, false});
    }
  });
  return plan_.table.additions(recorded_->layers, rows, recorded_->methods);
}

}  // namespace pregrad::attribution
