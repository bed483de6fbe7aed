#include "model/batch.hpp"

#include <exception>
#include <string>
#include <utility>
#include <vector>

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

Batch Batch::slice(std::int64_t begin, std::int64_t count) const {
  const auto rows = [&](const at::Tensor& tensor) {
    return tensor.defined() ? tensor.slice(0, begin, begin + count) : tensor;
  };
  return {
      inputs.slice(begin, begin + count), rows(labels), rows(clusters), rows(targets), first + begin, short_of_memory};
}

std::int64_t in_parts(c10::Device device, const Batch& batch, const std::function<void(const Batch&)>& body) {
  std::int64_t splits = 0;
  std::vector<Batch> waiting = {batch};  // the last one is next
  while (!waiting.empty()) {
    Batch part = std::move(waiting.back());
    waiting.pop_back();
    const std::string words = refusal(part, body);
    if (words.empty()) {
      continue;
    }
    const std::int64_t samples = part.samples();
    const bool is_second_try = part.short_of_memory;
    part.short_of_memory = true;
    if (samples > 1) {
      ++splits;
      waiting.push_back(part.slice(samples / 2, samples - samples / 2));
      waiting.push_back(part.slice(0, samples / 2));
    } else if (!is_second_try) {
      waiting.push_back(std::move(part));
    } else {
      throw DeviceError("the memory of device " + device.str() + " is too small for a single sample (" + words +
                        "): free memory there, score fewer layers or methods at once, or use a device with more of it");
    }
  }
  return splits;
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
