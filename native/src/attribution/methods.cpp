#include <string>

#include "pregrad/error.hpp"
#include "pregrad/options.hpp"

namespace pregrad {

namespace {

constexpr std::array<std::string_view, all_methods.size()> method_names = {
    "gradient", "gradient-x-preactivation", "gradient-x-activation", "preactivation", "activation"};
constexpr std::array<std::string_view, 3> output_names = {"logit", "probability", "log-probability"};

template <typename Names>
std::size_t index_named(const Names& names, std::string_view name, const std::string& what) {
  std::string known;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) {
      return i;
    }
    known += (i == 0 ? "" : ", ") + std::string(names[i]);
  }
  throw ArgumentError("there is no " + what + " '" + std::string(name) + "': choose one of " + known);
}

}  // namespace

std::string_view name_of(Method method) { return method_names.at(static_cast<std::size_t>(method)); }

Method method_named(std::string_view name) { return static_cast<Method>(index_named(method_names, name, "method")); }

std::string_view name_of(Output output) { return output_names.at(static_cast<std::size_t>(output)); }

Output output_named(std::string_view name) { return static_cast<Output>(index_named(output_names, name, "output")); }

}  // namespace pregrad
