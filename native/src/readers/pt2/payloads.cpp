#include "readers/pt2/payloads.hpp"

#include <algorithm>
#include <limits>
#include <vector>

#include <ATen/Functions.h>
#include <ATen/core/grad_mode.h>

#include "pregrad/error.hpp"
#include "readers/pt2/archive_error.hpp"
#include "readers/pt2/enumerations.hpp"

namespace pregrad::pt2 {

namespace {

std::int64_t size_of(const JsonValue& value) {
  const auto [kind, number] = value.variant();
  if (kind != "as_int") {
    value.fail("is no number");
  }
  if (number.integer() < 0) {
    number.fail("is negative");
  }
  return number.integer();
}

std::vector<std::int64_t> sizes_of(const JsonValue& values) {
  std::vector<std::int64_t> sizes;
  for (const JsonValue& value : values.elements()) {
    sizes.push_back(size_of(value));
  }
  return sizes;
}

/// How many elements a storage must have for the view; the largest number where that is none.
std::int64_t elements_needed(const std::vector<std::int64_t>& sizes, const std::vector<std::int64_t>& strides,
                             std::int64_t offset) {
  constexpr std::int64_t too_many = std::numeric_limits<std::int64_t>::max();
  std::int64_t count = 1;
  std::int64_t last = offset;
  for (std::size_t axis = 0; axis < sizes.size(); ++axis) {
    std::int64_t reach = 0;
    // Many times nothing is nothing, but its count must be a number too.
    if (__builtin_mul_overflow(count, std::max<std::int64_t>(sizes[axis], 1), &count) ||
        __builtin_mul_overflow(std::max<std::int64_t>(sizes[axis] - 1, 0), strides[axis], &reach) ||
        __builtin_add_overflow(last, reach, &last)) {
      return too_many;
    }
  }
  if (std::find(sizes.begin(), sizes.end(), 0) != sizes.end()) {
    return 0;
  }
  return last == too_many ? too_many : last + 1;
}

}  // namespace

Payloads::Payloads(Archive& archive, std::string folder, const std::string& config, c10::Device device)
    : archive_(archive), folder_(std::move(folder)), config_(archive.text(config), config), device_(device) {}

at::Tensor Payloads::tensor(const std::string& name) {
  const auto payload = config_.root()["config"].find(name);
  if (!payload) {
    throw ArchiveError("is damaged: it has no tensor '" + name + "' in " + folder_);
  }
  if ((*payload)["use_pickle"].boolean()) {
    throw UnsupportedModelError("the model's tensor '" + name +
                                "' is stored as a pickled Python object, which PreGrad does not run: make it a plain "
                                "dense tensor and export the model again");
  }
  const JsonValue meta = (*payload)["tensor_meta"];
  if (layout(meta["layout"]) != c10::Layout::Strided) {
    throw UnsupportedModelError("the model's tensor '" + name +
                                "' has a layout that is not dense: make it a dense tensor and export the model again");
  }
  const auto sizes = sizes_of(meta["sizes"]);
  const auto strides = sizes_of(meta["strides"]);
  if (sizes.size() != strides.size()) {
    meta.fail("has " + std::to_string(sizes.size()) + " sizes and " + std::to_string(strides.size()) + " strides");
  }
  const std::int64_t offset = size_of(meta["storage_offset"]);
  const at::Tensor elements = storage((*payload)["path_name"].text(), scalar_type(meta["dtype"]));
  if (elements_needed(sizes, strides, offset) > elements.numel()) {
    meta.fail("reaches beyond the " + std::to_string(elements.numel()) + " elements of its storage");
  }
  const at::NoGradGuard no_gradients;
  return elements.as_strided(sizes, strides, offset);
}

at::Tensor Payloads::storage(const std::string& path, c10::ScalarType type) {
  const auto known = storages_.find({path, type});
  if (known != storages_.end()) {
    return known->second;
  }
  const at::Tensor bytes = archive_.bytes(folder_ + path);
  const auto element = static_cast<std::int64_t>(c10::elementSize(type));
  const at::Tensor elements =
      at::empty({0}, bytes.options().dtype(type)).set_(bytes.storage(), 0, {bytes.numel() / element}, {1});
  return storages_.emplace(std::pair{path, type}, elements.to(device_)).first->second;
}

}  // namespace pregrad::pt2
