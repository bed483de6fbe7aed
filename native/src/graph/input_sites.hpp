#pragma once

#include <vector>

#include "graph/forward_arguments.hpp"
#include "graph/inlined_model.hpp"
#include "graph/layer_sites.hpp"

namespace pregrad::graph {

/// Adds to `sites` the inputs of the model as layers, and the embeddings that they enter: operators that choose rows of
/// a table by numbers that are those of the input, or part of them, moved to other places, cast, or shifted. What
/// compares the numbers, counts them or adds them up, as masks and positions are made, is no such way.
/// @param arguments one per input of the graph
void add_input_sites(const InlinedModel& model, const std::vector<ForwardArgument>& arguments, LayerSites& sites);

}  // namespace pregrad::graph
