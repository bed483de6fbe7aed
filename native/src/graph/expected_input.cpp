#include "graph/expected_input.hpp"

#include "pregrad/error.hpp"
#include "support/shape_text.hpp"

namespace pregrad::graph {

namespace {

std::string text(const ExpectedInput& expected) {
  std::string text = "[";
  for (std::size_t axis = 0; axis < expected.axes.size(); ++axis) {
    const ExpectedInput::Axis& each = expected.axes[axis];
    text += axis == 0 ? "" : ", ";
    text += each.size ? std::to_string(*each.size) : axis == 0 ? "batch" : each.symbol.empty() ? "any" : each.symbol;
  }
  return text + "]";
}

[[noreturn]] void refuse(const ExpectedInput& expected, const at::Tensor& inputs, const std::string& reason) {
  throw InputError("the model cannot take inputs " + support::shape_text(inputs.sizes()) + ": it was exported for " +
                   text(expected) + reason);
}

}  // namespace

void ExpectedInput::require(const at::Tensor& inputs) const {
  if (at::isFloatingType(inputs.scalar_type()) != at::isFloatingType(type)) {
    throw InputError(std::string("the inputs have type ") + c10::toString(inputs.scalar_type()) +
                     ", and the model was exported for " + c10::toString(type) + ": convert them, in NumPy with " +
                     (at::isFloatingType(type) ? "x.astype(np.float32)" : "x.astype(np.int64)"));
  }
  if (static_cast<std::size_t>(inputs.dim()) != axes.size()) {
    refuse(*this, inputs, "; give [samples, ...] as its forward expects");
  }
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const Axis& axis = axes[i];
    const std::int64_t size = inputs.size(static_cast<std::int64_t>(i));
    if (axis.size && *axis.size != size && i == 0) {
      refuse(*this, inputs,
             ", a fixed batch; give batches of " + std::to_string(*axis.size) +
                 ", or export it again with dynamic_shapes that make axis 0 a torch.export.Dim");
    }
    if (axis.size && *axis.size != size) {
      refuse(*this, inputs, "; axis " + std::to_string(i) + " must have the size " + std::to_string(*axis.size));
    }
    for (std::size_t other = 0; other < i && !axis.symbol.empty(); ++other) {
      if (axes[other].symbol == axis.symbol && inputs.size(static_cast<std::int64_t>(other)) != size) {
        refuse(*this, inputs, "; all axes '" + axis.symbol + "' must have one size");
      }
    }
    if (size < axis.least || size > axis.most) {
      refuse(*this, inputs,
             "; axis " + std::to_string(i) + " must have a size from " + std::to_string(axis.least) + " to " +
                 (axis.most == std::numeric_limits<std::int64_t>::max() ? "any" : std::to_string(axis.most)));
    }
  }
}

}  // namespace pregrad::graph
