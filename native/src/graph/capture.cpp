#include "graph/capture.hpp"

#include <memory>
#include <type_traits>

#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/csrc/autograd/variable.h>

#include "pregrad/error.hpp"

namespace pregrad::graph {

namespace {

using torch::autograd::Edge;
using torch::autograd::Node;
using torch::autograd::Variable;
using torch::autograd::variable_list;
using NodePointer = decltype(Edge::function);

/// The identity, there to give the captured tensor a place of its own in the autograd graph.
struct TapNode : public Node {
  variable_list apply(variable_list&& gradients) override { return std::move(gradients); }
  std::string name() const override { return "PreGradTap"; }
};

/// LibTorch 2.13 counts the references of a node inside it, 2.11 beside it.
template <typename Pointer>
Pointer make_node() {
  if constexpr (std::is_same_v<Pointer, std::shared_ptr<Node>>) {
    return std::make_shared<TapNode>();
  } else {
    return c10::make_intrusive<TapNode>();
  }
}

NodePointer make_tap_node(const Edge& upstream) {
  auto node = make_node<NodePointer>();
  node->set_next_edges({upstream});
  return node;
}

Edge upstream_of(const at::Tensor& tensor) {
  // Without history nothing before the tap is recorded.
  return tensor.requires_grad() ? torch::autograd::impl::gradient_edge(tensor) : Edge();
}

/// A tensor on the same memory that starts at the tap.
at::Tensor tapped_alias(const at::Tensor& tensor, Edge& edge) {
  const NodePointer node = make_tap_node(upstream_of(tensor));
  at::Tensor alias = tensor.detach();
  torch::autograd::set_history(alias, node);
  edge = Edge(node, 0);
  return alias;
}

/// Puts the tap into the history of the tensor itself, as an in-place identity would, so that everything that shares
/// its memory goes on doing so.
at::Tensor tap_in_place(const at::Tensor& tensor, Edge& edge) {
  if (const auto* view = torch::autograd::impl::get_view_autograd_meta(tensor)) {
    if (view->has_bw_view() && view->get_creation_meta() != torch::autograd::CreationMeta::DEFAULT) {
      throw UnsupportedModelError(
          "the model writes in place into one of several views of one tensor (chunk, split or unbind), whose gradient "
          "is not defined: use the activation that is not in place there");
    }
  }
  const NodePointer node = make_tap_node(upstream_of(tensor));
  node->add_input_metadata(tensor);
  if (tensor.requires_grad() || tensor.is_view()) {
    torch::autograd::impl::rebase_history(tensor, Edge(node, 0));
  } else {
    torch::autograd::impl::set_gradient_edge(tensor, Edge(node, 0));
  }
  torch::autograd::impl::bump_version(tensor);
  edge = Edge(node, 0);
  return tensor;
}

}  // namespace

at::Tensor capture(const at::Tensor& tensor, CaptureNeeds needs, LaterWrites writes, Captured& captured) {
  captured.shape = tensor.sizes().vec();
  captured.type = tensor.scalar_type();
  if (needs.value) {
    captured.value = writes == LaterWrites::possible ? tensor.detach().clone() : tensor.detach();
  }
  if (!needs.gradient) {
    return tensor;
  }
  if (!at::isFloatingType(tensor.scalar_type())) {
    throw UnsupportedModelError(std::string("a tapped layer has type ") + c10::toString(tensor.scalar_type()) +
                                ", which has no gradient: name a floating-point layer");
  }
  return writes == LaterWrites::possible ? tap_in_place(tensor, captured.edge) : tapped_alias(tensor, captured.edge);
}

}  // namespace pregrad::graph
