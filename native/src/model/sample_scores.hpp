#pragma once

#include <vector>

#include "pregrad/options.hpp"

namespace pregrad::model {

/// The values of a method that needs runs of its own, for the samples of a batch.
struct SampleScores {
  Method method = Method::ablation;
  std::vector<double> values;  ///< [N, neurons]
  /// The difference of y between the ends of the path, [N]; empty for methods that do not add up to one.
  std::vector<double> differences;
};

}  // namespace pregrad::model
