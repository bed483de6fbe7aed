#include "pregrad/error.hpp"

#include "support/failures.hpp"

namespace pregrad {

Error::Error(ErrorKind kind, const std::string& message)
    : std::runtime_error(support::printable(message)), kind_(kind) {}

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
