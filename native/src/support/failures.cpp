#include "support/failures.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <mutex>
#include <sstream>
#include <string_view>
#include <unordered_map>

#include <ATen/Context.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <c10/util/Exception.h>
#include <torch/csrc/jit/runtime/jit_exception.h>

#include "pregrad/error.hpp"

namespace pregrad::support {

namespace {

struct Range {
  char32_t first;
  char32_t last;
};

/// Unicode's controls (Cc), formats (Cf) and separators of lines and paragraphs (Zl, Zp).
constexpr std::array<Range, 22> unprintable = {{
    {0x0, 0x1F},        {0x7F, 0x9F},       {0xAD, 0xAD},       {0x600, 0x605},     {0x61C, 0x61C},
    {0x6DD, 0x6DD},     {0x70F, 0x70F},     {0x890, 0x891},     {0x8E2, 0x8E2},     {0x180E, 0x180E},
    {0x200B, 0x200F},   {0x2028, 0x202E},   {0x2060, 0x2064},   {0x2066, 0x206F},   {0xFEFF, 0xFEFF},
    {0xFFF9, 0xFFFB},   {0x110BD, 0x110BD}, {0x110CD, 0x110CD}, {0x13430, 0x1343F}, {0x1BCA0, 0x1BCA3},
    {0x1D173, 0x1D17A}, {0xE0001, 0xE007F},
}};

bool is_printable(char32_t code) {
  return std::none_of(unprintable.begin(), unprintable.end(),
                      [&](const Range& range) { return code >= range.first && code <= range.last; });
}

/// One character of UTF-8, or a byte that begins none.
struct Character {
  std::size_t size;
  char32_t code;
  bool is_valid;
};

bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U; }

Character character_at(std::string_view text, std::size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  const std::size_t size = lead < 0x80 ? 1 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  const Character invalid = {1, lead, false};
  if (size == 1) {
    return {1, lead, true};
  }
  if (lead < 0xC2 || lead > 0xF4 || at + size > text.size()) {
    return invalid;
  }
  char32_t code = lead & (0x7FU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if (!is_continuation(text[at + i])) {
      return invalid;
    }
    code = code << 6U | (static_cast<unsigned char>(text[at + i]) & 0x3FU);
  }
  constexpr std::array<char32_t, 5> least = {0, 0, 0x80, 0x800, 0x10000};
  const bool is_surrogate = code >= 0xD800 && code <= 0xDFFF;
  return code < least.at(size) || code > 0x10FFFF || is_surrogate ? invalid : Character{size, code, true};
}

std::string escaped(char32_t code) {
  std::array<char, 11> text = {};
  const char* format = code < 0x100 ? "\\x%02x" : code < 0x10000 ? "\\u%04x" : "\\U%08x";
  std::snprintf(text.data(), text.size(), format, static_cast<unsigned>(code));
  return text.data();
}

/// The text without its middle, if it has more bytes than `most`; no character is cut through.
std::string shortened(std::string_view text, std::size_t most) {
  if (text.size() <= most) {
    return std::string(text);
  }
  std::size_t head = most * 2 / 3;
  std::size_t tail = text.size() - (most - head);
  while (head > 0 && is_continuation(text[head])) {
    --head;
  }
  while (tail < text.size() && is_continuation(text[tail])) {
    ++tail;
  }
  return std::string(text.substr(0, head)) + "\u2026" + std::string(text.substr(tail));
}

/// Names of layers and paths of files are shorter.
constexpr std::size_t longest_word = 400;
constexpr std::size_t longest_message = 4000;

std::string with_short_words(std::string_view text) {
  std::string result;
  for (std::size_t first = 0; first < text.size();) {
    const std::size_t end = std::min(text.find(' ', first), text.size());
    result += shortened(text.substr(first, end - first), longest_word);
    if (end < text.size()) {
      result += ' ';
    }
    first = end + 1;
  }
  return result;
}

}  // namespace

std::string printable(std::string_view message) {
  std::string text;
  text.reserve(message.size());
  for (std::size_t at = 0; at < message.size();) {
    const Character next = character_at(message, at);
    text += next.is_valid && is_printable(next.code) ? std::string(message.substr(at, next.size)) : escaped(next.code);
    at += next.size;
  }
  return shortened(with_short_words(text), longest_message);
}

