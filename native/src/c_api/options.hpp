#pragma once

#include <c10/core/Device.h>

#include <pregrad/pregrad.h>
#include <pregrad/options.hpp>

namespace pregrad::c_api {

/// @throws ArgumentError if the number is no method
Method method(pregrad_method method);

/// @throws ArgumentError, LayerError
AttributionOptions attribution_options(const pregrad_attribution_options* options);

/// The device of the options, or of the defaults for NULL.
/// @throws ArgumentError
c10::Device device(const pregrad_model_options* options);

}  // namespace pregrad::c_api
