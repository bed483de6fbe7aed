#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "graph/layer_sites.hpp"
#include "graph/tapped_graph.hpp"
#include "methods/quadrature.hpp"
#include "model/arrangement.hpp"
#include "model/batch.hpp"
#include "model/layer_batch.hpp"
#include "model/layer_selection.hpp"
#include "model/model_implementation.hpp"
#include "model/output_reading.hpp"
#include "pregrad/options.hpp"

namespace pregrad::methods {

/// Conductance and internal influence: the model runs along the straight path from the input baseline to the input, and
/// all layers are read on the way. Between numbers that choose rows of tables there is no path; what moves are the
/// vectors that their embeddings put out, and the numbers stay, with all else that is made of them.
class InputPaths {
 public:
  /// @param selection must outlive this
  InputPaths(std::shared_ptr<const Model::Implementation> model, std::shared_ptr<const model::OutputReading> reading,
             const model::LayerSelection& selection, const AttributionOptions& options);

  /// Adds the scores of the methods that were asked for to each layer of the batch's own run.
  /// @throws InputError if there is no path between the inputs, or the baseline does not fit them
  /// @throws UnsupportedModelError if a layer does not run everywhere on the path
  void add_scores(std::vector<model::LayerBatch>& layers, const model::Batch& batch) const;

 private:
  /// What is summed up along the path for one layer.
  struct Sums;

  /// @param copies how many points of the path share a run
  void add_scores(std::vector<model::LayerBatch>& layers, const model::Batch& batch, std::int64_t copies) const;
  /// Where an input's path starts, [1, ...]; undefined for what stays what it is.
  at::Tensor baseline_for(const NamedTensor& input, bool is_only) const;
  /// The baseline that was given for an input, [1, ...]; undefined if there is none.
  at::Tensor given_for(const NamedTensor& input, bool is_only) const;
  /// The name that forward has for an input.
  std::string name_of(const NamedTensor& input) const;

  /// The path of what one execution of an embedding puts out.
  struct Way {
    at::Tensor baseline;  ///< [N, ...]
    at::Tensor way;       ///< likewise: to the vectors of the inputs
    std::optional<model::Arrangement> arrangement;
  };
  /// By the embedding, as embedded_ has it, and how often it ran before.
  using Ways = std::map<std::pair<std::size_t, std::int64_t>, Way>;

  void find_embeddings();
  std::vector<graph::Tap> path_taps() const;
  /// Where the vectors of the inputs' embeddings go.
  /// @param mask bool [N, positions...], where they move at all; may be undefined
  Ways embedded_ways(const Inputs& inputs, const at::Tensor& mask) const;
  /// The inputs with the baseline in the place of each of those that enter embeddings; empty if none was given.
  std::optional<Inputs> at_baseline(const Inputs& inputs) const;
  Way way_between(const graph::Execution& end, const graph::Execution* start, std::int64_t samples,
                  const at::Tensor& mask) const;
  /// Runs the model at points of the path.
  graph::Run run_along(const Inputs& inputs, const Ways& ways, const std::vector<double>& alphas) const;

  std::shared_ptr<const Model::Implementation> model_;
  std::shared_ptr<const model::OutputReading> reading_;
  const model::LayerSelection& selection_;
  AttributionOptions options_;
  QuadratureRule rule_;
  model::LayerSelection embedded_;             ///< embeddings whose vectors move
  std::vector<std::string> embedded_inputs_;   ///< likewise: the input that enters each
  std::vector<graph::LayerSite> moved_sites_;  ///< the same as embedded_, with names of their own
  mutable std::atomic<bool> has_arrangements_ = false;
  std::optional<graph::TappedGraph> ends_graph_;  ///< takes the vectors; none where nothing is embedded
  std::optional<graph::TappedGraph> graph_;
};

}  // namespace pregrad::methods