namespace {

bool is_traceback(const std::string& line) {
  for (const char* mark :
       {"The following operation failed", "Traceback of TorchScript", "  File \"", "Exception raised from"}) {
    if (line.rfind(mark, 0) == 0) {
      return true;
    }
  }
  return line.find("<--- HERE") != std::string::npos || line.find("~~~") != std::string::npos;
}

/// The class name that Python puts before a message, e.g. `builtins.ValueError: `.
std::string without_class_prefix(const std::string& line) {
  const std::size_t colon = line.find(": ");
  const std::string name = line.substr(0, colon);
  const bool is_class = colon != std::string::npos && name.find(' ') == std::string::npos && name.size() > 5 &&
                        (name.ends_with("Error") || name.ends_with("Exception"));
  return is_class ? line.substr(colon + 2) : line;
}

/// Autograd's advice for people who debug training is none for who reads this message.
std::string without_hint(const std::string& line) { return line.substr(0, line.find(" Hint: ")); }

/// Of paths of LibTorch's sources (`/builder/torch/csrc/jit/ir.cpp:12`) only the file remains.
std::string without_source_folders(const std::string& line) {
  std::string result;
  for (std::size_t first = 0; first < line.size();) {
    const std::size_t end = std::min(line.find_first_of(" \"'()[],", first), line.size());
    const std::string word = line.substr(first, end - first);
    const std::size_t slash = word.rfind('/');
    const std::size_t dot = word.find('.', slash == std::string::npos ? 0 : slash);
    const std::string extension = dot == std::string::npos ? "" : word.substr(dot + 1, word.find(':', dot) - dot - 1);
    constexpr std::array<std::string_view, 7> sources = {"cpp", "cc", "cu", "h", "hpp", "cuh", "inl"};
    const bool is_source =
        word.starts_with('/') && std::find(sources.begin(), sources.end(), extension) != sources.end();
    result += is_source ? word.substr(slash + 1) : word;
    if (end < line.size()) {
      result += line[end];
    }
    first = end + 1;
  }
  return result;
}

/// Erases what stands between the two marks, and these.
void erase_between(std::string& line, std::string_view begin, std::string_view end) {
  const std::size_t first = line.find(begin);
  const std::size_t last = first == std::string::npos ? first : line.find(end, first + begin.size());
  if (last != std::string::npos) {
    line.erase(first, last + end.size() - first);
  }
}

/// Whoever reads it uses PreGrad, and has nothing to report to PyTorch.
std::string without_report(std::string line) {
  for (const std::string_view request :
       {", please report a bug to PyTorch.", " Please report a bug to PyTorch.", " please report a bug to PyTorch.",
        ", please report a bug to PyTorch", " Please report this issue to PyTorch.", " This is a PyTorch bug."}) {
    if (const std::size_t at = line.find(request); at != std::string::npos) {
      line.erase(at, request.size());
    }
  }
  return line;
}

/// A failed assertion begins with its condition and its place; what failed, if LibTorch says so, comes after.
std::string with_plain_assertion(const std::string& line) {
  constexpr std::string_view mark = " INTERNAL ASSERT FAILED at ";
  const std::size_t at = line.find(mark);
  if (at == std::string::npos) {
    // `[enforce fail at FILE:LINE] CONDITION. what failed`; where LibTorch wrote no condition, a dot stands alone.
    std::string plain = line;
    if (line.starts_with("[enforce fail at ")) {
      erase_between(plain, "[enforce fail at ", "] ");
      const std::size_t end = plain.find(". ");
      return end == std::string::npos || end + 2 >= plain.size() ? plain : plain.substr(end + 2);
    }
    return plain;
  }
  std::string place = line.substr(at + mark.size());
  place.erase(std::remove(place.begin(), place.end(), '"'), place.end());
  const std::size_t end = place.find(' ');
  const std::string rest = end == std::string::npos ? "" : place.substr(end + 1);
  return "an assertion of LibTorch's failed, " + line.substr(0, at) + " in " + place.substr(0, end) +
         (rest.empty() ? "" : ": " + rest);
}

std::string for_users(const std::string& line) {
  std::string text = with_plain_assertion(without_source_folders(without_report(without_hint(line))));
  while (!text.empty() && text.back() == ' ') {
    text.pop_back();
  }
  return printable(text);
}

}  // namespace

std::string first_sentence(const std::string& message) {
  // A TorchScript error puts its source listing first and what went wrong last, after a class name.
  std::istringstream lines(message);
  std::string line;
  std::string first;
  std::string last;
  while (std::getline(lines, line)) {
    if (line.empty() || line.rfind("frame #", 0) == 0) {
      continue;
    }
    const bool indented = line.front() == ' ';
    const bool named = without_class_prefix(line) != line;
    if (named) {
      last = without_class_prefix(line);
    } else if (first.empty() && !indented && !is_traceback(line)) {
      first = line;
    }
  }
  return for_users(last.empty() ? first : last);
}

