#include "methods/catalog.hpp"

#include <algorithm>
#include <cstddef>
#include <string>

#include "pregrad/error.hpp"

namespace pregrad::methods {

const std::array<MethodRow, all_methods.size()>& catalog() {
  using enum Family;
  static constexpr std::array<MethodRow, all_methods.size()> rows = {{
      {Method::gradient, "gradient", batch, Subject::preactivation, Sum::gradients},
      {Method::gradient_x_preactivation, "gradient-x-preactivation", batch, Subject::preactivation, Sum::products},
      {Method::gradient_x_activation, "gradient-x-activation", batch, Subject::activation, Sum::products},
      {Method::preactivation, "preactivation", batch, Subject::preactivation, Sum::values, true},
      {Method::activation, "activation", batch, Subject::activation, Sum::values, true},
      {Method::gradient_x_centred_activation, "gradient-x-centred-activation", batch, Subject::activation,
       Sum::centred_products},
      {Method::activation_rate, "activation-rate", batch, Subject::activation, Sum::positive, true},
      {Method::integrated_gradients, "integrated-gradients", layer_path},
      {Method::conductance, "conductance", input_path},
      {Method::internal_influence, "internal-influence", input_path},
      {Method::ablation, "ablation", removal},
      {Method::random, "random", drawn},
      {Method::deep_lift, "deep-lift", rescale},
      {Method::shapley, "shapley", coalitions},
      {Method::expected_gradients, "expected-gradients", references},
      {Method::gradient_x_difference, "gradient-x-difference", patched, Subject::activation, Sum::differences},
      {Method::patching, "patching", patched},
  }};
  static_assert(std::ranges::equal(rows, all_methods, {}, &MethodRow::method));
  return rows;
}

const MethodRow& row_of(Method method) {
  const auto index = static_cast<std::size_t>(method);
  if (index >= catalog().size()) {
    throw ArgumentError("there is no method of number " + std::to_string(static_cast<int>(method)) +
                        ": choose one of 0 to " + std::to_string(catalog().size() - 1));
  }
  return catalog()[index];
}

bool wants(const std::vector<Method>& methods, Method method) {
  return std::find(methods.begin(), methods.end(), method) != methods.end();
}

bool wants(const std::vector<Method>& methods, Family family) {
  return std::any_of(methods.begin(), methods.end(), [&](Method method) { return row_of(method).family == family; });
}

std::string corrupt_name(const AttributionOptions& options) {
  return wants(options.methods, Family::patched) ? options.corrupt : "";
}

bool need_baseline(const std::vector<Method>& methods) {
  return wants(methods, Family::layer_path) || wants(methods, Family::rescale);
}

bool need_removal(const std::vector<Method>& methods) {
  return wants(methods, Family::removal) || wants(methods, Family::coalitions);
}

bool need_means(const AttributionOptions& options) {
  return (options.baseline == Baseline::mean && need_baseline(options.methods)) ||
         (options.removal == Removal::mean && need_removal(options.methods));
}

bool need_terms(const AttributionOptions& options) {
  return options.positions == Positions::each || options.examples > 0;
}

bool need_gradients(const std::vector<Method>& methods) {
  return std::any_of(methods.begin(), methods.end(), [](Method method) { return row_of(method).needs_gradients(); });
}

bool look_at_outputs(const std::vector<Method>& methods) {
  return std::any_of(methods.begin(), methods.end(), [](Method method) { return row_of(method).looks_at_outputs(); });
}

bool can_be_recorded(const std::vector<Method>& methods) {
  return std::none_of(methods.begin(), methods.end(), [](Method method) {
    const MethodRow& row = row_of(method);
    return row.needs_model() || row.sum == Sum::formula;
  });
}

model::LayerNeeds needs_of(const std::vector<Method>& methods) {
  model::LayerNeeds needs;
  for (const Method method : methods) {
    const MethodRow& row = row_of(method);
    graph::CaptureNeeds& subject = row.subject == Subject::preactivation ? needs.z : needs.a;
    subject.value = subject.value || row.reads_values();
    subject.gradient = subject.gradient || row.reads_gradients();
  }
  return needs;
}

model::LayerNeeds needs_of(const AttributionOptions& options) {
  model::LayerNeeds needs = needs_of(options.methods);
  needs.a.value = needs.a.value || (options.examples > 0 && std::ranges::any_of(options.methods, [](Method method) {
                                      return row_of(method).sum == Sum::none;
                                    }));
  return needs;
}

}  // namespace pregrad::methods
