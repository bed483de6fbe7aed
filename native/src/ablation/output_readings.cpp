#include "ablation/output_readings.hpp"

#include <ATen/Functions.h>

#include "methods/neuron_blocks.hpp"
#include "model/differentiation.hpp"

namespace pregrad::ablation {

using methods::values_of;

OutputReadings::OutputReadings(const at::Tensor& outputs, const at::Tensor& targets, const at::Tensor& labels,
                               Output output)
    : y_(values_of(model::selected_outputs(outputs, targets, output))),
      is_right_(y_.size(), 0),
      cross_entropy_(y_.size(), 0) {
  if (labels.defined()) {
    is_right_ = values_of(outputs.argmax(1).eq(labels));
    cross_entropy_ = values_of(at::log_softmax(outputs.to(at::kDouble), 1).gather(1, labels.unsqueeze(1)).neg());
  }
}

void OutputReadings::add_to(CurveSums::Point& point, std::int64_t first_row, const at::Tensor& clusters,
                            std::int64_t cluster) const {
  const auto* cluster_of = clusters.const_data_ptr<std::int64_t>();
  double output_sum = 0;
  double entropy_sum = 0;
  for (std::int64_t sample = 0; sample < clusters.size(0); ++sample) {
    const auto row = static_cast<std::size_t>(first_row + sample);
    const std::int64_t right = is_right_[row] != 0 ? 1 : 0;
    if (cluster_of[sample] != cluster) {
      point.outside_correct += right;
      continue;
    }
    point.correct += right;
    output_sum += y_[row];
    entropy_sum += cross_entropy_[row];
  }
  point.output.add(output_sum);
  point.cross_entropy.add(entropy_sum);
}

}  // namespace pregrad::ablation