std::string first_sentence(const std::exception& error) { return first_sentence(message_of(error)); }

RunFailure run_failure(const std::exception& error) {
  if (dynamic_cast<const torch::jit::JITException*>(&error) != nullptr) {
    return RunFailure::raised;
  }
  const std::string message = message_of(error);
  const auto has = [&](std::string_view part) { return message.find(part) != std::string::npos; };
  if (has(division_words)) {
    return RunFailure::divided;
  }
  // The interpreter keeps the type of none but its own exceptions and this one.
  if (dynamic_cast<const c10::NotImplementedError*>(&error) != nullptr || has("not implemented for '")) {
    return RunFailure::not_implemented;
  }
  if (has("saved for backward") || has("modified inplace") || has("modified by an inplace operation") ||
      has("Variable that requires grad")) {
    return RunFailure::not_recorded;
  }
  return RunFailure::operators;
}

std::string message_of(const std::exception& error) {
  const auto* libtorch = dynamic_cast<const c10::Error*>(&error);
  return libtorch != nullptr ? libtorch->what_without_backtrace() : error.what();
}

namespace {

struct CudaError {
  std::int32_t code;
  std::string_view name;  ///< in LibTorch's quotes, so that it is not found inside a longer one
};

constexpr CudaError memory_allocation = {2, "`cudaErrorMemoryAllocation'"};

/// What CUDA refuses without harm to what is on the device. All else is taken for sticky: to go on with a device whose
/// context is broken would give errors without end, to leave one that is whole costs a restart.
constexpr std::array<CudaError, 17> harmless = {{
    {1, "`cudaErrorInvalidValue'"},
    {9, "`cudaErrorInvalidConfiguration'"},
    {98, "`cudaErrorInvalidDeviceFunction'"},
    {101, "`cudaErrorInvalidDevice'"},
    {209, "`cudaErrorNoKernelImageForDevice'"},
    {701, "`cudaErrorLaunchOutOfResources'"},
    {801, "`cudaErrorNotSupported'"},
    {900, "`cudaErrorStreamCaptureUnsupported'"},
    {901, "`cudaErrorStreamCaptureInvalidated'"},
    {902, "`cudaErrorStreamCaptureMerge'"},
    {903, "`cudaErrorStreamCaptureUnmatched'"},
    {904, "`cudaErrorStreamCaptureUnjoined'"},
    {905, "`cudaErrorStreamCaptureIsolation'"},
    {906, "`cudaErrorStreamCaptureImplicit'"},
    {907, "`cudaErrorCapturedEvent'"},
    {908, "`cudaErrorStreamCaptureWrongThread'"},
    {910, "`cudaErrorGraphExecUpdateFailure'"},
}};

/// Its only failure is to find no memory.
constexpr std::string_view processor_allocator = "DefaultCPUAllocator: ";

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

bool names(std::string_view message, const CudaError& error) { return has(message, error.name); }

bool is_out_of_memory(std::string_view message) {
  return has(message, processor_allocator) || has(message, "CUDA out of memory") ||
         has(message, "CUDA error: out of memory") || has(message, "CUBLAS_STATUS_ALLOC_FAILED") ||
         has(message, "CUDNN_STATUS_ALLOC_FAILED") || has(message, "CUFFT_ALLOC_FAILED") ||
         names(message, memory_allocation);
}

/// The devices that were lost, and why.
class LostDevices {
 public:
  void add(c10::Device device, const std::string& words) {
    const std::lock_guard lock(mutex_);
    reasons_.emplace(device, words);
    any_.store(true, std::memory_order_release);
  }

  void require_none(c10::Device device) {
    if (!any_.load(std::memory_order_acquire)) {
      return;
    }
    const std::lock_guard lock(mutex_);
    if (const auto found = reasons_.find(device); found != reasons_.end()) {
      throw DeviceError("the device " + device.str() + " was lost earlier in this process (" + found->second +
                        ") and is not used any more: restart the process, or load the model on another device");
    }
  }

 private:
  std::mutex mutex_;
  std::atomic<bool> any_ = false;
  std::unordered_map<c10::Device, std::string> reasons_;
};

LostDevices& lost_devices() {
  // Never destroyed: threads may outlive static objects.
  static auto& only = *new LostDevices();
  return only;
}

}  // namespace

