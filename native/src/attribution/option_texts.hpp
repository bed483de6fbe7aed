#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pregrad/options.hpp"

namespace pregrad::attribution {

/// The options that decide what the scores of these methods are, as far as they have a say, for states to be held
/// against: `target label`, `steps 50`. Of numbers there may be many, so they are told by their digest.
std::vector<std::string> option_texts(const AttributionOptions& options);

/// Of the target, of the function of the outputs, and of where it is read as far as that is not the default.
std::vector<std::string> option_texts(Target target, Output output, const Reading& reading);

/// Of one constant per neuron and layer call.
std::string option_text(std::string_view name, const std::vector<NeuronConstants>& constants);

}  // namespace pregrad::attribution
