#pragma once

#include <string>
#include <vector>

#include "graph/model_graph.hpp"
#include "readers/pt2/archive.hpp"
#include "readers/pt2/values.hpp"

namespace pregrad::pt2 {

/// What goes into an exported program and what comes out: weights, the input, and outputs.
class ProgramSignature {
 public:
  /// @param program models/NAME.json
  explicit ProgramSignature(const JsonValue& program) : program_(program) {}

  /// Defines the graph's inputs: weights and other tensors of the model as constants, and the one input of forward.
  /// @throws UnsupportedModelError if forward takes more than one tensor, or something that is no tensor
  void define_inputs(graph::ReadModel& read, Values& values, Archive& archive, const std::string& model,
                     c10::Device device) const;

  /// Makes what forward returns the graph's output.
  /// @throws UnsupportedModelError if forward changes the model, or returns anything but a tensor or a tuple
  void register_outputs(torch::jit::Graph& graph, const Values& values) const;

 private:
  void require_one_input(const std::vector<std::string>& names) const;
  graph::ExpectedInput expected_input(const std::string& name) const;
  void require_returned_type() const;

  JsonValue program_;
};

}  // namespace pregrad::pt2
