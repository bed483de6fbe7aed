#include <algorithm>
#include <array>
#include <string>

#include "methods/catalog.hpp"
#include "pregrad/error.hpp"
#include "pregrad/options.hpp"
#include "pregrad/scores.hpp"

namespace pregrad {

namespace {

constexpr std::array<std::string_view, 3> output_names = {"logit", "probability", "log-probability"};
constexpr std::array<std::string_view, 3> removal_names = {"zero", "zero-preactivation", "mean"};
constexpr std::array<std::string_view, 3> quadrature_names = {"gauss-legendre", "trapezoid", "midpoint"};
constexpr std::array<std::string_view, 3> baseline_names = {"zero", "mean", "given"};
constexpr std::array<std::string_view, all_aggregates.size()> aggregate_names = {"mean", "mean_abs", "rms", "std",
                                                                                 "cancellation"};

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

std::string_view name_of(Method method) { return methods::row_of(method).name; }

Method method_named(std::string_view name) {
  std::array<std::string_view, all_methods.size()> names;
  std::ranges::transform(methods::catalog(), names.begin(), &methods::MethodRow::name);
  return static_cast<Method>(index_named(names, name, "method"));
}

std::string_view name_of(Output output) { return output_names.at(static_cast<std::size_t>(output)); }

Output output_named(std::string_view name) { return static_cast<Output>(index_named(output_names, name, "output")); }

std::string_view name_of(Removal removal) { return removal_names.at(static_cast<std::size_t>(removal)); }

Removal removal_named(std::string_view name) {
  return static_cast<Removal>(index_named(removal_names, name, "removal"));
}

std::string_view name_of(Quadrature quadrature) { return quadrature_names.at(static_cast<std::size_t>(quadrature)); }

Quadrature quadrature_named(std::string_view name) {
  return static_cast<Quadrature>(index_named(quadrature_names, name, "rule"));
}

std::string_view name_of(Baseline baseline) { return baseline_names.at(static_cast<std::size_t>(baseline)); }

Baseline baseline_named(std::string_view name) {
  return static_cast<Baseline>(index_named(baseline_names, name, "baseline"));
}

std::string_view name_of(Aggregate aggregate) { return aggregate_names.at(static_cast<std::size_t>(aggregate)); }

Aggregate aggregate_named(std::string_view name) {
  return static_cast<Aggregate>(index_named(aggregate_names, name, "aggregate"));
}

}  // namespace pregrad
