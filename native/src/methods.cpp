#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

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
constexpr std::array<std::string_view, 2> positions_names = {"together", "each"};
constexpr std::array<std::string_view, all_aggregates.size()> aggregate_names = {"mean", "mean_abs", "rms", "std",
                                                                                 "cancellation"};

template <typename Names>
std::string listed(const Names& names) {
  std::string all;
  for (const std::string_view name : names) {
    all += (all.empty() ? "" : ", ") + std::string(name);
  }
  return all;
}

template <typename Names>
std::size_t index_named(const Names& names, std::string_view name, const std::string& what) {
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) {
    throw ArgumentError("there is no " + what + " '" + std::string(name) + "': choose one of " + listed(names));
  }
  return static_cast<std::size_t>(found - names.begin());
}

/// The name of a constant. A caller's number, cast, may be none.
template <typename Names, typename Constant>
std::string_view name_in(const Names& names, Constant constant, const std::string& what) {
  const auto index = static_cast<std::size_t>(constant);
  if (index >= names.size()) {
    throw ArgumentError("there is no " + what + " of number " + std::to_string(static_cast<int>(constant)) +
                        ": choose one of " + listed(names));
  }
  return names[index];
}

/// Targets and positions that are words.
const std::array<std::pair<std::string_view, Target>, 3> target_words = {
    {{"label", Target::label()}, {"predicted", Target::predicted()}, {"weights", Target::weights()}}};
const std::array<std::pair<std::string_view, At>, 5> at_words = {
    {{"", At()}, {"last", At::last()}, {"first", At::first()}, {"each", At::each()}, {"mean", At::mean()}}};

/// The word for a value; one stands for each of the kinds that no number goes with.
template <typename Words, typename Value>
std::string word_for(const Words& words, const Value& value) {
  return std::string(
      std::ranges::find_if(words, [&](const auto& word) { return word.second.kind() == value.kind(); })->first);
}

/// The value of a word; empty if it is none.
template <typename Words>
auto worded(const Words& words, std::string_view text) {
  const auto found = std::ranges::find_if(words, [&](const auto& word) { return word.first == text; });
  return found == words.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

}  // namespace

std::string to_string(const Target& target) {
  switch (target.kind()) {
    case Target::Kind::index:
      return std::to_string(target.index());
    case Target::Kind::difference:
      return std::to_string(target.index()) + "-" + std::to_string(target.minus());
    default:
      return word_for(target_words, target);
  }
}

Target target_named(std::string_view text) {
  if (const auto target = worded(target_words, text)) {
    return *target;
  }
  if (const auto index = number(text)) {
    return Target::index(*index);
  }
  const std::size_t minus = text.find('-', 1);
  const auto left = number(text.substr(0, minus));
  const auto right = minus == std::string_view::npos ? std::nullopt : number(text.substr(minus + 1));
  if (left && right) {
    return Target::difference(*left, *right);
  }
  throw ArgumentError("there is no target '" + std::string(text) +
                      "': use label, predicted, the number of an output, two with a minus between them (3-5), or "
                      "weights");
}

std::string to_string(const At& at) {
  return at.kind() == At::Kind::index ? std::to_string(at.index()) : word_for(at_words, at);
}

At at_named(std::string_view text) {
  if (const auto index = number(text)) {
    return At::index(*index);
  }
  if (const auto at = worded(at_words, text)) {
    return *at;
  }
  throw ArgumentError("y cannot be read at '" + std::string(text) +
                      "': use last, first, each, mean or the number of a position");
}

std::string_view name_of(Method method) { return methods::row_of(method).name; }

Method method_named(std::string_view name) {
  std::array<std::string_view, all_methods.size()> names;
  std::ranges::transform(methods::catalog(), names.begin(), &methods::MethodRow::name);
  return static_cast<Method>(index_named(names, name, "method"));
}

std::string_view name_of(Output output) { return name_in(output_names, output, "output"); }

Output output_named(std::string_view name) { return static_cast<Output>(index_named(output_names, name, "output")); }

std::string_view name_of(Removal removal) { return name_in(removal_names, removal, "removal"); }

Removal removal_named(std::string_view name) {
  return static_cast<Removal>(index_named(removal_names, name, "removal"));
}

std::string_view name_of(Quadrature quadrature) { return name_in(quadrature_names, quadrature, "rule"); }

Quadrature quadrature_named(std::string_view name) {
  return static_cast<Quadrature>(index_named(quadrature_names, name, "rule"));
}

std::string_view name_of(Baseline baseline) { return name_in(baseline_names, baseline, "baseline"); }

Baseline baseline_named(std::string_view name) {
  return static_cast<Baseline>(index_named(baseline_names, name, "baseline"));
}

std::string_view name_of(Positions positions) { return name_in(positions_names, positions, "choice of positions"); }

Positions positions_named(std::string_view name) {
  return static_cast<Positions>(index_named(positions_names, name, "choice of positions"));
}

std::string_view name_of(Aggregate aggregate) { return name_in(aggregate_names, aggregate, "aggregate"); }

Aggregate aggregate_named(std::string_view name) {
  return static_cast<Aggregate>(index_named(aggregate_names, name, "aggregate"));
}

}  // namespace pregrad
