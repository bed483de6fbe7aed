#include "pregrad/error.hpp"

namespace pregrad {

// Out of line, so that the exceptions have one type information, in this library.
Error::~Error() = default;
InternalError::~InternalError() = default;
ArgumentError::~ArgumentError() = default;
ModelError::~ModelError() = default;
UnsupportedModelError::~UnsupportedModelError() = default;
LayerError::~LayerError() = default;
InputError::~InputError() = default;
StateError::~StateError() = default;
DeviceError::~DeviceError() = default;
CancelledError::~CancelledError() = default;

}  // namespace pregrad
