#include "pregrad/inputs.hpp"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "pregrad/error.hpp"
#include "support/tensors.hpp"

namespace pregrad {

Inputs::Inputs(at::Tensor only) { tensors_.push_back({{}, std::move(only)}); }

Inputs Inputs::of(std::vector<NamedTensor> tensors) {
  if (tensors.empty()) {
    throw ArgumentError("there are no inputs: name at least one");
  }
  std::set<std::string> names;
  Inputs inputs;
  bool has_samples = false;
  for (NamedTensor& each : tensors) {
    if (each.name.empty()) {
      throw ArgumentError("an input has no name: give the one that the model's forward has for it");
    }
    if (!names.insert(each.name).second) {
      throw ArgumentError("the input '" + each.name + "' is given twice: name each input once");
    }
    has_samples = has_samples || !each.is_shared;
    inputs.tensors_.push_back(std::move(each));
  }
  if (!has_samples) {
    throw ArgumentError("all inputs are shared, so there are no samples: share only those without a batch axis");
  }
  return inputs;
}

const at::Tensor& Inputs::only() const {
  static const at::Tensor none;
  if (tensors_.size() > 1) {
    std::string names;
    for (const NamedTensor& each : tensors_) {
      names += (names.empty() ? "'" : ", '") + each.name + "'";
    }
    throw InputError("the inputs are " + names + ", and the model takes one: give one tensor");
  }
  return tensors_.empty() ? none : tensors_.front().tensor;
}

const at::Tensor* Inputs::find(std::string_view name) const {
  const auto found =
      std::find_if(tensors_.begin(), tensors_.end(), [&](const NamedTensor& each) { return each.name == name; });
  return found == tensors_.end() ? nullptr : &found->tensor;
}

std::int64_t Inputs::samples() const {
  for (const NamedTensor& each : tensors_) {
    if (!each.is_shared) {
      return !each.tensor.defined() || each.tensor.dim() == 0 ? 0 : each.tensor.size(0);
    }
  }
  return 0;
}

Inputs Inputs::slice(std::int64_t begin, std::int64_t end) const {
  return per_sample([&](const at::Tensor& tensor) { return tensor.slice(0, begin, end); });
}

Inputs Inputs::copies(std::int64_t count) const {
  return per_sample([&](const at::Tensor& tensor) { return support::copies_of(tensor, count); });
}

Inputs Inputs::repeated(std::int64_t count) const {
  return per_sample([&](const at::Tensor& tensor) { return tensor.repeat_interleave(count, 0); });
}

Inputs Inputs::mapped(const std::function<at::Tensor(const at::Tensor&)>& change) const {
  Inputs changed;
  for (const NamedTensor& each : tensors_) {
    changed.tensors_.push_back({each.name, change(each.tensor), each.is_shared});
  }
  return changed;
}

Inputs Inputs::per_sample(const std::function<at::Tensor(const at::Tensor&)>& change) const {
  Inputs changed;
  for (const NamedTensor& each : tensors_) {
    changed.tensors_.push_back({each.name, each.is_shared ? each.tensor : change(each.tensor), each.is_shared});
  }
  return changed;
}

Inputs Inputs::without(std::string_view name) const {
  Inputs rest;
  std::copy_if(tensors_.begin(), tensors_.end(), std::back_inserter(rest.tensors_),
               [&](const NamedTensor& each) { return each.name != name; });
  return rest;
}

}  // namespace pregrad
