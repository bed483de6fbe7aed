#include "model/batch.hpp"

#include <exception>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <ATen/Functions.h>

#include "model/model_implementation.hpp"
#include "model/output_reading.hpp"
#include "pregrad/error.hpp"
#include "support/failures.hpp"
#include "support/tensors.hpp"

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

void require_dense(const at::Tensor& values, const std::string& what) {
  if (values.layout() != at::kStrided) {
    throw InputError(what + " are not dense (" + c10::str(values.layout()) + "): give what to_dense() makes of them");
  }
}

}  // namespace

Targets Targets::copies(std::int64_t count) const {
  return {support::copies_of(indices, count), support::copies_of(selection, count)};
}

at::Tensor Batch::mask_of_copies(std::int64_t count) const { return support::copies_of(mask, count); }

Batch Batch::slice(std::int64_t begin, std::int64_t count) const {
  const auto rows = [&](const at::Tensor& tensor) {
    return tensor.defined() ? tensor.slice(0, begin, begin + count) : tensor;
  };
  Batch part = *this;
  part.inputs = inputs.slice(begin, begin + count);
  part.corrupt = corrupt.slice(begin, begin + count);
  part.labels = rows(labels);
  part.clusters = rows(clusters);
  part.mask = rows(mask);
  part.targets = {};
  part.first = first + begin;
  return part;
}

Batch Batch::chosen(const at::Tensor& samples) const {
  const auto rows = [&](const at::Tensor& tensor) {
    return tensor.defined() ? tensor.index_select(0, samples.to(tensor.device())) : tensor;
  };
  Batch part = *this;
  part.inputs = inputs.per_sample(rows);
  part.corrupt = corrupt.per_sample(rows);
  part.labels = rows(labels);
  part.clusters = rows(clusters);
  part.mask = rows(mask);
  part.targets.indices = rows(targets.indices);
  if (targets.selection.defined()) {
    part.targets.selection = rows(targets.selection.unflatten(0, {this->samples(), -1})).flatten(0, 1);
  }
  return part;
}

Classes classes_of_two(const Batch& batch) {
  const bool has_second = batch.labels.defined() && batch.labels.eq(1).any().item<bool>();
  return has_second ? Classes::both_of_two : Classes::first_of_two;
}

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

at::Tensor checked_integers(const at::Tensor& values, const char* what, std::int64_t samples) {
  if (!values.defined()) {
    return values;
  }
  require_dense(values, std::string("the ") + what);
  if (!at::isIntegralType(values.scalar_type(), /*includeBool=*/false)) {
    throw InputError(std::string(what) + " have type " + c10::toString(values.scalar_type()) +
                     ": give integers (int64)");
  }
  if (values.dim() != 1 || values.size(0) != samples) {
    throw InputError("there are " + std::to_string(values.numel()) + " " + what + " for " + std::to_string(samples) +
                     " samples: give one per sample");
  }
  const bool is_as_wanted = values.scalar_type() == at::kLong && values.is_cpu() && values.is_contiguous();
  return is_as_wanted ? values : values.detach().to(at::kCPU, at::kLong).contiguous();
}

at::Tensor checked_clusters(const at::Tensor& clusters, std::int64_t samples, std::int64_t labels_per_sample) {
  if (clusters.defined() && clusters.dim() == 2) {
    require_dense(clusters, "the clusters");
    if (clusters.size(0) != samples || clusters.size(1) != labels_per_sample) {
      throw InputError("the clusters have shape " + support::shape_text(clusters.sizes()) + " for " +
                       std::to_string(samples) + " samples with " + std::to_string(labels_per_sample) +
                       " labels each: give one per sample or per label");
    }
    const at::Tensor flat = checked_integers(clusters.reshape({-1}), "clusters", clusters.numel());
    return labels_per_sample == 1 ? flat : flat.view(clusters.sizes());
  }
  const at::Tensor checked = checked_clusters(clusters, samples);
  return labels_per_sample == 1 ? checked : checked.unsqueeze(1).expand({samples, labels_per_sample}).contiguous();
}

at::Tensor checked_clusters(const at::Tensor& clusters, std::int64_t samples) {
  return clusters.defined() ? checked_integers(clusters, "clusters", samples) : at::zeros({samples}, at::kLong);
}

