#pragma once

#include <optional>

#include <ATen/core/Tensor.h>

#include "pregrad/inputs.hpp"

namespace pregrad::model {

/// max |seen − expected| / max(|seen|, |expected|, size), over all elements, NaN being equal to NaN; 0 for equal
/// tensors, infinity for those of another size, or with a NaN that the other has not.
double relative_difference(const at::Tensor& seen, const at::Tensor& expected, double size = 0);

/// What the rounding of a whole forward in this type makes of that at most, if the model does not magnify it: 1e-8 for
/// float64, 1e-4 for float32, 1e-2 for float16, 5e-2 for bfloat16. Operators are joined and reordered where PreGrad
/// rewrites a graph.
double rounding_of(at::ScalarType type);

/// Whichever of two floating-point types has fewer digits.
at::ScalarType coarser(at::ScalarType left, at::ScalarType right);

/// The inputs with those of a floating-point type in this one; as they are without one.
Inputs with_floats(const Inputs& inputs, std::optional<at::ScalarType> type);

/// An input with each value moved by as much as its type resolves, up and down by turns; integers stay.
at::Tensor nudged(const at::Tensor& inputs);

}  // namespace pregrad::model
