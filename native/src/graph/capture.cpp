#include "graph/capture.hpp"

#include <atomic>
#include <memory>
#include <type_traits>

#include <ATen/Functions.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/csrc/autograd/variable.h>

#include "pregrad/error.hpp"

namespace pregrad::graph {

namespace {

using torch::autograd::Edge;
using GradientNode = torch::autograd::Node;
using torch::autograd::Variable;
using torch::autograd::variable_list;
using NodePointer = decltype(Edge::function);

/// The identity, there to give the captured tensor a place of its own in the autograd graph.
struct TapNode : public GradientNode {
  variable_list apply(variable_list&& gradients) override {
    if (!rule || !gradients[0].defined()) {
      gradients.resize(num_outputs());
      return std::move(gradients);
    }
    auto [on, beside] = rule(gradients[0]);
    return {std::move(on), std::move(beside)};
  }
  std::string name() const override { return "PreGradTap"; }
  SendOn rule;
};

/// The identity behind a tensor that retains its gradient.
struct KeptNode : public TapNode {
  variable_list apply(variable_list&& gradients) override {
    if (at::GradMode::is_enabled()) {
      is_recorded = true;
    }
    return std::move(gradients);
  }
  std::string name() const override { return "PreGradKept"; }
  std::atomic<bool> is_recorded = false;
};

/// LibTorch 2.13 counts the references of a node inside it, 2.11 beside it.
template <typename Made, typename Pointer>
Pointer make_node() {
  if constexpr (std::is_same_v<Pointer, std::shared_ptr<GradientNode>>) {
    return std::make_shared<Made>();
  } else {
    return c10::make_intrusive<Made>();
  }
}

template <typename Made = TapNode>
NodePointer make_tap_node(const Edge& upstream, const Edge* beside = nullptr) {
  auto node = make_node<Made, NodePointer>();
  torch::autograd::edge_list edges = {upstream};
  if (beside != nullptr) {
    edges.push_back(*beside);
  }
  node->set_next_edges(std::move(edges));
  return node;
}

Edge upstream_of(const at::Tensor& tensor) {
  // Without history nothing before the tap is recorded.
  return tensor.requires_grad() ? torch::autograd::impl::gradient_edge(tensor) : Edge();
}

/// A tensor on the same memory that starts at the tap.
at::Tensor tapped_alias(const at::Tensor& tensor, const Edge* beside, Edge& edge) {
  const NodePointer node = make_tap_node(upstream_of(tensor), beside);
  at::Tensor alias = tensor.detach();
  torch::autograd::set_history(alias, node);
  edge = Edge(node, 0);
  return alias;
}

/// Puts the tap into the history of the tensor itself, as an in-place identity would, so that everything that shares
/// its memory goes on doing so. `tensor` is no view.
void tap_in_place(const at::Tensor& tensor, Stage stage, const Edge* beside, Edge& edge) {
  const NodePointer node = make_tap_node(upstream_of(tensor), beside);
  torch::autograd::set_history(tensor, node);
  // Views look for their history again when the version is new. What autograd saved of an activation would then count
  // as overwritten, though.
  if (stage == Stage::pre_activation) {
    torch::autograd::impl::bump_version(tensor);
  }
  edge = Edge(node, 0);
}

/// An in-place operation asks whether a view is a leaf before it looks for the view's new history: look now. The view
/// then has the history of this version and of no later one.
void renew_history(const at::Tensor& view) {
  torch::autograd::impl::get_view_autograd_meta(view)->set_attr_version(
      torch::autograd::impl::version_counter(view).current_version() + 1);
  static_cast<void>(view.grad_fn());
}

/// The part of a base's gradient that belongs to `view`.
std::function<at::Tensor(const at::Tensor&)> gradient_of_view(const at::Tensor& view, const at::Tensor& base) {
  return [sizes = view.sizes().vec(), strides = view.strides().vec(),
          offset = view.storage_offset() - base.storage_offset(), base_sizes = base.sizes().vec(),
          base_strides = base.strides().vec()](const at::Tensor& gradient) {
    at::Tensor laid_out = at::empty_strided(base_sizes, base_strides, gradient.options());
    laid_out.copy_(gradient);
    return laid_out.as_strided(sizes, strides, offset);
  };
}

at::Tensor tap_written(const at::Tensor& tensor, Stage stage, LaterWrites writes, const Edge* beside,
                       Captured& captured) {
  const auto* view = torch::autograd::impl::get_view_autograd_meta(tensor);
  if (view == nullptr || !view->has_bw_view()) {
    tap_in_place(tensor, stage, beside, captured.edge);
    return tensor;
  }
  if (view->get_creation_meta() != torch::autograd::CreationMeta::DEFAULT) {
    if (writes == LaterWrites::by_activation) {
      throw UnsupportedModelError(
          "the model applies an activation in place to one of several views of one tensor (chunk, split or unbind), "
          "whose gradient is not defined: use the activation that is not in place there");
    }
    return tapped_alias(tensor, beside, captured.edge);
  }
  const at::Tensor base = view->get_backward_view().base_;
  captured.gradient_from_base = gradient_of_view(tensor, base);
  tap_in_place(base, stage, beside, captured.edge);
  renew_history(tensor);
  return tensor;
}

/// A tensor behind `upstream` that nobody but the tap knows, with LibTorch's retain_grad on it. Only its gradient is
/// ever read, so it has the shape of `tensor` on the memory of one element.
at::Tensor kept_behind(const Edge& upstream, const at::Tensor& tensor) {
  at::Tensor kept = at::empty_strided(tensor.sizes(), std::vector<std::int64_t>(tensor.sizes().size(), 0),
                                      tensor.options().requires_grad(false));
  torch::autograd::set_history(kept, make_tap_node<KeptNode>(upstream));
  kept.retain_grad();
  return kept;
}

/// Puts `kept` and a tap into the history of the tensor itself, without a new version: what autograd saved of it is as
/// it was. The tap is apart from what is kept, so that a retain_grad or a hook of the program has a place of its own.
void tap_retained(const at::Tensor& tensor, at::Tensor& kept) {
  kept = kept_behind(torch::autograd::impl::gradient_edge(tensor), tensor);
  const NodePointer node = make_tap_node(torch::autograd::impl::gradient_edge(kept));
  if (tensor.retains_grad()) {
    // LibTorch looks for it at the newest node.
    node->add_retains_grad_hook(tensor.grad_fn()->pop_retains_grad_hook(tensor.output_nr()), 0);
  }
  torch::autograd::set_history(tensor, node);
}

at::Tensor tapped_retained(const at::Tensor& tensor, Captured& captured, at::Tensor& kept) {
  const auto alias = [&](const at::Tensor& of) {
    kept = kept_behind(upstream_of(of), of);
    at::Tensor tapped = of.detach();
    torch::autograd::set_history(tapped, make_tap_node(torch::autograd::impl::gradient_edge(kept)));
    return tapped;
  };
  if (!tensor.requires_grad()) {
    return alias(tensor);  // it may be data, which must not begin to have a history
  }
  if (tensor.is_leaf()) {
    // A view, so that LibTorch goes on refusing to change a leaf in place.
    at::Tensor view = tensor.view_as(tensor);
    tap_retained(view, kept);
    return view;
  }
  const auto* view = torch::autograd::impl::get_view_autograd_meta(tensor);
  if (view == nullptr || !view->has_bw_view()) {
    tap_retained(tensor, kept);
    return tensor;
  }
  const at::Tensor& base = view->get_backward_view().base_;
  const bool can_be_changed = view->get_creation_meta() == torch::autograd::CreationMeta::DEFAULT && !base.is_leaf();
  if (!can_be_changed) {
    tap_retained(tensor, kept);
    return tensor;
  }
  if (base.use_count() == 1) {
    return alias(tensor);  // nobody else can read what is written into it
  }
  // A change of the view changes the history of its base, past that of the view.
  captured.gradient_from_base = gradient_of_view(tensor, base);
  tap_retained(base, kept);
  renew_history(tensor);
  return tensor;
}

}  // namespace

at::Tensor replaced(const at::Tensor& tensor, const at::Tensor& edited, LaterWrites writes) {
  if (writes == LaterWrites::none) {
    return edited;
  }
  const at::NoGradGuard no_history;
  tensor.copy_(edited);
  return tensor;
}

at::Tensor capture_retained(const at::Tensor& tensor, CaptureNeeds needs, Captured& captured, at::Tensor& kept) {
  captured.shape = tensor.sizes().vec();
  if (needs.value) {
    captured.value = tensor.detach().clone();
  }
  if (!needs.gradient) {
    return tensor;
  }
  at::Tensor tapped = tapped_retained(tensor, captured, kept);
  captured.edge = torch::autograd::impl::gradient_edge(kept);
  return tapped;
}

bool has_recorded_gradient(const at::Tensor& kept) { return static_cast<const KeptNode&>(*kept.grad_fn()).is_recorded; }

void send_on(const Captured& captured, SendOn rule) {
  static_cast<TapNode&>(*captured.edge.function).rule = std::move(rule);
}

bool sends_on(const torch::autograd::Node& node) {
  const auto* const tap = dynamic_cast<const TapNode*>(&node);
  return tap != nullptr && tap->rule;
}

at::Tensor capture(const at::Tensor& tensor, Stage stage, CaptureNeeds needs, LaterWrites writes, Captured& captured,
                   const Edge* beside) {
  captured.shape = tensor.sizes().vec();
  if (needs.only_history && !tensor.requires_grad()) {
    return tensor;
  }
  if (needs.value) {
    captured.value = writes == LaterWrites::none ? tensor.detach() : tensor.detach().clone();
  }
  if (!needs.gradient) {
    return tensor;
  }
  if (!at::isFloatingType(tensor.scalar_type())) {
    throw UnsupportedModelError(std::string("a tapped layer has type ") + c10::toString(tensor.scalar_type()) +
                                ", which has no gradient: name a floating-point layer");
  }
  return writes == LaterWrites::none ? tapped_alias(tensor, beside, captured.edge)
                                     : tap_written(tensor, stage, writes, beside, captured);
}

}  // namespace pregrad::graph
