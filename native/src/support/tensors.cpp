#include "support/tensors.hpp"

#include <algorithm>
#include <atomic>
#include <bit>

#include <ATen/Functions.h>

#include "support/threads.hpp"

namespace pregrad::support {

std::string shape_text(c10::ArrayRef<std::int64_t> shape) {
  std::string text = "[";
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    text += (axis == 0 ? "" : ", ") + std::to_string(shape[axis]);
  }
  return text + "]";
}

std::string quoted(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    text += (text.empty() ? "'" : ", '") + name + "'";
  }
  return text;
}

at::Tensor uploaded(const at::Tensor& tensor, c10::Device device) {
  // Pinned memory of the caller's own may change while it is on its way, unless that is waited for.
  if (!device.is_cuda() || !tensor.is_cpu() || tensor.is_pinned()) {
    return tensor.to(device);
  }
  return tensor.pin_memory().to(device, tensor.scalar_type(), /*non_blocking=*/true);
}

at::Tensor copies_of(const at::Tensor& tensor, std::int64_t count) {
  if (count == 1 || !tensor.defined()) {
    return tensor;
  }
  std::vector<std::int64_t> repeats(static_cast<std::size_t>(tensor.dim()), 1);
  repeats.at(0) = count;
  return tensor.repeat(repeats);
}

Inputs detached(const Inputs& inputs) {
  return inputs.mapped([](const at::Tensor& tensor) { return tensor.defined() ? tensor.detach() : tensor; });
}

Inputs uploaded(const Inputs& inputs, c10::Device device) {
  const bool is_there = std::all_of(inputs.begin(), inputs.end(),
                                    [&](const NamedTensor& each) { return each.tensor.device() == device; });
  return is_there ? inputs : inputs.mapped([&](const at::Tensor& tensor) { return uploaded(tensor, device); });
}

namespace {

/// NaN and infinity are the numbers whose exponent is all ones.
template <typename Bits, Bits exponent, typename T>
bool are_finite(const T* values, std::int64_t begin, std::int64_t end) {
  Bits bad = 0;
  for (std::int64_t i = begin; i < end; ++i) {
    bad |= static_cast<Bits>((std::bit_cast<Bits>(values[i]) & exponent) == exponent);
  }
  return bad == 0;
}

bool are_finite_on_cpu(const at::Tensor& values) {
  std::atomic<bool> finite = true;
  constexpr std::int64_t worth_a_thread = 1 << 17;
  parallel_for(values.numel(), worth_a_thread, [&](std::int64_t begin, std::int64_t end) {
    const bool good = values.scalar_type() == at::kFloat
                          ? are_finite<std::uint32_t, 0x7f800000U>(values.const_data_ptr<float>(), begin, end)
                          : are_finite<std::uint64_t, 0x7ff0000000000000U>(values.const_data_ptr<double>(), begin, end);
    if (!good) {
      finite.store(false, std::memory_order_relaxed);
    }
  });
  return finite;
}

}  // namespace

std::optional<std::int64_t> first_sample_not_finite(const at::Tensor& values) {
  const bool is_plain = values.scalar_type() == at::kFloat || values.scalar_type() == at::kDouble;
  if (is_plain && values.is_cpu() && values.is_contiguous() && are_finite_on_cpu(values)) {
    return std::nullopt;
  }
  if (!values.is_cpu() && at::isfinite(values.detach()).all().item<bool>()) {
    return std::nullopt;
  }
  const at::Tensor bad = at::isfinite(values.detach()).logical_not().reshape({values.size(0), -1}).any(1).nonzero();
  return bad.size(0) == 0 ? std::nullopt : std::optional(bad[0][0].item<std::int64_t>());
}

}  // namespace pregrad::support
