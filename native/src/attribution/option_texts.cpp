#include "attribution/option_texts.hpp"

#include <algorithm>

#include <ATen/core/Tensor.h>

#include "methods/catalog.hpp"
#include "pregrad/error.hpp"
#include "statistics/state.hpp"
#include "support/tensors.hpp"

namespace pregrad::attribution {

namespace {

std::string option_text(std::string_view name, std::string_view value) {
  return std::string(name) + " " + std::string(value);
}

std::string option_text(std::string_view name, const at::Tensor& tensor) {
  if (!tensor.defined()) {
    return option_text(name, "zero");
  }
  if (tensor.layout() != at::kStrided) {
    throw ArgumentError(std::string(name) + " is not dense: give what to_dense() makes of it");
  }
  const at::Tensor values = tensor.to(at::kCPU).contiguous();
  const std::string_view bytes(static_cast<const char*>(values.const_data_ptr()), values.nbytes());
  return option_text(name, support::shape_text(values.sizes()) + " " + c10::toString(values.scalar_type()) + " " +
                               statistics::digest(bytes));
}

}  // namespace

std::string option_text(std::string_view name, const std::vector<NeuronConstants>& constants) {
  statistics::StateWriter writer(name);
  for (const NeuronConstants& each : constants) {
    writer.add(std::string_view(each.layer));
    writer.add(each.call);
    writer.add(each.cluster.has_value());
    writer.add(each.cluster.value_or(0));
    writer.add(each.values);
  }
  return option_text(name, statistics::digest(writer.finish()));
}

std::vector<std::string> option_texts(Target target, Output output, const Reading& reading) {
  std::vector<std::string> texts = {option_text("target", to_string(target)), option_text("output", name_of(output))};
  if (!reading.output_name.empty()) {
    texts.push_back(option_text("output name", reading.output_name));
  }
  if (reading.class_axis) {
    texts.push_back(option_text("class axis", std::to_string(*reading.class_axis)));
  }
  if (reading.at.kind() != At::Kind::unset) {
    texts.push_back(option_text("at", to_string(reading.at)));
  }
  if (reading.multi_label) {
    texts.push_back(option_text("multi-label", "true"));
  }
  return texts;
}

std::vector<std::string> option_texts(const AttributionOptions& options) {
  const auto has = [&](methods::Family family) { return methods::wants(options.methods, family); };
  const bool has_layer_path = has(methods::Family::layer_path);
  const bool has_input_path = has(methods::Family::input_path);
  const bool has_references = has(methods::Family::references);
  const bool has_coalitions = has(methods::Family::coalitions);
  std::vector<std::string> texts;
  if (methods::look_at_outputs(options.methods)) {
    texts = option_texts(options.target, options.output, options.reading);
  }
  if (options.positions != Positions::together) {
    texts.push_back(option_text("positions", name_of(options.positions)));
  }
  if (!options.reading.mask.empty()) {
    texts.push_back(option_text("mask", options.reading.mask));
  }
  if (has_input_path || has_layer_path) {
    texts.push_back(option_text("steps", std::to_string(options.steps)));
    texts.push_back(option_text("quadrature", name_of(options.quadrature)));
  } else if (has_references) {
    texts.push_back(option_text("steps", std::to_string(options.steps)));
  }
  if (options.of_z && (has_input_path || has_layer_path || has_references)) {
    texts.push_back(option_text("of z", "true"));
  }
  if (methods::need_baseline(options.methods)) {
    texts.push_back(option_text("baseline", name_of(options.baseline)));
    if (options.baseline == Baseline::given) {
      texts.push_back(option_text("baselines", options.baselines));
    }
  }
  if (has_input_path) {
    texts.push_back(option_text("input_baseline", options.input_baseline));
    for (const NamedTensor& each : options.input_baselines) {
      texts.push_back(option_text("input_baseline " + each.name, each.tensor));
    }
  }
  if (has_references) {
    for (const NamedTensor& each : options.references) {
      texts.push_back(option_text("references " + each.name, each.tensor));
    }
  }
  if (has_coalitions) {
    texts.push_back(option_text("permutations", std::to_string(options.permutations)));
    texts.push_back(option_text("shapley error", std::to_string(options.shapley_error)));
  }
  if (has_coalitions || has_references) {
    texts.push_back(option_text("seed", std::to_string(options.seed)));
  }
  if (methods::need_removal(options.methods)) {
    texts.push_back(option_text("removal", name_of(options.removal)));
  }
  if (methods::need_means(options)) {
    texts.push_back(option_text("means", options.means));
  }
  return texts;
}

}  // namespace pregrad::attribution
