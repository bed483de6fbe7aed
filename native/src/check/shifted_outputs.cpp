#include "check/shifted_outputs.hpp"

#include <algorithm>
#include <utility>

#include <ATen/Functions.h>

#include "methods/neuron_blocks.hpp"
#include "model/differentiation.hpp"

namespace pregrad::check {

ShiftedOutputs::ShiftedOutputs(const methods::LayerReplay& replay, const model::SampleBatch& batch, Output output,
                               std::int64_t neurons, std::vector<std::int64_t> chosen, std::int64_t elements)
    : replay_(replay),
      output_(output),
      neurons_(neurons),
      chosen_(std::move(chosen)),
      start_(replay.start(batch.inputs,
                          methods::worthwhile_copies(batch, elements, static_cast<std::int64_t>(chosen_.size())))),
      targets_(batch.targets.repeat({start_.copies})) {}

at::Tensor ShiftedOutputs::shifted(std::int64_t first, double step) const {
  const std::int64_t copies = start_.copies;
  const std::int64_t now = std::min(copies, static_cast<std::int64_t>(chosen_.size()) - first);
  at::Tensor shifts = at::zeros({copies, neurons_}, at::kDouble);
  for (std::int64_t i = 0; i < now; ++i) {
    shifts[i][chosen_[static_cast<std::size_t>(first + i)]] = step;
  }
  const auto change = [&](const at::Tensor& value, std::int64_t axis) {
    const at::Tensor shift = methods::over_neurons(shifts.unsqueeze(1), value.dim(), axis);
    return (methods::as_blocks(value, copies) + shift.to(value.options())).flatten(0, 1);
  };
  return model::selected_outputs(replay_.run(start_, change).outputs, targets_, output_).to(at::kCPU).contiguous();
}

}  // namespace pregrad::check
