#include "graph/work_share.hpp"

#include <string_view>
#include <unordered_set>

#include "graph/tap_operators.hpp"

namespace pregrad::graph {

namespace {

using torch::jit::Block;
using torch::jit::Node;

bool is_product(const Node* node) {
  static const std::unordered_set<std::string_view> products = {"aten::conv1d",
                                                                "aten::conv2d",
                                                                "aten::conv3d",
                                                                "aten::convolution",
                                                                "aten::_convolution",
                                                                "aten::conv_transpose1d",
                                                                "aten::conv_transpose2d",
                                                                "aten::conv_transpose3d",
                                                                "aten::linear",
                                                                "aten::addmm",
                                                                "aten::mm",
                                                                "aten::bmm",
                                                                "aten::baddbmm",
                                                                "aten::matmul",
                                                                "aten::einsum",
                                                                "aten::scaled_dot_product_attention",
                                                                "aten::lstm",
                                                                "aten::gru",
                                                                "aten::rnn_tanh",
                                                                "aten::rnn_relu"};
  return products.count(node->kind().toQualString()) != 0;
}

class Counter {
 public:
  void visit(Block* block) {
    for (Node* node : block->nodes()) {
      is_behind_ = is_behind_ || node->kind() == tap_operators().take_z || node->kind() == tap_operators().take_a;
      if (is_product(node)) {
        ++(is_behind_ ? behind_ : before_);
      }
      for (Block* inner : node->blocks()) {
        visit(inner);
      }
    }
  }

  double share() const { return before_ + behind_ == 0 ? 1 : static_cast<double>(behind_) / (before_ + behind_); }

 private:
  bool is_behind_ = false;
  int before_ = 0;
  int behind_ = 0;
};

}  // namespace

double work_behind_first_tap(torch::jit::Graph& graph) {
  Counter counter;
  counter.visit(graph.block());
  return counter.share();
}

}  // namespace pregrad::graph
