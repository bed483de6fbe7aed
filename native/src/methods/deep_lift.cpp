#include "methods/rerun_methods.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include <ATen/Functions.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/engine.h>
#include <torch/csrc/autograd/functions/tensor.h>
#include <torch/csrc/autograd/variable.h>

#include "methods/catalog.hpp"
#include "methods/layer_rerun.hpp"
#include "model/differentiation.hpp"
#include "pregrad/error.hpp"
#include "statistics/sample_values.hpp"
#include "support/tensors.hpp"

namespace pregrad::methods {

namespace {

using torch::autograd::Edge;
using torch::autograd::Node;

/// The distance of 1 from the next number of a type.
double epsilon_of(at::ScalarType type) {
  switch (type) {
    case at::kDouble:
      return 0x1p-52;
    case at::kHalf:
      return 0x1p-10;
    case at::kBFloat16:
      return 0x1p-7;
    default:
      return 0x1p-23;
  }
}

/// Where two values differ by no more than rounding, so that a quotient of differences says nothing.
at::Tensor is_tiny(const at::Tensor& difference, const at::Tensor& value, const at::Tensor& other) {
  constexpr double roundings = 8;
  return difference.abs().le(at::maximum(value.abs(), other.abs()).mul(roundings * epsilon_of(value.scalar_type())));
}

/// A part of the model in both runs.
struct Part {
  graph::Execution actual;
  graph::Execution baseline;
};

/// The multiplier (f(x) − f(x′)) / (x − x′), and the derivative where x is x′.
std::pair<at::Tensor, at::Tensor> rescaled(const Part& part, const at::Tensor& gradient) {
  const at::Tensor difference = part.actual.z.value - part.baseline.z.value;
  const at::Tensor tiny = is_tiny(difference, part.actual.z.value, part.baseline.z.value);
  const at::Tensor multiplier = (part.actual.a.value - part.baseline.a.value) / difference;
  at::Tensor beside = (gradient * multiplier.to(gradient.scalar_type())).masked_fill(tiny, 0);
  at::Tensor on = tiny.any().item<bool>() ? gradient.masked_fill(tiny.logical_not(), 0) : at::Tensor();
  return {std::move(on), std::move(beside)};
}

/// What a part hands back of a gradient: from its a to its z.
at::Tensor handed_back(const graph::Execution& part, const at::Tensor& gradient) {
  const Edge behind = part.a.edge.function->next_edge(0);
  return torch::autograd::Engine::get_default_engine().execute({behind}, {gradient}, /*keep_graph=*/true,
                                                               /*create_graph=*/false, /*accumulate_grad=*/false,
                                                               {part.z.edge})[0];
}

/// The rule for the maxima of windows: where the actual maximum is the larger, all of the difference is that of its
/// place, and else that of the place of the baseline's maximum.
std::pair<at::Tensor, at::Tensor> maxima_rescaled(const Part& part, const at::Tensor& gradient) {
  const at::Tensor& value = part.actual.z.value;
  const at::Tensor difference = value - part.baseline.z.value;
  const at::Tensor larger = at::maximum(part.actual.a.value, part.baseline.a.value);
  const at::Tensor contributed = handed_back(part.actual, gradient * (larger - part.baseline.a.value)) +
                                 handed_back(part.baseline, gradient * (part.actual.a.value - larger));
  const at::Tensor tiny = is_tiny(difference, value, part.baseline.z.value);
  return {at::Tensor(), at::where(tiny, handed_back(part.actual, gradient), contributed / difference)};
}

/// Where the layer's name and the way out belong in every refusal.
[[noreturn]] void refuse(const LayerRerun& rerun, const std::string& why) {
  throw UnsupportedModelError("deep-lift has no rule for what is behind layer '" + rerun.id() + "': " + why +
                              "; use integrated-gradients, or name a layer behind it");
}

/// Makes the nonlinear parts of the actual run hand on differences instead of derivatives.
void rescale(const LayerRerun& rerun, std::vector<graph::Execution>&& actual,
             std::vector<graph::Execution>&& baseline) {
  std::map<std::size_t, std::vector<graph::Execution*>> others;
  for (graph::Execution& each : baseline) {
    others[each.site].push_back(&each);
  }
  std::map<std::size_t, std::size_t> seen;
  for (graph::Execution& each : actual) {
    const std::size_t number = seen[each.site]++;
    if (!each.a.edge.is_valid() || !each.z.edge.is_valid()) {
      continue;
    }
    const std::string& op = rerun.operator_of(each);
    const std::vector<graph::Execution*>& same = others[each.site];
    if (number >= same.size() || same[number]->a.shape != each.a.shape || same[number]->z.shape != each.z.shape ||
        !same[number]->a.edge.is_valid() || !same[number]->z.edge.is_valid()) {
      refuse(rerun, "'" + op + "' does not run from the baseline as it does from the activations");
    }
    if (each.a.gradient_from_base || each.z.gradient_from_base) {
      refuse(rerun, "'" + op + "' writes into a part of another tensor");
    }
    const bool is_maximum = op.find("max_pool") != std::string::npos;
    if (!is_maximum && each.a.shape != each.z.shape) {
      refuse(rerun, "'" + op + "' changes the shape");
    }
    graph::send_on(each.a, [part = Part{each, *same[number]}, is_maximum](const at::Tensor& gradient) {
      return is_maximum ? maxima_rescaled(part, gradient) : rescaled(part, gradient);
    });
  }
}

/// `NativeLayerNormBackward0` as `native_layer_norm`.
std::string operator_name(std::string name) {
  if (const auto scope = name.rfind("::"); scope != std::string::npos) {
    name = name.substr(scope + 2);
  }
  if (const auto backward = name.rfind("Backward"); backward != std::string::npos) {
    name = name.substr(0, backward);
  }
  std::string result;
  for (const char letter : name) {
    const bool is_capital = std::isupper(static_cast<unsigned char>(letter)) != 0;
    result += is_capital && !result.empty() ? "_" : "";
    result += static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  }
  return result;
}

const std::unordered_set<std::string_view>& affine_operators() {
  static const std::unordered_set<std::string_view> names = {"add",
                                                             "sub",
                                                             "rsub",
                                                             "neg",
                                                             "sum",
                                                             "mean",
                                                             "cumsum",
                                                             "cat",
                                                             "stack",
                                                             "view",
                                                             "reshape_alias",
                                                             "unsafe_view",
                                                             "as_strided",
                                                             "transpose",
                                                             "t",
                                                             "permute",
                                                             "squeeze",
                                                             "unsqueeze",
                                                             "expand",
                                                             "repeat",
                                                             "slice",
                                                             "select",
                                                             "narrow",
                                                             "split",
                                                             "split_with_sizes",
                                                             "unsafe_split",
                                                             "unsafe_split_with_sizes",
                                                             "unbind",
                                                             "diagonal",
                                                             "unfold",
                                                             "im2_col",
                                                             "col2_im",
                                                             "clone",
                                                             "copy",
                                                             "to_copy",
                                                             "alias",
                                                             "roll",
                                                             "flip",
                                                             "index",
                                                             "index_select",
                                                             "index_add",
                                                             "index_put",
                                                             "index_copy",
                                                             "gather",
                                                             "scatter",
                                                             "scatter_add",
                                                             "masked_fill",
                                                             "masked_scatter",
                                                             "masked_select",
                                                             "where",
                                                             "tril",
                                                             "triu",
                                                             "constant_pad_nd",
                                                             "reflection_pad1_d",
                                                             "reflection_pad2_d",
                                                             "reflection_pad3_d",
                                                             "replication_pad1_d",
                                                             "replication_pad2_d",
                                                             "replication_pad3_d",
                                                             "avg_pool2_d",
                                                             "avg_pool3_d",
                                                             "adaptive_avg_pool2_d",
                                                             "adaptive_avg_pool3_d",
                                                             "mkldnn_adaptive_avg_pool2_d",
                                                             "upsample_nearest1_d",
                                                             "upsample_nearest2_d",
                                                             "upsample_nearest3_d",
                                                             "upsample_linear1_d",
                                                             "upsample_bilinear2_d",
                                                             "upsample_bicubic2_d",
                                                             "upsample_trilinear3_d",
                                                             "pixel_shuffle",
                                                             "pixel_unshuffle",
                                                             "channel_shuffle",
                                                             "native_batch_norm",
                                                             "cudnn_batch_norm",
                                                             "miopen_batch_norm"};
  return names;
}

/// Which of an operator's tensors are factors of each other, or divide: affine in one of them at most.
const std::map<std::string_view, std::vector<std::size_t>>& products() {
  static const std::map<std::string_view, std::vector<std::size_t>> factors = {
      {"mul", {0, 1}},    {"mm", {0, 1}},      {"bmm", {0, 1}},   {"mv", {0, 1}},          {"dot", {0, 1}},
      {"linear", {0, 1}}, {"addmm", {1, 2}},   {"addmv", {1, 2}}, {"addbmm", {1, 2}},      {"baddbmm", {1, 2}},
      {"addr", {1, 2}},   {"addcmul", {1, 2}}, {"lerp", {0, 2}},  {"convolution", {0, 1}}, {"mkldnn_linear", {0, 1}}};
  return factors;
}

/// Why a function of the autograd graph is not affine in what depends on the layer; "" if it is.
std::string obstacle(const Node& node) {
  const auto* const into_slice = dynamic_cast<const torch::autograd::CopySlices*>(&node);
  std::string name = operator_name(node.name());
  if (into_slice != nullptr) {
    name = operator_name(into_slice->fn->name());
    name = name == "copy_backwards" ? "copy" : name;
  }
  const auto reads = [&](std::size_t input) {
    return into_slice != nullptr || (input < node.num_outputs() && node.next_edge(input).is_valid());
  };
  if (name == "div" ? !reads(1) : affine_operators().count(name) != 0) {
    return "";
  }
  const auto product = products().find(name);
  if (product == products().end()) {
    return "'" + name + "' is neither affine, nor pointwise in one tensor, nor the maxima of windows";
  }
  return reads(product->second[0]) && reads(product->second[1])
             ? "'" + name + "' multiplies two tensors that both depend on the layer"
             : "";
}

/// Looks at everything between y and the layer.
/// @throws UnsupportedModelError naming the operator if the rules do not hold for it
void require_rules(const LayerRerun& rerun, const LayerRerun::Result& result) {
  if (!result.outputs.values.requires_grad()) {
    return;
  }
  const Node* const layer = result.tensor.edge.function.get();
  std::vector<Node*> open = {torch::autograd::impl::gradient_edge(result.outputs.values).function.get()};
  std::unordered_set<const Node*> known(open.begin(), open.end());
  while (!open.empty()) {
    Node* const node = open.back();
    open.pop_back();
    if (node == layer) {
      continue;
    }
    const bool has_rule = graph::sends_on(*node);
    if (const std::string why = has_rule || node->name() == "PreGradTap" ? "" : obstacle(*node); !why.empty()) {
      refuse(rerun, why);
    }
    for (std::size_t i = 0; i < node->num_outputs(); ++i) {
      // What a rule stands for is between the tap and the place beside it.
      const bool is_way = !has_rule || i == 1;
      Node* const next = node->next_edge(i).function.get();
      if (is_way && next != nullptr && known.insert(next).second) {
        open.push_back(next);
      }
    }
  }
}

/// Holds the sums of the contributions against what they must sum up to: what chooses by the layer's values, or
/// normalises by them, shows nowhere else.
void require_sums(const LayerRerun& rerun, const std::vector<double>& contributions, const at::Tensor& terms,
                  const at::Tensor& y, const at::Tensor& y_baseline, at::ScalarType type) {
  const auto samples = static_cast<std::size_t>(y.size(0));
  const std::vector<double> ends = values_of(y);
  const std::vector<double> starts = values_of(y_baseline);
  const std::vector<double> sizes = values_of(terms.abs().reshape({y.size(0), -1}).sum(1));
  constexpr double roundings = 4;
  const double tolerance = roundings * std::sqrt(epsilon_of(type));
  for (std::size_t i = 0; i < samples; ++i) {
    double sum = 0;
    const std::size_t neurons = contributions.size() / samples;
    for (std::size_t j = 0; j < neurons; ++j) {
      sum += contributions[i * neurons + j];
    }
    const double difference = ends[i] - starts[i];
    if (!(std::abs(sum - difference) <= tolerance * (sizes[i] + std::abs(ends[i]) + std::abs(starts[i])))) {
      refuse(rerun, "the contributions of sample " + std::to_string(i) + " sum up to " + std::to_string(sum) +
                        ", and y differs by " + std::to_string(difference) +
                        ", so that something normalises or chooses by the layer's values");
    }
  }
}

}  // namespace

model::SampleScores deep_lift(const LayerRerun& rerun, const model::LayerBatch& layer, const model::Batch& batch,
                              const AttributionOptions& options) {
  const statistics::SampleValues reduction = model::reduction_of(layer, batch.samples());
  const at::NoGradGuard no_gradients;
  Intact intact = intact_run(rerun, batch, options);
  const auto [baseline, way] = way_from_baseline(intact, layer, batch, options);
  const at::Tensor start = baseline.to(intact.value.scalar_type());
  LayerRerun::Result from_baseline = rerun.run(intact.start, [&](const at::Tensor&, std::int64_t) { return start; });
  const at::Tensor y_baseline = model::selected_outputs(from_baseline.outputs, batch.targets, options.output);

  rescale(rerun, std::move(intact.result.parts), std::move(from_baseline.parts));
  require_rules(rerun, intact.result);
  std::vector<model::LayerBatch> explained(1);
  explained[0].a = std::move(intact.result.tensor);
  explained[0].arrangement = layer.arrangement;
  explained[0].samples = batch.samples();
  model::differentiate_layers(explained, intact.result.outputs, batch.targets, options.output);
  const at::Tensor& multipliers = explained[0].a_gradient;
  const at::Tensor terms = multipliers.defined() ? way * multipliers.to(at::kDouble) : at::zeros_like(way);
  std::vector<double> contributions = reduction.sum(terms);
  require_sums(rerun, contributions, terms, intact.y, y_baseline, intact.value.scalar_type());
  return {Method::deep_lift, std::move(contributions), values_of(intact.y - y_baseline),
          need_terms(options) ? terms : at::Tensor()};
}

}  // namespace pregrad::methods