DeviceFailure device_failure(const std::string& message) {
  if (is_out_of_memory(message)) {
    return DeviceFailure::out_of_memory;
  }
  if (has(message, "CUDA error: CUBLAS_STATUS") || has(message, "cuDNN error: ") || has(message, "cuFFT error: ")) {
    return DeviceFailure::failed;  // where CUDA itself is broken, the next call shows it
  }
  if (!has(message, "CUDA error: ")) {
    return DeviceFailure::none;
  }
  return std::any_of(harmless.begin(), harmless.end(), [&](const CudaError& each) { return names(message, each); })
             ? DeviceFailure::failed
             : DeviceFailure::lost;
}

DeviceFailure device_failure(const std::exception& error) {
  if (dynamic_cast<const Error*>(&error) != nullptr) {
    return DeviceFailure::none;  // PreGrad's own say what they are, and may quote a file that says anything
  }
  if (dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr) {
    return DeviceFailure::out_of_memory;
  }
  const auto* accelerator = dynamic_cast<const c10::AcceleratorError*>(&error);
  if (accelerator == nullptr) {
    return device_failure(message_of(error));
  }
  const std::int32_t code = accelerator->get_error_code();
  if (code == memory_allocation.code) {
    return DeviceFailure::out_of_memory;
  }
  return std::any_of(harmless.begin(), harmless.end(), [&](const CudaError& each) { return each.code == code; })
             ? DeviceFailure::failed
             : DeviceFailure::lost;
}

std::string device_words(const std::exception& error) {
  std::string words = first_sentence(error);
  if (const auto begin = words.find(processor_allocator); begin != std::string::npos) {
    words.erase(0, begin);  // where in LibTorch's code it noticed
  }
  constexpr std::string_view last_of_use = " is free.";
  if (const auto end = words.find(last_of_use); end != std::string::npos) {
    words.resize(end + last_of_use.size());
  }
  while (!words.empty() && (words.back() == '.' || words.back() == ' ')) {
    words.pop_back();
  }
  return words.empty() ? "LibTorch failed without a message" : words;
}

std::string device_error_text(const std::exception& error) {
  return "a device failed (" + device_words(error) +
         "): give smaller batches if its memory ran out, else restart the process or use another device";
}

void require_not_lost(c10::Device device) { lost_devices().require_none(device); }

void throw_if_device_failure(c10::Device device, const std::exception& error) {
  const DeviceFailure failure = device_failure(error);
  if (failure == DeviceFailure::none) {
    return;
  }
  const std::string words = device_words(error);
  const std::string begin = "the device " + device.str();
  if (failure == DeviceFailure::out_of_memory) {
    throw DeviceError(begin + " has too little memory (" + words +
                      "): give smaller batches, free memory there, or use a device with more of it");
  }
  if (failure == DeviceFailure::failed || device.is_cpu()) {
    throw DeviceError(begin + " failed (" + words +
                      "): check that GPU, driver and LibTorch fit each other, or use another device");
  }
  lost_devices().add(device, words);
  throw DeviceError(begin + " is lost (" + words +
                    ") and is not used any more in this process: restart it; CUDA_LAUNCH_BLOCKING=1 in its environment "
                    "shows which call failed");
}

c10::Device usable_device(c10::Device device) {
  if (device.is_cpu()) {
    return device;
  }
  if (!device.is_cuda()) {
    throw ArgumentError("PreGrad knows no device '" + device.str() + "': choose cpu, cuda or cuda:N");
  }
  require_not_lost(device);
  const std::string begin = "there is no device '" + device.str() + "': ";
  if (!at::Context::hasCUDART()) {
    throw DeviceError(begin + "this LibTorch has no CUDA, so choose cpu or run on a LibTorch with CUDA");
  }
  try {
    at::globalContext().lazyInitDevice(at::kCUDA);
  } catch (const std::exception& error) {
    throw DeviceError(begin + device_words(error) + ": mend that, or choose cpu");
  }
  const auto devices = static_cast<int>(at::getNumGPUs());
  if (devices == 0) {
    throw DeviceError(begin + "CUDA shows no GPU; check that CUDA_VISIBLE_DEVICES names one, or choose cpu");
  }
  if (device.has_index() && device.index() >= devices) {
    throw DeviceError(begin + "there " +
                      (devices == 1 ? "is one CUDA device, cuda:0"
                                    : "are " + std::to_string(devices) + " CUDA devices, from cuda:0"));
  }
  if (device.has_index()) {
    return device;
  }
  const c10::Device current = c10::impl::VirtualGuardImpl(at::kCUDA).getDevice();
  require_not_lost(current);
  return current;
}

}  // namespace pregrad::support
