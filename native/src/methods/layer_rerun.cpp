#include "methods/layer_rerun.hpp"

#include <algorithm>

#include <ATen/core/grad_mode.h>

#include "graph/neuron_axis.hpp"
#include "model/batch.hpp"
#include "model/differentiation.hpp"
#include "pregrad/error.hpp"
#include "statistics/layer_reference.hpp"
#include "support/running_call.hpp"
#include "support/tensors.hpp"

namespace pregrad::methods {

at::Tensor as_blocks(const at::Tensor& tensor, std::int64_t copies) {
  return tensor.unflatten(0, at::IntArrayRef({copies, tensor.size(0) / copies}));
}

at::Tensor over_neurons(const at::Tensor& values, std::int64_t rank, std::int64_t neuron_axis) {
  std::vector<std::int64_t> shape = {values.size(0), values.size(1)};
  for (std::int64_t axis = 1; axis < rank; ++axis) {
    shape.push_back(axis == neuron_axis ? values.size(2) : 1);
  }
  return values.reshape(shape);
}

std::vector<double> values_of(const at::Tensor& tensor) {
  const at::Tensor values = tensor.to(at::kCPU, at::kDouble).contiguous();
  return {values.const_data_ptr<double>(), values.const_data_ptr<double>() + values.numel()};
}

namespace {

/// A layer without an activation has only z.
bool changes_activation(const graph::LayerSite& site, graph::Stage stage) {
  return stage == graph::Stage::activation && site.is_activation;
}

std::vector<graph::Tap> editing_taps(const model::LayerSelection& selection, graph::Stage stage, bool gradients,
                                     const std::vector<graph::LayerSite>& parts) {
  std::vector<graph::Tap> taps;
  for (const model::SelectedSite& selected : selection.sites) {
    graph::Tap tap;
    tap.site = selected.site;
    const bool is_a = changes_activation(*selected.site, stage);
    (is_a ? tap.edits_a : tap.edits_z) = true;
    (is_a ? tap.a : tap.z).gradient = gradients;
    taps.push_back(tap);
  }
  for (const graph::LayerSite& part : parts) {
    graph::Tap tap;
    tap.site = &part;
    tap.z = tap.a = {true, true, true};
    tap.follows = true;
    taps.push_back(tap);
  }
  return taps;
}

}  // namespace

LayerRerun::LayerRerun(std::shared_ptr<const Model::Implementation> model,
                       std::shared_ptr<const model::OutputReading> reading, const std::string& layer, std::int64_t call,
                       const Wanted& wanted)
    : model_(std::move(model)),
      reading_(std::move(reading)),
      layer_(layer),
      call_(call),
      id_(statistics::to_string(layer, call)),
      selection_(model::select_layers(model_->model().sites(), {id_})),
      parts_(wanted.follows ? model_->model().nonlinear_parts() : std::vector<graph::LayerSite>()),
      graph_(model_->model().rerun(editing_taps(selection_, wanted.stage, wanted.gradients, parts_), wanted.stage)),
      stage_(wanted.stage),
      gradients_(wanted.gradients) {}

LayerRerun::Start LayerRerun::start(const model::Batch& batch, std::int64_t copies) const {
  return model::with_copies(copies, [&](std::int64_t possible) {
    Start start = start_with(batch, possible);
    if (possible > 1) {
      // That the prefix takes the copies does not mean that the rest does.
      run(start, [](const at::Tensor&, std::int64_t) { return at::Tensor(); });
    }
    return start;
  });
}

LayerRerun::Start LayerRerun::start_with(const model::Batch& batch, std::int64_t copies) const {
  const at::NoGradGuard no_gradients;
  Start start;
  start.copies = copies;
  start.inputs = batch.inputs.copies(copies);
  start.mask = batch.mask_of_copies(copies);
  start.values = model_->guarded(start.inputs, [&] {
    return graph_.start(model_->model().arguments(support::uploaded(start.inputs, model_->model().device())));
  });
  start.occurrence = find_occurrence(start);
  return start;
}

bool LayerRerun::is_ours(const graph::Execution& execution) const {
  const model::SelectedSite& selected = selection_.sites[execution.site];
  return selected.wants(selected.site->call.value_or(execution.call));
}

LayerRerun::Occurrence LayerRerun::find_occurrence(const Start& start) const {
  if (selection_.sites.size() == 1 && selection_.sites.front().site->call) {
    return {};  // the only one of the only site
  }
  // In a loop or a branch only a run tells which of the tensors that pass by belongs to the call.
  const graph::Run run = model_->guarded(start.inputs, [&] { return graph_.run(start.values, nullptr); });
  std::vector<std::int64_t> entered(selection_.sites.size(), 0);
  for (const graph::Execution& execution : run.executions) {
    if (execution.site >= selection_.sites.size()) {
      continue;
    }
    const std::int64_t activation = entered[execution.site]++;
    if (is_ours(execution)) {
      const bool is_a = changes_activation(*selection_.sites[execution.site].site, stage_);
      return {execution.site, is_a ? activation : execution.z_occurrence};
    }
  }
  throw LayerError("the model does not run layer '" + id_ +
                   "' on these inputs: name a call that runs on all of them, as `pregrad layers --data` lists them");
}

LayerRerun::Result LayerRerun::run(const Start& start, const Change& change) const {
  support::RunningCall::go_on();
  const c10::AutoGradMode mode(gradients_);
  const auto arrangement = model_->arrangement_of(layer_, call_);
  const graph::Editor editor = [&](std::size_t site, std::int64_t number, const at::Tensor& value) {
    if (site != start.occurrence.site || number != start.occurrence.number) {
      return at::Tensor();
    }
    const auto& known = selection_.sites[site].site->neuron_axis;
    const std::int64_t axis = value.dim() == 1 ? 0 : graph::resolve_neuron_axis(known, value.dim());
    if (!arrangement) {
      return change(value, axis);
    }
    const std::int64_t samples = start.inputs.samples();
    const at::Tensor arranged = arrangement->arranged(value, samples);
    if (!arranged.defined()) {
      throw UnsupportedModelError("layer '" + id_ + "' has " + support::shape_text(value.sizes()) + " for " +
                                  std::to_string(samples) +
                                  " samples, which does not tell what belongs to which sample: name another layer");
    }
    const at::Tensor changed = change(arranged, arrangement->moved(axis, value.sizes(), samples));
    return changed.defined() ? arrangement->restored(changed, value.sizes(), samples).contiguous() : changed;
  };
  graph::Run run = model_->guarded(start.inputs, [&] { return graph_.run(start.values, &editor); });
  Result result;
  result.outputs = reading_->rows(run.output, start.inputs.samples(), start.mask);
  for (graph::Execution& execution : run.executions) {
    if (execution.site >= selection_.sites.size()) {
      execution.site -= selection_.sites.size();
      result.parts.push_back(std::move(execution));
    } else if (is_ours(execution)) {
      const bool is_a = changes_activation(*selection_.sites[execution.site].site, stage_);
      result.tensor = std::move(is_a ? execution.a : execution.z);
    }
  }
  return result;
}

std::int64_t worthwhile_copies(const model::Batch& batch, std::int64_t elements_per_sample, std::int64_t wanted) {
  if (batch.short_of_memory) {
    return 1;
  }
  // Runs so small that the interpreter's own work shows are joined; larger ones only leave the processor's caches.
  constexpr std::int64_t elements_per_run = 1 << 17;
  constexpr std::int64_t most_samples_per_run = 4096;
  const std::int64_t samples_per_run =
      std::min(most_samples_per_run, elements_per_run / std::max<std::int64_t>(1, elements_per_sample));
  return std::clamp<std::int64_t>(samples_per_run / batch.samples(), 1, std::max<std::int64_t>(1, wanted));
}

}  // namespace pregrad::methods
