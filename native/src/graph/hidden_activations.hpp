#pragma once

#include "graph/inlined_model.hpp"

namespace pregrad::graph {

/// Replaces operators that hide activations by the ones that they are made of: `glu` by a split, a sigmoid and a
/// product, and the cells of recurrent networks by their gates, as tracing shows them.
void uncover_activations(InlinedModel& model);

}  // namespace pregrad::graph
