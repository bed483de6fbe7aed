#pragma once

#include <c10/core/Device.h>

#include <pregrad/pregrad.h>
#include <pregrad/ablation.hpp>
#include <pregrad/check.hpp>
#include <pregrad/options.hpp>
#include <pregrad/scores.hpp>

namespace pregrad::c_api {

/// @throws ArgumentError if the number is no method
Method method(pregrad_method method);

/// @throws ArgumentError if the number is no aggregate
Aggregate aggregate(pregrad_aggregate aggregate);

/// @throws ArgumentError, StateError
AttributionOptions attribution_options(const pregrad_attribution_options* options);
AblationOptions ablation_options(const pregrad_ablation_options* options);
CheckOptions check_options(const pregrad_check_options* options);

/// The device of the options, or of the defaults for NULL.
/// @throws ArgumentError
c10::Device device(const pregrad_model_options* options);

}  // namespace pregrad::c_api