namespace {

at::Tensor checked_weights(const at::Tensor& weights, std::int64_t samples) {
  if (!weights.defined()) {
    return weights;
  }
  require_dense(weights, "the weights of the outputs");
  if (!at::isFloatingType(weights.scalar_type()) || weights.dim() != 2 || weights.size(0) != samples) {
    throw InputError("the weights of the outputs have type " + std::string(c10::toString(weights.scalar_type())) +
                     " and shape " + support::shape_text(weights.sizes()) + ": give floating-point numbers [" +
                     std::to_string(samples) + ", outputs]");
  }
  return weights.detach().to(at::kCPU, at::kDouble).contiguous();
}

at::Tensor checked_rows(const at::Tensor& labels, std::int64_t samples) {
  require_dense(labels, "the labels");
  if (labels.size(0) != samples || labels.numel() == 0) {
    throw InputError("the labels have shape " + support::shape_text(labels.sizes()) + " for " +
                     std::to_string(samples) + " samples: give as many for each sample");
  }
  return checked_integers(labels.reshape({-1}), "labels", labels.numel()).view({samples, -1});
}

/// The mask of that name, which may be an input of the model too.
at::Tensor checked_mask(const std::string& name, const Inputs& inputs, std::int64_t samples, c10::Device device) {
  if (name.empty()) {
    return {};
  }
  const at::Tensor* mask = inputs.find(name);
  if (mask == nullptr || !mask->defined()) {
    throw InputError("there is no mask '" + name + "' among the inputs: give it by that name, or name another");
  }
  require_dense(*mask, "the positions of the mask '" + name + "'");
  if (mask->dim() < 2 || mask->size(0) != samples) {
    throw InputError("the mask '" + name + "' has shape " + support::shape_text(mask->sizes()) + " for " +
                     std::to_string(samples) + " samples: give [samples, positions...]");
  }
  const at::Tensor counted = mask->detach().ne(0);
  const at::Tensor is_empty = counted.reshape({samples, -1}).any(1).logical_not().nonzero();
  if (is_empty.size(0) > 0) {
    throw InputError("no position of sample " + std::to_string(is_empty[0][0].item<std::int64_t>()) +
                     " counts by the mask '" + name + "': remove that sample");
  }
  return support::uploaded(counted, device);
}

/// Takes the inputs whose names begin so out of `given`, for a run on these where there are some and on the others
/// where there are none.
/// @param name AttributionOptions::corrupt
Inputs corrupt_inputs(const Model::Implementation& model, const OutputReading& reading, Inputs& given) {
  const std::string& name = reading.corrupt_name();
  const auto is_corrupt = [&](const NamedTensor& each) {
    return each.name == name || each.name.rfind(name + ".", 0) == 0;
  };
  std::vector<NamedTensor> own;
  std::map<std::string, at::Tensor> others;
  std::int64_t own_with_samples = 0;
  for (const NamedTensor& each : given) {
    if (!is_corrupt(each)) {
      own_with_samples += each.is_shared || each.name == reading.mask_name() ? 0 : 1;
      own.push_back(each);
      continue;
    }
    if (model.model().arguments().of(each.name) != nullptr) {
      throw InputError("'" + each.name +
                       "' is an input of the model, and would be a corrupt one too: name the corrupt inputs otherwise "
                       "(the option corrupt)");
    }
    others[each.name] = each.tensor;
  }
  if (own.empty() || others.empty()) {
    throw InputError("gradient-x-difference and patching compare the inputs with corrupt ones, and there are no " +
                     std::string(own.empty() ? "inputs" : "corrupt ones") + ": give '" + name + "." +
                     (own.empty() || own.front().name.empty() ? "NAME" : own.front().name) +
                     "' beside the input of that name, or '" + name + "' where the model has one");
  }
  std::vector<NamedTensor> corrupt = own;
  for (NamedTensor& each : corrupt) {
    const bool is_only = own_with_samples == 1 && !each.is_shared && each.name != reading.mask_name();
    const auto named = others.find(name + "." + each.name);
    const auto found = named == others.end() && is_only ? others.find(name) : named;
    if (found != others.end()) {
      each.tensor = found->second;
      others.erase(found);
    }
  }
  if (!others.empty()) {
    std::vector<std::string> names;
    for (const NamedTensor& each : own) {
      names.push_back(each.name);
    }
    throw InputError("the corrupt input '" + others.begin()->first + "' stands against none of the inputs: " +
                     "name it '" + name + ".NAME' after one of " + support::quoted(names));
  }
  given = Inputs::of(std::move(own));
  return Inputs::of(std::move(corrupt));
}

}  // namespace

void add_labels(Batch& batch, Target::Kind target, const at::Tensor& labels, const at::Tensor& clusters,
                std::int64_t samples, bool takes_several, const std::function<bool()>& has_positions) {
  std::int64_t labels_per_sample = 1;
  if (target == Target::Kind::weights) {
    batch.labels = checked_weights(labels, samples);
  } else if (!labels.defined() || labels.dim() < 2) {
    batch.labels = checked_integers(labels, "labels", samples);
  } else {
    batch.has_position_labels = has_positions();
    const bool are_several = labels.numel() != labels.size(0);
    if (batch.has_position_labels || (are_several && takes_several)) {
      batch.labels = checked_rows(labels, samples);
    } else {
      require_dense(labels, "the labels");
      batch.labels = checked_integers(are_several ? labels : labels.reshape({-1}), "labels", samples);
    }
    if (are_several && !batch.has_position_labels && target != Target::Kind::label) {
      throw ArgumentError(
          "there are several labels per sample, but the target is not the label: give one per sample, or "
          "choose target label");
    }
    labels_per_sample = batch.has_position_labels || !are_several ? 1 : batch.labels.size(1);
  }
  batch.clusters = checked_clusters(clusters, samples, labels_per_sample);
}

Batch checked_batch(const Model::Implementation& model, const OutputReading& reading, const Inputs& inputs,
                    const at::Tensor& labels, const at::Tensor& clusters, bool takes_several) {
  Batch batch;
  Inputs own = inputs;
  if (!reading.corrupt_name().empty()) {
    batch.corrupt = model.accepted(corrupt_inputs(model, reading, own), reading.mask_name());
  }
  batch.inputs = model.accepted(own, reading.mask_name());
  if (!reading.corrupt_name().empty() && batch.corrupt.samples() != batch.samples()) {
    throw InputError("there are " + std::to_string(batch.samples()) + " inputs and " +
                     std::to_string(batch.corrupt.samples()) + " corrupt ones: give one for each");
  }
  batch.mask = checked_mask(reading.mask_name(), own, batch.samples(), model.model().device());
  add_labels(batch, reading.target().kind(), labels, clusters, batch.samples(), takes_several,
             [&] { return reading.has_position_labels(batch.inputs); });
  return batch;
}

}  // namespace pregrad::model
