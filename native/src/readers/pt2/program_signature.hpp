#pragma once

#include <string>
#include <vector>

#include "graph/model_graph.hpp"
#include "readers/pt2/archive.hpp"
#include "readers/pt2/values.hpp"

namespace pregrad::pt2 {

/// What goes into an exported program and what comes out: weights, inputs, and outputs.
class ProgramSignature {
 public:
  /// @param program models/NAME.json
  explicit ProgramSignature(const JsonValue& program) : program_(program) {}

  /// Defines the graph's inputs: weights and other tensors of the model as constants, and the inputs of forward.
  /// @throws UnsupportedModelError if forward takes something that is no tensor
  void define_inputs(graph::ReadModel& read, Values& values, Archive& archive, const std::string& model,
                     c10::Device device) const;

  /// Makes what forward returns the graph's output.
  /// @throws UnsupportedModelError if forward changes the model, or returns no tensor
  void register_outputs(graph::ReadModel& read, const Values& values) const;

 private:
  graph::ExpectedInput expected_input(const std::string& name) const;
  /// The names of what forward takes (`in_spec`) or returns (`out_spec`), one per leaf; empty if the archive does not
  /// tell.
  std::vector<std::string> leaf_names(const char* spec) const;

  JsonValue program_;
};

}  // namespace pregrad::pt2
