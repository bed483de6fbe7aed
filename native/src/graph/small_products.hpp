#pragma once

#include <cstdint>
#include <optional>

#include <ATen/core/Tensor.h>
#include <torch/csrc/jit/ir/ir.h>

namespace pregrad::graph {

/// The multiply-adds per row of the largest product in a graph that is nothing but linear layers and what works on each
/// value by itself, so that the rows of the input stay rows; empty for any other graph.
std::optional<std::int64_t> multiply_adds_per_row(torch::jit::Graph& graph);

/// Whether products of so much are done before a second thread has woken up.
bool are_small_products(std::optional<std::int64_t> multiply_adds_per_row, const at::Tensor& inputs);

/// While it lives, MKL computes the products of the calling thread in this thread alone, if `enabled`. OpenBLAS has
/// such a limit for small products of its own, MKL shares out all.
class ProductsInThisThread {
 public:
  explicit ProductsInThisThread(bool enabled);
  ~ProductsInThisThread();
  ProductsInThisThread(const ProductsInThisThread&) = delete;
  ProductsInThisThread& operator=(const ProductsInThisThread&) = delete;
  ProductsInThisThread(ProductsInThisThread&&) = delete;
  ProductsInThisThread& operator=(ProductsInThisThread&&) = delete;

 private:
  std::optional<int> before_;
};

}  // namespace pregrad::graph
