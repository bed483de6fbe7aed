#pragma once

#include <pregrad/attribution.hpp>

#include "cases.hpp"

namespace pregrad::benchmarks {

/// PreGrad's attribution of a case, with nothing added yet.
Attribution open(const Case& one, bool cuda_graphs = true);

}  // namespace pregrad::benchmarks
