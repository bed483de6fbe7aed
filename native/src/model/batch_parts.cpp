#include "model/batch_parts.hpp"

#include <exception>
#include <string>
#include <vector>

#include "pregrad/error.hpp"
#include "support/failures.hpp"

namespace pregrad::model {

namespace {

/// LibTorch's words if the part does not fit, else none. The exception is gone when this returns, and with it whatever
/// memory it may have held on to.
std::string refusal(const BatchPart& part, const std::function<void(const BatchPart&)>& body) {
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

at::Tensor BatchPart::of(const at::Tensor& tensor) const {
  const bool is_all = !tensor.defined() || tensor.size(0) == samples;
  return is_all ? tensor : tensor.slice(0, first, first + samples);
}

std::int64_t in_parts(c10::Device device, std::int64_t samples, const std::function<void(const BatchPart&)>& body) {
  std::int64_t splits = 0;
  std::vector<BatchPart> waiting = {{0, samples, false}};  // the last one is next
  while (!waiting.empty()) {
    const BatchPart part = waiting.back();
    waiting.pop_back();
    const std::string words = refusal(part, body);
    if (words.empty()) {
      continue;
    }
    if (!part.is_single_sample()) {
      ++splits;
      const std::int64_t half = part.samples / 2;
      waiting.push_back({part.first + half, part.samples - half, true});
      waiting.push_back({part.first, half, true});
    } else if (!part.short_of_memory) {
      waiting.push_back({part.first, 1, true});
    } else {
      throw DeviceError("the memory of device " + device.str() + " is too small for a single sample (" + words +
                        "): free memory there, score fewer layers or methods at once, or use a device with more of it");
    }
  }
  return splits;
}

void if_two_fit(const BatchPart& part, const std::function<void()>& check) {
  try {
    check();
  } catch (const std::exception& error) {
    if (!part.is_single_sample() || !support::is_out_of_memory(error)) {
      throw;
    }
  }
}

}  // namespace pregrad::model
