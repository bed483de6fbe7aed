#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "methods/input_paths.hpp"
#include "methods/layer_rerun.hpp"
#include "methods/quadrature.hpp"
#include "model/batch.hpp"

namespace pregrad::methods {

/// The methods that need more than one forward and one backward: paths and the removal of single neurons. Safe from any
/// number of threads.
class RerunMethods {
 public:
  /// @param selection must outlive this
  RerunMethods(std::shared_ptr<const Model::Implementation> model, std::shared_ptr<const model::OutputReading> reading,
               const model::LayerSelection& selection, const AttributionOptions& options);

  bool has_any() const;

  /// Adds their scores to each layer of the batch's own run.
  void add_scores(std::vector<model::LayerBatch>& layers, const model::Batch& batch);

 private:
  struct Key {
    std::string layer;
    std::int64_t call;
    bool gradients;
    auto operator<=>(const Key&) const = default;
  };

  const LayerRerun& rerun_of(const model::LayerBatch& layer, graph::Stage stage, bool gradients);

  std::shared_ptr<const Model::Implementation> model_;
  std::shared_ptr<const model::OutputReading> reading_;
  AttributionOptions options_;
  QuadratureRule layer_rule_;
  std::optional<InputPaths> input_paths_;
  std::mutex mutex_;
  std::map<Key, std::unique_ptr<const LayerRerun>> reruns_;
};

}  // namespace pregrad::methods
