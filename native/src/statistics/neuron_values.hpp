#pragma once

#include <span>
#include <utility>
#include <variant>
#include <vector>

#include <ATen/core/Tensor.h>

namespace pregrad::statistics {

/// One value per sample and neuron, a row per sample. float32 values stay so until they are added up.
class NeuronValues {
 public:
  explicit NeuronValues(std::vector<double> values)
      : owned_(std::move(values)), view_(std::span<const double>(owned_)) {}
  /// @param values contiguous, on the CPU, float32 or float64
  explicit NeuronValues(at::Tensor values) : tensor_(std::move(values)) {
    const auto size = static_cast<std::size_t>(tensor_.numel());
    if (tensor_.scalar_type() == at::kDouble) {
      view_ = std::span(tensor_.const_data_ptr<double>(), size);
    } else {
      view_ = std::span(tensor_.const_data_ptr<float>(), size);
    }
  }
  /// @param values must outlive this
  static NeuronValues borrowed(std::span<const double> values) {
    NeuronValues result{std::vector<double>()};
    result.view_ = values;
    return result;
  }
  NeuronValues(NeuronValues&&) = default;  // a moved vector keeps its memory
  NeuronValues& operator=(NeuronValues&&) = default;
  NeuronValues(const NeuronValues&) = delete;
  NeuronValues& operator=(const NeuronValues&) = delete;
  ~NeuronValues() = default;

  /// Calls `body` with a span of all values, in their own type.
  template <typename Body>
  auto visit(const Body& body) const {
    return std::visit(body, view_);
  }

 private:
  std::vector<double> owned_;
  at::Tensor tensor_;
  std::variant<std::span<const double>, std::span<const float>> view_;
};

}  // namespace pregrad::statistics
