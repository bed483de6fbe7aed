#include "support/shape_text.hpp"

namespace pregrad::support {

std::string shape_text(c10::ArrayRef<std::int64_t> shape) {
  std::string text = "[";
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    text += (axis == 0 ? "" : ", ") + std::to_string(shape[axis]);
  }
  return text + "]";
}

}  // namespace pregrad::support
