#include "model/batch.hpp"

#include <exception>
#include <string>
#include <vector>

#include <ATen/Functions.h>

#include "pregrad/error.hpp"
#include "support/failures.hpp"

namespace pregrad::model {

namespace {

/// LibTorch's words if the part does not fit, else none. The exception is gone when this returns, and with it whatever
/// memory it may have held on to.
std::string refusal(const Batch& part, const std::function<void(const Batch&)>& body) {
  try {
    body(part);
    return {};
  } catch (const InputError& error) {
    if (part.first == 0) {
      throw;
    }
    throw InputError(std::string(error.what()) + " (counted from sample " + std::to_string(part.first) +
                     ", as the batch did not fit into the device's memory)");
  } catch (const std::exception& error) {
    if (!support::is_out_of_memory(error)) {
      throw;
    }
    return support::device_words(error);
  }
}

}  // namespace

namespace {

at::Tensor copies_of(const at::Tensor& tensor, std::int64_t count) {
  if (count == 1 || !tensor.defined()) {
    return tensor;
  }
  std::vector<std::int64_t> repeats(static_cast<std::size_t>(tensor.dim()), 1);
  repeats.at(0) = count;
  return tensor.repeat(repeats);
}

}  // namespace

Targets Targets::copies(std::int64_t count) const { return {copies_of(indices, count), copies_of(selection, count)}; }

at::Tensor Batch::mask_of_copies(std::int64_t count) const { return copies_of(mask, count); }

Batch Batch::slice(std::int64_t begin, std::int64_t count) const {
  const auto rows = [&](const at::Tensor& tensor) {
    return tensor.defined() ? tensor.slice(0, begin, begin + count) : tensor;
  };
  Batch part = *this;
  part.inputs = inputs.slice(begin, begin + count);
  part.labels = rows(labels);
  part.clusters = rows(clusters);
  part.mask = rows(mask);
  part.targets = {};
  part.first = first + begin;
  return part;
}

bool has_second_class(const Batch& batch) { return batch.labels.defined() && batch.labels.eq(1).any().item<bool>(); }

Inputs of_other_size(const Inputs& inputs) {
  const std::int64_t samples = inputs.samples() == 2 ? 3 : 2;
  return inputs.slice(0, samples).copies(3).slice(0, samples);
}

std::int64_t in_parts(c10::Device device, const Batch& batch, const std::function<void(const Batch&)>& body) {
  const std::string words = refusal(batch, body);
  if (words.empty()) {
    return 0;
  }
  Batch again = batch;
  again.short_of_memory = true;
  const std::int64_t samples = batch.samples();
  if (samples > 1) {
    const std::int64_t half = samples / 2;
    const std::int64_t splits_of_first = in_parts(device, again.slice(0, half), body);
    return 1 + splits_of_first + in_parts(device, again.slice(half, samples - half), body);
  }
  if (!batch.short_of_memory) {
    return in_parts(device, again, body);
  }
  throw DeviceError("the memory of device " + device.str() + " is too small for a single sample (" + words +
                    "): free memory there, score fewer layers or methods at once, or use a device with more of it");
}

void if_two_fit(const Batch& part, const std::function<void()>& check) {
  try {
    check();
  } catch (const std::exception& error) {
    if (part.samples() != 1 || !support::is_out_of_memory(error)) {
      throw;
    }
  }
}

}  // namespace pregrad::model
